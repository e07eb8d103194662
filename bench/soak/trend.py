"""Whether a series grows: Theil's and Sen's slope with its interval, and Mann's and Kendall's test.

The slope is the median of the slopes between all pairs of points (Theil 1950; Sen 1968, "Estimates of the Regression
Coefficient Based on Kendall's Tau", which gives the interval too): up to 29 % of outliers do not move it. Mann (1945)
asks only whether later values tend to be larger. Both take the points for independent; memory that was held a minute
ago is most often held still, so intervals are narrower than they should be, and a verdict asks for more than them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy import stats  # type: ignore[import-untyped]

from bench.metrics import CONFIDENCE

#: Fewer points than this say nothing.
LEAST_POINTS = 8


@dataclass(frozen=True, slots=True)
class Trend:
    """A series of values over time.

    Attributes:
        points: how many.
        hours: from the first to the last.
        level: median of the values.
        slope: change an hour.
        low: lower end of its 95 % interval.
        high: upper end.
        p_value: of Kendall's test against "no trend", two-sided.
    """

    points: int
    hours: float
    level: float
    slope: float
    low: float
    high: float
    p_value: float

    @property
    def growth(self) -> float:
        """What the slope has brought over the time that was seen."""
        return self.slope * self.hours


def trend(seconds: Sequence[float], values: Sequence[float]) -> Trend | None:
    """The trend of values at ascending moments; None of fewer than LEAST_POINTS.

    Raises:
        ValueError: not as many moments as values.
    """
    if len(seconds) != len(values):
        raise ValueError(f"{len(seconds)} moments and {len(values)} values; expected as many")
    if len(values) < LEAST_POINTS:
        return None
    hours = [one / 3600.0 for one in seconds]
    slope, _, low, high = stats.theilslopes(values, hours, CONFIDENCE)
    p_value = float(stats.kendalltau(hours, values).pvalue)
    middle = sorted(values)[len(values) // 2]
    return Trend(
        points=len(values),
        hours=hours[-1] - hours[0],
        level=float(middle),
        slope=float(slope),
        low=float(low),
        high=float(high),
        p_value=1.0 if math.isnan(p_value) else p_value,  # all values alike
    )
