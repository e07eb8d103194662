"""How long a box takes for an answer with so many customers inside: curves through what its closed loops measured.

In a closed loop of ``n`` chats without think time ``n`` requests are always inside, so the mean whole time ``R(n)`` of
an answer gives the throughput with ``n`` inside, ``n / R(n)`` (Little 1961). Between two loops the curve is straight.
Beyond the largest one nothing was measured: there throughput is taken to stay what it was, or to fall on as steeply as
it did last, whichever is worse, so that a plan does not promise what nobody has seen. Below the smallest one the curve
goes on straight, within what one customer can gain at most.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import ArrayLike

from bench.errors import UsageError
from bench.metrics import Floats
from bench.records import LoopResult, Outcome
from bench.result import Result

#: Points that a distribution is described by.
_SHAPE_POINTS = 199


@dataclass(frozen=True, slots=True)
class Curve:
    """Seconds by number of customers inside.

    Attributes:
        chats: (k,) numbers that were measured, rising, at least two.
        seconds: (k,) mean times, never falling.
    """

    chats: tuple[int, ...]
    seconds: tuple[float, ...]

    @property
    def beyond(self) -> float:
        """Seconds that each further customer adds beyond the largest number that was measured."""
        last, before = (self.chats[-1], self.seconds[-1]), (self.chats[-2], self.seconds[-2])
        return max(last[1] / last[0], (last[1] - before[1]) / (last[0] - before[0]))

    def at(self, inside: ArrayLike) -> Floats:
        """Seconds with so many inside, each at least 1; float64 of the same shape."""
        wanted = np.asarray(inside, dtype=np.float64)
        first, second = (self.chats[0], self.seconds[0]), (self.chats[1], self.seconds[1])
        slope = (second[1] - first[1]) / (second[0] - first[0])
        below = np.maximum(first[1] - slope * (first[0] - wanted), first[1] * wanted / first[0])
        above = self.seconds[-1] + self.beyond * (wanted - self.chats[-1])
        between = np.interp(wanted, self.chats, self.seconds)
        found = np.where(wanted < self.chats[0], below, np.where(wanted > self.chats[-1], above, between))
        return np.asarray(found, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class LoopPoint:
    """What one closed loop measured.

    Attributes:
        chats: customers inside.
        answers: requests that were answered.
        answer_s: mean whole time.
        ttft_s: (answers,) times to first token.
    """

    chats: int
    answers: int
    answer_s: float
    ttft_s: tuple[float, ...]

    @property
    def throughput_per_s(self) -> float:
        """Answers a second (Little's law)."""
        return self.chats / self.answer_s

    @property
    def mean_ttft_s(self) -> float:
        """Mean time to first token."""
        return sum(self.ttft_s) / len(self.ttft_s)


@dataclass(frozen=True, slots=True)
class Service:
    """A box as the queueing model sees it.

    Attributes:
        answer: mean whole time of an answer, seconds.
        ttft: mean time to first token, seconds.
        shape: (q,) quantiles of time to first token by its mean at the same number inside; 1 is the mean.
        most_chats: the largest loop that was measured.
    """

    answer: Curve
    ttft: Curve
    shape: tuple[float, ...]
    most_chats: int

    @property
    def most_per_s(self) -> float:
        """Answers a second, however many wait: more than that and the queue grows for ever."""
        return 1.0 / self.answer.beyond


def loop_points(result: Result) -> tuple[LoopPoint, ...]:
    """Points of the closed loops of a result, by rising number of chats; loops without an answer are left out."""
    points = [point for loop in _closed(result) if (point := _point(loop)) is not None]
    return tuple(sorted(points, key=lambda point: point.chats))


def answered_ttft_s(loop: LoopResult) -> tuple[float, ...]:
    """Times to first token of the answered requests of a loop, from the moment at which each was due."""
    return tuple(
        (record.timeline.arrivals_ms[0] + record.late_ms) / 1000.0
        for record in loop.records
        if record.outcome is Outcome.OK and record.timeline.arrivals_ms
    )


def fit_service(points: Sequence[LoopPoint]) -> Service:
    """The curves through some points.

    Raises:
        UsageError: fewer than two different numbers of chats.
    """
    if len({point.chats for point in points}) < 2:
        raise UsageError(
            f"closed loops of {[point.chats for point in points]} chats; expected two different numbers or more; "
            "measure with `python -m bench run`"
        )
    chats = [point.chats for point in points]
    ratios = [value / point.mean_ttft_s for point in points for value in point.ttft_s]
    shape = np.quantile(np.asarray(ratios), (np.arange(_SHAPE_POINTS) + 0.5) / _SHAPE_POINTS)
    return Service(
        answer=_curve(chats, [point.answer_s for point in points]),
        ttft=_curve(chats, [point.mean_ttft_s for point in points]),
        shape=tuple(float(one) for one in shape / shape.mean()),
        most_chats=max(chats),
    )


def questions_per_customer(result: Result) -> float:
    """Requests for each conversation that was begun, over all closed loops."""
    records = [record for loop in _closed(result) for record in loop.records]
    begun = sum(record.turn == 0 for record in records)
    return len(records) / begun if begun else 1.0


def _closed(result: Result) -> list[LoopResult]:
    return [loop for loop in result.loops if loop.plan.kind == "closed" and not loop.plan.attacks]


def _point(loop: LoopResult) -> LoopPoint | None:
    ends_s = [record.timeline.end_ms / 1000.0 for record in loop.records if record.outcome is Outcome.OK]
    ttft_s = answered_ttft_s(loop)
    if not ends_s or not ttft_s or not loop.plan.chats:
        return None
    return LoopPoint(loop.plan.chats, len(ends_s), sum(ends_s) / len(ends_s), ttft_s)


def _curve(chats: Sequence[int], seconds: Sequence[float]) -> Curve:
    """Through points by rising number of chats; of loops of the same size the mean."""
    by_chats: dict[int, list[float]] = {}
    for number, value in zip(chats, seconds, strict=True):
        by_chats.setdefault(number, []).append(value)
    means = [sum(values) / len(values) for values in by_chats.values()]
    return Curve(tuple(by_chats), tuple(accumulate(means, max)))
