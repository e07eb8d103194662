"""Loops with a schedule: arrivals at their moments, nobody waits for anybody, and a late request is not a fast one."""

from __future__ import annotations

import math
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import pytest

from bench.arrivals import MIX, Arrival, burst, poisson, run_arrivals
from bench.chat import ChatMessage
from bench.client import Client
from bench.errors import UsageError
from bench.plans import LoopPlan
from bench.records import Kind, LoopResult, Outcome
from bench.replay import read_trace, replay_plan
from bench.summary import e2e_ms, ttft_ms
from bench.wire import Limits
from bench.workload import Conversation, WorkloadOptions, load_traffic
from tests.bench.targets import HEAD, Behaviour, Exchange, Target, ending, streams, target

TRAFFIC = load_traffic()
LIMITS = Limits(connect_s=2.0, progress_s=2.0, total_s=4.0)
OPTIONS = WorkloadOptions(max_tokens=3)


def opened(rate_per_s: float, seconds: float, name: str = "open") -> LoopPlan:
    return LoopPlan(name, 0, seconds, 0, kind="open", rate_per_s=rate_per_s)


def asked(behaviour: Behaviour, plan: LoopPlan, arrivals: tuple[Arrival, ...]) -> tuple[LoopResult, Target]:
    with target(behaviour) as server:
        return run_arrivals(Client(server.address, LIMITS), plan, arrivals, OPTIONS, lambda share, n: None), server


def test_arrivals_are_poisson() -> None:
    arrivals = poisson(opened(20.0, 200.0), TRAFFIC, 1)
    gaps = [b.at_s - a.at_s for a, b in pairwise(arrivals)]
    assert len(arrivals) == pytest.approx(4000, rel=0.05)
    assert fmean(gaps) == pytest.approx(0.05, rel=0.05)
    assert math.sqrt(fmean(gap**2 for gap in gaps) - fmean(gaps) ** 2) == pytest.approx(0.05, rel=0.08)  # exponential
    assert sum(gap > 0.1 for gap in gaps) / len(gaps) == pytest.approx(math.exp(-2.0), rel=0.15)
    counts = Counter(arrival.kind for arrival in arrivals)
    for kind, share in MIX.items():
        assert counts[kind] / len(arrivals) == pytest.approx(share, abs=0.03)


def test_arrivals_are_seeded() -> None:
    assert poisson(opened(5.0, 4.0), TRAFFIC, 7) == poisson(opened(5.0, 4.0), load_traffic(), 7)
    assert poisson(opened(5.0, 4.0), TRAFFIC, 7) != poisson(opened(5.0, 4.0), TRAFFIC, 8)
    with pytest.raises(ValueError, match=r"rate None of loop 'x'; expected arrivals a second above 0"):
        poisson(LoopPlan("x", 0, 1.0, 0, kind="open"), TRAFFIC, 1)


def test_customers_do_not_wait_for_each_other() -> None:
    plan = opened(40.0, 0.5)
    arrivals = poisson(plan, TRAFFIC, 1)
    result, server = asked(streams(2, 0.3), plan, arrivals)
    assert len(result.records) == len(server.exchanges) == len(arrivals)
    assert result.wall_s < 2.5  # one after another they would take 0.6 s each
    for record, arrival in zip(sorted(result.records, key=lambda r: r.scheduled_ms or 0.0), arrivals, strict=True):
        assert record.scheduled_ms == pytest.approx(1000.0 * arrival.at_s, abs=1e-3)
        assert 0.0 <= record.started_ms - (record.scheduled_ms or 0.0) < 300.0


