"""How long something takes, as percentiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Latency:
    """Percentiles of a number of times.

    Attributes:
        count: how many.
        p50_ms: the median.
        p95_ms: 95th percentile.
        p99_ms: 99th percentile.
        max_ms: the longest.
    """

    count: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float

    @classmethod
    def of(cls, took_ms: Sequence[float]) -> Latency:
        """From the times.

        Raises:
            ValueError: there are none.
        """
        if not len(took_ms):
            raise ValueError("no times to make percentiles of; expected at least one")
        p50, p95, p99, longest = (float(value) for value in np.percentile(took_ms, [50, 95, 99, 100]))
        return cls(len(took_ms), p50, p95, p99, longest)

    def __str__(self) -> str:
        return f"p50 {self.p50_ms:8.3f}  p95 {self.p95_ms:8.3f}  p99 {self.p99_ms:8.3f} ms"
