"""Figures and verdicts, from records whose figures are known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.metrics import Timeline
from bench.noise import Noise
from bench.records import Kind, Outcome, Record
from bench.result import Result
from bench.summary import summarise
from bench.verdict import judge
from tests.bench.samples import QUIET, TARGET, loop, record, result


def test_figures_of_one_loop() -> None:
    records = [
        record(0, 100.0),
        record(1, 200.0, kind=Kind.RETURNING, turn=1),
        record(2, 300.0, from_cache=True),
        record(3, 2500.0),
        Record(4, 0, Kind.NEW, 500.0, Outcome.REFUSED, Timeline((), 1.0, 0), error="refused: HTTP 429"),
        record(5, 9.0, tokens=1, outcome=Outcome.BLOCKED),
    ]
    summary = summarise(result([loop(2, records)]))
    figures = summary.loops[0]
    assert (figures.requests, figures.answered, figures.blocked, figures.refused, figures.failed) == (6, 4, 1, 1, 0)
    assert figures.ttft_ms.p50 is not None
    assert (figures.ttft_ms.p50.value, figures.ttft_ms.p50.requests) == (250.0, 4)
    assert figures.itl_ms.p99 is not None
    assert figures.itl_ms.p99.value == pytest.approx(20.0)
    assert figures.tpot_ms.p50 is not None
    assert figures.tpot_ms.p50.value == pytest.approx(20.0)
    assert figures.rate is not None
    assert figures.rate.value == pytest.approx(50.0)
    assert figures.within_slo == 3 / 6
    assert figures.cached_share == 0.5
    assert figures.from_cache == 1
    assert figures.cpu_s_per_answer == 1.0
    seconds = (4 * 0.140 + 0.1 + 0.2 + 0.3 + 2.5) + 0.001 + 0.009
    assert figures.together is not None
    assert figures.together.value == pytest.approx(2 * 4 * 8 / seconds)
    assert [(kind.kind, kind.answers) for kind in summary.kinds] == [
        ("prefix-cached", 3),
        ("answer cache", 1),
    ]


def test_blocks_and_stages() -> None:
    summary = summarise(result([]))
    assert (summary.attacks, summary.attacks_blocked) == (8, 6)
    assert summary.block_ms.p50 is not None
    assert summary.block_ms.p50.value == 3.0
    assert [stage.stage for stage in summary.stages] == ["guard_in", "engine", "guard_out", "total"]
    assert summary.guard_share == pytest.approx(0.10)


def test_nothing_measured_gives_no_figure() -> None:
    summary = summarise(result([loop(1, [])], attacks=None))
    assert summary.loops[0].ttft_ms.p50 is None
    assert summary.loops[0].together is None
    assert summary.loops[0].cpu_s_per_answer is None
    assert (summary.attacks, summary.self_comparison) == (0, None)


def test_self_comparison_straddles_zero_for_equal_halves() -> None:
    same = summarise(result([loop(1, [record(n, 100.0 + n // 2) for n in range(40)])])).self_comparison
    assert same is not None
    assert same.low <= same.difference == 0.0 <= same.high


def verdict_of(*ttfts_ms: float, **changes: object) -> tuple[int, str, tuple[str, ...]]:
    """Of loops of 1, 2, 4 .. chats, each with ten answers of that TTFT."""
    loops = [loop(2**n, [record(k, ttft) for k in range(10)]) for n, ttft in enumerate(ttfts_ms)]
    measured = replace(result(loops), **changes)  # type: ignore[arg-type]
    return judged(measured)


def judged(measured: Result) -> tuple[int, str, tuple[str, ...]]:
    verdict = judge(measured, summarise(measured))
    return verdict.customers, verdict.sentence, verdict.caveats


def test_every_loop_holds() -> None:
    customers, sentence, caveats = verdict_of(100.0, 900.0, 2000.0)
    assert (customers, caveats) == (4, ())
    assert sentence == (
        "Serves 4 customers at once with TTFT p90 <= 2 s on this machine; "
        "the limit was not reached with the loops that were measured."
    )


def test_waiting_is_the_limit() -> None:
    customers, sentence, _ = verdict_of(100.0, 900.0, 2600.0, 100.0)
    assert customers == 2
    assert sentence.endswith(
        "the limit is waiting for the other chats' turn: TTFT p90 is 2.60 s at 4 chats, against 0.10 s alone."
    )


def test_not_even_one() -> None:
    customers, sentence, _ = verdict_of(2100.0, 2600.0)
    assert customers == 0
    assert "not serve even one customer" in sentence
    assert "the limit is reading one prompt (prefill): TTFT p90 is 2.10 s at 1 chat." in sentence


def test_the_promise_is_an_option() -> None:
    assert verdict_of(2100.0, 2600.0, slo_ttft_s=2.5)[0] == 1


@pytest.mark.parametrize(
    ("outcome", "says"),
    [
        (Outcome.REFUSED, "the queue: 1 of 11"),
        (Outcome.FAILED, "failures: 1 of 11"),
        (Outcome.BLOCKED, "the guard: it blocked 1 of 11 ordinary"),
    ],
)
def test_refusals_blocks_and_failures_break_the_promise(outcome: Outcome, says: str) -> None:
    bad = Record(9, 0, Kind.NEW, 0.0, outcome, Timeline((), 1.0, 0), error="x")
    good = [record(n, 100.0) for n in range(10)]
    customers, sentence, _ = judged(result([loop(1, good), loop(2, [*good, bad])]))
    assert customers == 1
    assert f"the limit is {says} requests" in sentence


def test_no_loop_at_all() -> None:
    customers, sentence, caveats = judged(result([], aborted="closed-1: gone"))
    assert customers == 0
    assert "the run ended early" in sentence
    assert "The run ended early: closed-1: gone." in caveats


def test_caveats() -> None:
    _, _, caveats = verdict_of(
        100.0,
        target=replace(TARGET, demonstration=True, is_local=False),
        noise=Noise(replace(QUIET, busy_share=0.4), QUIET),
    )
    assert caveats[0].startswith("The bundle is a demonstration model (7.3 MB), not TinyLlama 1.1B")
    assert "another machine" in caveats[1]
    assert caveats[2] == "Not quiet: other work took 40% of the processors."


def test_a_narrow_verdict_says_so() -> None:
    ttfts = [1000.0] * 44 + [1900.0] * 3 + [2500.0] * 3
    _, sentence, caveats = judged(result([loop(1, [record(n, t) for n, t in enumerate(ttfts)])]))
    assert sentence.startswith("Serves 1 customer at once")
    assert caveats == ("Narrowly: the 95 % interval of TTFT p90 at 1 chat reaches 2.50 s.",)
