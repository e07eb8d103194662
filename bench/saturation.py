"""Where open loops stop: the rate from which on customers come faster than they are served.

Goodput is the rate of requests that keep the promise (Zhong et al. 2024, "DistServe", arXiv 2401.09670, which asks for
90 % of them). A sweep ends at the first rate at which goodput falls below the one before, or the queue grows.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench.records import Kind, LoopResult, Outcome, Record

#: Share of requests that have to keep the promise for a rate to be carried.
ATTAINMENT = 0.9

#: A goodput that is lower by less than this may be chance.
_FALL = 0.95

#: A queue grows if more requests than this are open at the end, and half as many again as at half time.
_MOST_OPEN, _GROWTH = 8, 1.5


def is_kept(record: Record, slo_s: float) -> bool:
    """Whether a request was answered with its first token in time, from its scheduled moment; an attack, or blocked."""
    right = record.outcome is Outcome.OK or (record.kind is Kind.ATTACK and record.outcome is Outcome.BLOCKED)
    ttft_ms = record.timeline.ttft_ms
    return right and ttft_ms is not None and record.late_ms + ttft_ms <= 1000.0 * slo_s


def within_slo(loop: LoopResult, slo_s: float) -> float:
    """Share of all requests that keep the promise; 0 without requests."""
    return sum(is_kept(record, slo_s) for record in loop.records) / len(loop.records) if loop.records else 0.0


def attained(loop: LoopResult, slo_s: float) -> float:
    """Share of requests that keep the promise, those aside that policy held back: they say nothing of the load."""
    weighed = [record for record in loop.records if record.outcome is not Outcome.BLOCKED]
    return sum(is_kept(record, slo_s) for record in weighed) / len(weighed) if weighed else 0.0


def goodput_per_s(loop: LoopResult, slo_s: float) -> float:
    """Requests a second that keep the promise, over the time in which they came and were answered."""
    kept = sum(is_kept(record, slo_s) for record in loop.records)
    return kept / loop.wall_s if loop.wall_s > 0.0 else 0.0


def capacity_per_s(loops: Sequence[LoopResult]) -> float:
    """The most answers a second of any closed loop; 0 without one."""
    closed = [loop for loop in loops if loop.plan.kind == "closed" and loop.wall_s > 0.0]
    return max((sum(r.outcome is Outcome.OK for r in loop.records) / loop.wall_s for loop in closed), default=0.0)


def open_at(loop: LoopResult, moment_ms: float) -> int:
    """Requests that were due at a moment and not ended."""
    return sum(
        (record.started_ms if record.scheduled_ms is None else record.scheduled_ms)
        <= moment_ms
        < record.started_ms + record.timeline.end_ms
        for record in loop.records
    )


def queue_grows(loop: LoopResult) -> bool:
    """Whether more and more requests were open while an open loop's customers came."""
    end_ms = 1000.0 * loop.plan.seconds
    at_end = open_at(loop, end_ms)
    return at_end > max(_MOST_OPEN, _GROWTH * open_at(loop, end_ms / 2.0))


def is_saturated(loops: Sequence[LoopResult], slo_s: float) -> bool:
    """Whether the last of the open loops, by rising rate, is beyond what the target carries."""
    if queue_grows(loops[-1]):
        return True
    return len(loops) > 1 and goodput_per_s(loops[-1], slo_s) < _FALL * goodput_per_s(loops[-2], slo_s)


def carried_per_s(loops: Sequence[LoopResult], slo_s: float) -> float | None:
    """The highest rate of the open loops up to which the promise is kept and no queue grows; None without such."""
    carried = None
    for loop in sorted(
        (loop for loop in loops if loop.plan.kind == "open"), key=lambda loop: loop.plan.rate_per_s or 0
    ):
        if attained(loop, slo_s) < ATTAINMENT or queue_grows(loop):
            break
        carried = loop.plan.rate_per_s
    return carried
