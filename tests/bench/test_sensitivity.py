"""A comparison seldom alarms between equals, and finds ten percent: on stored noise, and on running servers."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from pydantic import TypeAdapter

from bench.client import Client
from bench.compare import compare
from bench.loop import run_loop
from bench.metrics import Timeline
from bench.plans import LoopPlan
from bench.process import ROOT, RunningServer, serve_command
from bench.records import LoopResult, Record
from bench.wire import Limits
from bench.workload import WorkloadOptions, load_traffic
from tests.bench.samples import result
from tests.paths import DEMO

COMPARISONS, SHARE = 20, 0.05
STORED = ROOT / "bench" / "results" / "demo-quick.json"

#: Conversations that were asked one after the other stay together: the machine's noise lasts longer than one.
NEIGHBOURS = 3


def stored_loops() -> tuple[LoopResult, ...]:
    """The closed loops of a measurement of the demo bundle."""
    loops = TypeAdapter(tuple[LoopResult, ...]).validate_python(json.loads(STORED.read_text("utf-8"))["loops"])
    return tuple(loop for loop in loops if loop.plan.kind == "closed")


def slower(record: Record, factor: float) -> Record:
    """The same request with all times longer."""
    times = record.timeline
    arrivals = tuple(factor * arrival for arrival in times.arrivals_ms)
    return replace(record, timeline=Timeline(arrivals, factor * times.end_ms, times.tokens))


def resampled(loop: LoopResult, rng: np.random.Generator, factor: float) -> LoopResult:
    """As many conversations, drawn in runs of neighbours from the measured ones, renumbered by their place."""
    talks: dict[int, list[Record]] = {}
    for record in loop.records:
        talks.setdefault(record.conversation, []).append(record)
    measured = list(talks.values())
    starts = rng.integers(0, len(measured), -(-len(measured) // NEIGHBOURS))
    drawn = [measured[(start + step) % len(measured)] for start in starts for step in range(NEIGHBOURS)]
    records = [
        slower(replace(record, conversation=place), factor)
        for place, talk in enumerate(drawn[: len(measured)])
        for record in talk
    ]
    return replace(loop, records=tuple(records))


def alarms(loops: Sequence[LoopResult], factor: float) -> int:
    """Of twenty comparisons of independent resamples, how many say that B, times ``factor``, is worse."""
    found = 0
    for number in range(COMPARISONS):
        rng = np.random.default_rng(number)
        sides = [result([resampled(loop, rng, by) for loop in loops]) for by in (1.0, factor)]
        found += compare(sides[0], sides[1], SHARE).is_worse
    return found


def test_stored_noise_raises_at_most_one_alarm_in_twenty() -> None:
    assert alarms(stored_loops(), 1.0) <= 1


def test_ten_percent_is_found_in_stored_noise() -> None:
    assert alarms(stored_loops(), 1.1) >= 19


#: Short loops of A and B in turn, so that what happens to the machine happens to both.
ROUNDS, REQUESTS, CHATS, TOKENS = 4, 20, 1, 64


def command(*start: str) -> list[str]:
    """Serve the demo bundle on a free port, nothing kept on disk."""
    serve = ["serve", "--bundle", str(DEMO), "--host", "127.0.0.1", "--port", "0", "--cache-disk-mib", "0"]
    return [sys.executable, "-m", *start, *serve, "--threads", "1"]


def interleaved(servers: Sequence[RunningServer], number: int) -> list[LoopResult]:
    """One loop for each server, measured in rounds by turns, each round with conversations of its own."""
    traffic, workload = load_traffic(), WorkloadOptions(seed=number, max_tokens=TOKENS)
    clients = [Client(server.address, Limits()) for server in servers]
    kept: list[list[Record]] = [[] for _ in servers]
    for turn in range(ROUNDS):
        plan = LoopPlan(f"closed-{CHATS}/{turn}", CHATS, 0.0, REQUESTS)
        order = range(len(servers)) if turn % 2 == 0 else reversed(range(len(servers)))
        for place in order:
            loop = run_loop(clients[place], plan, traffic, workload, lambda share, requests: None)
            assert not loop.aborted
            kept[place] += [replace(r, conversation=REQUESTS * turn + r.conversation) for r in loop.records]
    plan = LoopPlan(f"closed-{CHATS}", CHATS, 0.0, ROUNDS * REQUESTS)
    return [LoopResult(plan, 0.0, tuple(records)) for records in kept]


def found_on_servers(share: float) -> int:
    """Of twenty comparisons of two running servers, one of which sleeps for that share, how many say that it is worse.

    Both are started by the same launcher, so that nothing but the sleep is different.
    """
    starts = [command("tests.bench.slowed", str(each)) for each in (0.0, share)]
    with serve_command(starts[0]) as first, serve_command(starts[1]) as second:
        interleaved((first, second), COMPARISONS)  # warm
        found = 0
        for number in range(COMPARISONS):
            a, b = interleaved((first, second), number)
            found += compare(result([a]), result([b]), SHARE).is_worse
        return found


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not (DEMO / "manifest.json").is_file(), reason="the demo bundle is not built; run `make demo`")
def test_equal_servers_raise_at_most_one_alarm_in_twenty() -> None:
    assert found_on_servers(0.0) <= 1


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.skipif(not (DEMO / "manifest.json").is_file(), reason="the demo bundle is not built; run `make demo`")
def test_a_server_that_sleeps_ten_percent_is_found_in_nineteen_of_twenty() -> None:
    assert found_on_servers(0.1) >= 19
