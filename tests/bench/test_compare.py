"""Comparisons: quiet between equals, sure about a slowdown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.compare import LATENCIES, compare
from bench.errors import ResultFileError
from bench.metrics import Timeline
from bench.records import Outcome
from bench.workload import WorkloadOptions
from tests.bench.samples import MACHINE, loop, record, result, simulated


def test_twenty_comparisons_of_equals_raise_at_most_one_alarm() -> None:
    alarms = sum(compare(simulated(2 * n), simulated(2 * n + 1), 0.05).is_worse for n in range(20))
    assert alarms <= 1


def test_ten_percent_slower_is_found_in_nineteen_of_twenty() -> None:
    found = sum(compare(simulated(2 * n), simulated(2 * n + 1, slowdown=1.1), 0.05).is_worse for n in range(20))
    assert found >= 19


def test_faster_is_not_worse() -> None:
    assert not compare(simulated(1), simulated(2, slowdown=0.8), 0.05).is_worse


def test_figures_of_a_comparison() -> None:
    before = result([loop(2, [record(n, 100.0) for n in range(10)])])
    after = result([loop(2, [record(n, 150.0) for n in range(10)]), loop(4, [])])
    comparison = compare(before, after, 0.05)
    assert len(comparison.changes) == len(LATENCIES) + 1
    ttft = comparison.changes[0]
    assert (ttft.figure, ttft.before_ms, ttft.after_ms, ttft.is_worse) == ("TTFT p50", 100.0, 150.0, True)
    assert ttft.change == pytest.approx(0.5)
    assert (ttft.low, ttft.high) == (pytest.approx(0.5), pytest.approx(0.5))
    tpot = comparison.changes[2]
    assert (tpot.figure, tpot.is_worse) == ("TPOT p50", False)
    per_token = comparison.changes[-1]
    assert (per_token.before_ms, per_token.after_ms) == (pytest.approx(240 / 8 / 2), pytest.approx(290 / 8 / 2))


def test_a_change_below_the_share_is_not_worse() -> None:
    before = result([loop(1, [record(n, 100.0) for n in range(10)])])
    after = result([loop(1, [record(n, 104.0) for n in range(10)])])
    assert not compare(before, after, 0.05).is_worse
    assert compare(before, after, 0.03).is_worse


def test_answering_less_is_worse() -> None:
    good = [record(n, 100.0) for n in range(10)]
    lost = [replace(r, outcome=Outcome.FAILED, timeline=Timeline((), 5.0, 0)) for r in good[:5]]
    comparison = compare(result([loop(1, good)]), result([loop(1, [*good[5:], *lost])]), 0.05)
    assert comparison.is_worse
    assert comparison.losses == ("closed-1: B answered 50% of the requests, A 100%",)


def test_nothing_answered_at_all_is_worse() -> None:
    good = [record(n, 100.0) for n in range(4)]
    lost = [replace(r, outcome=Outcome.FAILED, timeline=Timeline((), 5.0, 0)) for r in good]
    assert compare(result([loop(1, good)]), result([loop(1, lost)]), 0.05).is_worse


def test_other_traffic_is_not_comparable() -> None:
    before = simulated(1)
    after = replace(before, traffic=replace(before.traffic, options=WorkloadOptions(seed=2)))
    with pytest.raises(ResultFileError, match="different traffic"):
        compare(before, after, 0.05)
    with pytest.raises(ResultFileError, match="no loop in common"):
        compare(before, result([]), 0.05)


def test_differences_are_noted() -> None:
    before = simulated(1)
    after = replace(before, machine=replace(MACHINE, cpu="other"), aborted="closed-8: gone")
    notes = compare(before, after, 0.05).notes
    assert notes == ("the machines differ", "B ended early: closed-8: gone")