def test_latency_counts_from_the_scheduled_arrival(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a single slot the second of two simultaneous requests is sent when the first is answered."""
    monkeypatch.setattr("bench.arrivals.MOST_OPEN", 1)
    plan = LoopPlan("burst-2", 2, 0.0, 2, kind="burst")
    result, _ = asked(streams(2, 0.15), plan, burst(plan, TRAFFIC, 1))
    first, second = result.records
    assert second.timeline.end_ms < 450.0
    assert second.late_ms >= 290.0
    assert e2e_ms(second)[0] == pytest.approx(second.late_ms + second.timeline.end_ms)
    assert ttft_ms(second)[0] >= 290.0 + 140.0
    assert ttft_ms(first)[0] < ttft_ms(second)[0]


def test_a_burst_comes_in_one_instant() -> None:
    plan = LoopPlan("burst-6", 6, 0.0, 6, kind="burst")
    result, _ = asked(streams(2, 0.2), plan, burst(plan, TRAFFIC, 1))
    assert {record.scheduled_ms for record in result.records} == {0.0}
    assert {record.kind for record in result.records} == {Kind.NEW}
    assert max(record.started_ms for record in result.records) < min(
        record.timeline.end_ms for record in result.records
    )


def test_returning_customers_carry_their_history() -> None:
    turns = ("first", "second", "third")
    arrivals = tuple(Arrival(0.2 * n, Kind.RETURNING if n else Kind.NEW, Conversation(n, "x", turns)) for n in range(3))
    result, server = asked(streams(2), opened(5.0, 0.6), arrivals)
    assert [(r.kind, r.turn, r.conversation) for r in result.records] == [
        (Kind.NEW, 0, 0),
        (Kind.RETURNING, 1, 0),
        (Kind.RETURNING, 2, 0),
    ]
    messages = server.exchanges[-1].body["messages"]
    assert isinstance(messages, list)
    assert [message["content"] for message in messages] == ["first", "t0 t1 ", "second", "t0 t1 ", "third"]


def test_whoever_has_nothing_to_come_back_to_is_new() -> None:
    arrival = Arrival(0.0, Kind.RETURNING, Conversation(0, "x", ("only",)))
    result, _ = asked(streams(2), opened(5.0, 0.1), (arrival,))
    assert [(record.kind, record.turn) for record in result.records] == [(Kind.NEW, 0)]


def test_a_target_that_is_gone_ends_the_schedule() -> None:
    began_s = time.perf_counter()
    arrivals = poisson(opened(20.0, 60.0), TRAFFIC, 1)
    result, _ = asked(lambda exchange: exchange.send(HEAD), opened(20.0, 60.0), arrivals)
    assert "failures in a row" in result.aborted
    assert {record.outcome for record in result.records} == {Outcome.FAILED}
    assert time.perf_counter() - began_s < 10.0


def test_a_trace_is_asked_as_it_stands(tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    trace.write_text(
        '{"at_s": 0.2, "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "b"}], '
        '"max_tokens": 9}\n\n{"at_s": 0, "question": "a"}\n'
    )
    arrivals = read_trace(trace)
    plan = replay_plan(arrivals)
    assert (plan.kind, plan.min_requests) == ("replay", 2)
    result, server = asked(streams(2), plan, arrivals)
    assert [record.kind for record in result.records] == [Kind.REPLAYED] * 2
    assert [record.scheduled_ms for record in result.records] == [0.0, 200.0]
    bodies = [exchange.body for exchange in server.exchanges]
    assert [body["max_tokens"] for body in bodies] == [3, 9]
    assert bodies[0]["messages"] == [{"role": "user", "content": "a"}]
    assert bodies[1]["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "b"}]
    assert arrivals[1].messages[0] == ChatMessage("system", "Be brief.")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no request"),
        ("x", r"x\.jsonl:1: .*Invalid JSON"),
        ('{"at_s": 0, "question": "a"}\n{"at_s": -1, "question": "a"}', r"x\.jsonl:2: at_s .*greater than or equal"),
        ('{"at_s": 0}', "either question or messages"),
        ('{"at_s": 0, "question": "a", "messages": [{"role": "user", "content": "b"}]}', "either question or messages"),
        ('{"at_s": 0, "question": "a", "extra": 1}', "extra"),
        ('{"at_s": 0, "question": "a", "max_tokens": 0}', "max_tokens"),
    ],
)
def test_a_trace_that_is_none(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(text)
    with pytest.raises(UsageError, match=says):
        read_trace(path)


def test_blocks_in_a_schedule_are_recorded() -> None:
    def behave(exchange: Exchange) -> None:
        exchange.send(HEAD)
        exchange.piece("No.")
        exchange.send(ending(0, "content_filter"))

    attack = Arrival(0.0, Kind.ATTACK, TRAFFIC.attack(1, "x", 0))
    result, _ = asked(behave, opened(5.0, 0.1), (attack,))
    assert [(record.kind, record.outcome) for record in result.records] == [(Kind.ATTACK, Outcome.BLOCKED)]
