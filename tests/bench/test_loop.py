"""Closed loops against real servers: how many at once, what is carried along, what is recorded when it goes wrong."""

from __future__ import annotations

import threading
import time

import pytest

from bench.client import Client
from bench.journal import FAILURES_IN_A_ROW
from bench.loop import run_loop
from bench.plans import LoopPlan
from bench.records import Kind, LoopResult, Outcome
from bench.wire import Address, Limits
from bench.workload import WorkloadOptions, load_traffic
from tests.bench.targets import HEAD, Behaviour, Exchange, Target, ending, reply, streams, target

TRAFFIC = load_traffic()
LIMITS = Limits(connect_s=2.0, progress_s=0.5, total_s=1.0)


def nothing(share: float, requests: int) -> None:
    """Observe nothing."""


def measured(behaviour: Behaviour, plan: LoopPlan, options: WorkloadOptions) -> tuple[LoopResult, Target]:
    with target(behaviour) as server:
        return run_loop(Client(server.address, LIMITS), plan, TRAFFIC, options, nothing), server


def most_at_once(result: LoopResult) -> int:
    """The most requests that were under way at any start of one."""
    spans = [(record.started_ms, record.started_ms + record.timeline.end_ms) for record in result.records]
    return max(sum(start <= moment < end for start, end in spans) for moment, _ in spans)


@pytest.mark.parametrize("chats", [1, 3, 8])
def test_as_many_chats_at_once_as_planned(chats: int) -> None:
    result, server = measured(streams(3, 0.01), LoopPlan("x", chats, 0.0, 24), WorkloadOptions(max_tokens=3))
    assert most_at_once(result) == chats
    assert 24 <= len(result.records) == len(server.exchanges) < 24 + chats
    assert {record.outcome for record in result.records} == {Outcome.OK}
    assert {record.timeline.tokens for record in result.records} == {3}
    starts = [record.started_ms for record in result.records]
    assert starts == sorted(starts)
    busy_s = sum(record.timeline.end_ms for record in result.records) / 1000.0
    assert 0.6 * chats * result.wall_s < busy_s <= chats * result.wall_s  # a chat is nearly always inside a request


def test_loop_lasts_for_its_time() -> None:
    result, _ = measured(streams(2, 0.005), LoopPlan("x", 2, 0.4, 1), WorkloadOptions())
    assert 0.4 <= result.wall_s < 1.5
    assert len(result.records) > 10


def test_returning_chats_carry_their_history() -> None:
    options = WorkloadOptions(seed=3, system_prompt="Be brief.")
    result, server = measured(streams(2), LoopPlan("x", 1, 0.0, 20), options)
    assert {record.kind for record in result.records} == {Kind.NEW, Kind.RETURNING}
    for record, exchange in zip(result.records, server.exchanges, strict=True):
        conversation = TRAFFIC.conversation(3, "x", record.conversation)
        expected = [{"role": "system", "content": "Be brief."}]
        for turn in range(record.turn + 1):
            expected.append({"role": "user", "content": conversation.turns[turn]})
            if turn < record.turn:
                expected.append({"role": "assistant", "content": "t0 t1 "})
        assert exchange.body["messages"] == expected


def test_attacks_that_are_blocked() -> None:
    def behave(exchange: Exchange) -> None:
        exchange.send(HEAD)
        exchange.piece("No.")
        exchange.send(ending(0, "content_filter"))

    result, _ = measured(behave, LoopPlan("attacks", 1, 0.0, 8, attacks=True), WorkloadOptions())
    assert [(record.kind, record.outcome) for record in result.records] == [(Kind.ATTACK, Outcome.BLOCKED)] * 8


def test_refusals_are_counted_and_do_not_end_the_loop() -> None:
    def behave(exchange: Exchange) -> None:
        if exchange.number % 2:
            streams(2)(exchange)
        else:
            exchange.send(reply("429 Too Many Requests", {"error": {"message": "full"}}))

    result, _ = measured(behave, LoopPlan("x", 1, 0.0, 4), WorkloadOptions())
    assert not result.aborted
    refused = [record for record in result.records if record.outcome is Outcome.REFUSED]
    assert len(refused) >= 2
    assert "HTTP 429" in refused[0].error


def test_a_target_that_dies_ends_the_loop() -> None:
    def behave(exchange: Exchange) -> None:
        if exchange.number < 5:
            streams(2)(exchange)
        else:
            exchange.send(HEAD)  # and the connection is closed

    result, _ = measured(behave, LoopPlan("x", 4, 60.0, 1000), WorkloadOptions())
    assert result.wall_s < 10.0
    assert f"{FAILURES_IN_A_ROW} failures in a row" in result.aborted
    assert "broken" in result.aborted
    outcomes = [record.outcome for record in result.records]
    assert outcomes.count(Outcome.OK) == 5
    assert outcomes.count(Outcome.FAILED) >= FAILURES_IN_A_ROW


def test_nobody_listens() -> None:
    client = Client(Address("http", "127.0.0.1", 9), LIMITS)
    result = run_loop(client, LoopPlan("x", 2, 60.0, 1000), TRAFFIC, WorkloadOptions(), nothing)
    assert "connect" in result.aborted
    assert result.wall_s < 5.0


def test_empty_answers_are_failures() -> None:
    def behave(exchange: Exchange) -> None:
        exchange.send(HEAD + ending(0, "stop"))

    result, _ = measured(behave, LoopPlan("x", 1, 0.0, 5), WorkloadOptions())
    assert "an answer without text" in result.records[0].error


def test_progress_is_observed_from_the_calling_thread() -> None:
    seen: list[tuple[float, str]] = []
    with target(streams(2, 0.02)) as server:
        client = Client(server.address, LIMITS)
        began_s = time.perf_counter()
        run_loop(
            client,
            LoopPlan("x", 2, 0.5, 1),
            TRAFFIC,
            WorkloadOptions(),
            lambda share, _: seen.append((share, threading.current_thread().name)),
        )
    assert time.perf_counter() - began_s < 3.0
    shares = [share for share, _ in seen]
    assert shares == sorted(shares)
    assert 0.0 <= shares[0] < shares[-1] <= 1.0
    assert {name for _, name in seen} == {threading.current_thread().name}
