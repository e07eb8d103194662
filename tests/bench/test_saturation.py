"""Saturation: goodput, growing queues and the carried rate, on loops whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.metrics import Timeline
from bench.plans import LoopPlan
from bench.records import Kind, LoopResult, Outcome, Record, Reuse
from bench.saturation import (
    capacity_per_s,
    carried_per_s,
    goodput_per_s,
    is_kept,
    is_saturated,
    queue_grows,
    within_slo,
)
from tests.bench.samples import loop, record

SLO_S = 1.0


def station(rate_per_s: float, service_s: float, seconds: float = 20.0) -> LoopResult:
    """Evenly spaced customers at a single clerk who takes ``service_s`` each; the first token is the answer."""
    free_s, records = 0.0, []
    for number in range(int(rate_per_s * seconds)):
        at_s = number / rate_per_s
        free_s = max(free_s, at_s) + service_s
        took_ms = 1000.0 * (free_s - at_s)
        timeline = Timeline((took_ms,), took_ms, 1)
        records.append(Record(number, 0, Kind.NEW, 1000.0 * at_s, Outcome.OK, timeline, scheduled_ms=1000.0 * at_s))
    plan = LoopPlan(f"open-{rate_per_s}", 0, seconds, 0, kind="open", rate_per_s=rate_per_s)
    return LoopResult(plan, max(free_s, seconds), tuple(records))


def test_a_clerk_is_saturated_above_one_over_the_service_time() -> None:
    loops = [station(rate, 0.25) for rate in (2.0, 3.8, 6.0)]
    assert [queue_grows(one) for one in loops] == [False, False, True]
    assert [is_saturated(loops[:count], SLO_S) for count in (1, 2, 3)] == [False, False, True]
    assert goodput_per_s(loops[0], SLO_S) == pytest.approx(2.0)
    assert carried_per_s(loops, SLO_S) == 3.8
    assert carried_per_s(loops[2:], SLO_S) is None


def test_falling_goodput_saturates_without_a_queue() -> None:
    good = station(2.0, 0.25)
    refused = [
        replace(one, outcome=Outcome.REFUSED) if n % 2 else one for n, one in enumerate(station(3.0, 0.25).records)
    ]
    bad = replace(station(3.0, 0.25), records=tuple(refused))
    assert not queue_grows(bad)
    assert is_saturated([good, bad], SLO_S)
    assert within_slo(bad, SLO_S) == 0.5
    assert carried_per_s([good, bad], SLO_S) == 2.0


def test_a_late_request_does_not_keep_the_promise() -> None:
    prompt = record(0, 900.0, started_ms=0.0, scheduled_ms=0.0)
    assert is_kept(prompt, SLO_S)
    assert not is_kept(replace(prompt, started_ms=200.0), SLO_S)
    assert not is_kept(replace(prompt, outcome=Outcome.BLOCKED), SLO_S)
    assert is_kept(replace(prompt, outcome=Outcome.BLOCKED, kind=Kind.ATTACK), SLO_S)


def test_capacity_is_the_best_closed_loop() -> None:
    loops = [loop(chats, [record(n, 100.0) for n in range(8 * chats)]) for chats in (1, 4)]
    assert capacity_per_s([*loops, station(50.0, 0.001)]) == 4.0
    assert capacity_per_s([]) == 0.0


@pytest.mark.parametrize(
    ("changes", "reuse"),
    [
        ({"cached_tokens": 24}, Reuse.COLD),
        ({"cached_tokens": 25}, Reuse.PREFIX),
        ({"prompt_tokens": 0, "cached_tokens": 0}, Reuse.COLD),
        ({"from_cache": True}, Reuse.ANSWER),
        ({"outcome": Outcome.BLOCKED, "from_cache": True}, Reuse.BLOCKED),
    ],
)
def test_every_request_is_of_one_sort(changes: dict[str, object], reuse: Reuse) -> None:
    assert replace(record(0, 1.0), **changes).reuse is reuse  # type: ignore[arg-type]
