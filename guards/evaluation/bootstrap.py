"""How sure a figure is: percentile bootstrap intervals, drawn within attacks and harmless texts each (Efron 1979)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the figure lies with a confidence of 95 %.

    Attributes:
        low: lower end.
        high: upper end.
    """

    low: float
    high: float


class Bootstrap:
    """Draws with a seed of its own for every figure: none depends on which others were asked for."""

    def __init__(self, resamples: int = 2000, seed: int = 20, level: float = 0.95) -> None:
        """Args: how many times to draw, the seed, the confidence."""
        self._resamples = resamples
        self._seed = seed
        self._tail = (1.0 - level) / 2.0

    def share(self, caught: Sequence[bool]) -> Interval | None:
        """Of the share of True; None without values.

        Draws of n values out of n with the share p are binomial, so that is what is drawn. If all values are alike,
        every draw is as well, and the interval would have no width: then its other end is the exact one (Clopper and
        Pearson 1934).
        """
        count, hits = len(caught), sum(caught)
        if not count:
            return None
        if hits in (0, count):
            edge = self._tail ** (1.0 / count)
            return Interval(0.0, 1.0 - edge) if hits == 0 else Interval(edge, 1.0)
        draws = self._generator().binomial(count, hits / count, self._resamples) / count
        return self._between(draws)

    def area(self, positive: Sequence[float], negative: Sequence[float]) -> Interval | None:
        """Of the area under the ROC curve; None without values of both kinds."""
        if not positive or not negative:
            return None
        values, places = np.unique(np.concatenate([positive, negative]), return_inverse=True)
        high, low = places[: len(positive)], places[len(positive) :]
        generator = self._generator()
        draws = np.empty(self._resamples)
        for turn in range(self._resamples):
            above = np.bincount(high[generator.integers(len(high), size=len(high))], minlength=len(values))
            below = np.bincount(low[generator.integers(len(low), size=len(low))], minlength=len(values))
            draws[turn] = _area(above, below)
        return self._between(draws)

    def _between(self, draws: NDArray[np.float64]) -> Interval:
        low, high = np.quantile(draws, [self._tail, 1.0 - self._tail])
        return Interval(float(low), float(high))

    def _generator(self) -> np.random.Generator:
        return np.random.default_rng(self._seed)


def auc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """Area under the ROC curve by the rank sum (Mann and Whitney 1947), ties counted half."""
    if not positive or not negative:
        return None
    values, places = np.unique(np.concatenate([positive, negative]), return_inverse=True)
    above = np.bincount(places[: len(positive)], minlength=len(values))
    below = np.bincount(places[len(positive) :], minlength=len(values))
    return _area(above, below)


def _area(positive: NDArray[np.int64], negative: NDArray[np.int64]) -> float:
    """From counts per value, values rising: int64 (V,) each."""
    up_to = np.cumsum(negative)
    pairs = (positive * (up_to - 0.5 * negative)).sum()
    return float(pairs / (int(positive.sum()) * int(up_to[-1])))
