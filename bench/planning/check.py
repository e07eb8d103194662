"""The model held against measured points that it was not fitted to: each closed loop by the others, and open loops."""

from __future__ import annotations

from dataclasses import dataclass

from bench.metrics import quantile
from bench.planning.queueing import waiting
from bench.planning.service import answered_ttft_s, fit_service, loop_points
from bench.records import Outcome
from bench.result import Result


@dataclass(frozen=True, slots=True)
class Check:
    """One figure at one load.

    Attributes:
        loop: that measured it, and that the fit did not see.
        figure: what it is, with its unit.
        predicted: by the model.
        measured: by the loop.
    """

    loop: str
    figure: str
    predicted: float
    measured: float

    @property
    def error(self) -> float:
        """Relative: above 0 is predicted too high."""
        return self.predicted / self.measured - 1.0


def check_model(result: Result, promise_s: float) -> tuple[Check, ...]:
    """All checks that a result allows: three closed loops are needed to leave one out, two beside an open one."""
    return (*_closed(result), *_open(result, promise_s))


def _closed(result: Result) -> tuple[Check, ...]:
    points = loop_points(result)
    found: list[Check] = []
    if len({point.chats for point in points}) < 3:
        return ()
    for point in points:
        service = fit_service([other for other in points if other.chats != point.chats])
        loop, shape = f"closed, {point.chats}", sorted(service.shape)
        ttft_s = float(service.ttft.at(point.chats))
        found += [
            Check(
                loop,
                "throughput, answers/s",
                point.chats / float(service.answer.at(point.chats)),
                point.throughput_per_s,
            ),
            Check(loop, "TTFT mean, s", ttft_s, point.mean_ttft_s),
            Check(loop, "TTFT p90, s", ttft_s * quantile(shape, 0.9), quantile(point.ttft_s, 0.9)),
        ]
    return tuple(found)


def _open(result: Result, promise_s: float) -> tuple[Check, ...]:
    points = loop_points(result)
    if len({point.chats for point in points}) < 2:
        return ()
    service = fit_service(points)
    found: list[Check] = []
    for loop in result.loops:
        rate, measured = loop.plan.rate_per_s, answered_ttft_s(loop)
        if loop.plan.kind != "open" or not rate or not measured:
            continue
        expected = waiting(service, rate, promise_s)
        answered = sum(record.outcome is Outcome.OK for record in loop.records)
        name = f"open, {rate:.3g}/s"
        found += [
            Check(name, "throughput, answers/s", min(rate, service.most_per_s), answered / loop.wall_s),
            Check(name, "TTFT mean, s", expected.ttft_s, sum(measured) / len(measured)),
            Check(name, "TTFT p90, s", expected.ttft_p90_s, quantile(measured, 0.9)),
        ]
    return tuple(found)
