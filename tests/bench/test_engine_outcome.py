"""From turns to promises: ratios by round, limits in their direction, what is missing, and the file that keeps it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench import markdown
from bench.engine.figures import DEFAULT, FULL, OURS, PROMISES, TUNED, Figure, Scenario
from bench.engine.outcome import cached_share, prompts_differ, rows
from bench.engine.result import SCHEMA, EngineResult, SideInfo, from_json, read_engine_result, to_json
from bench.engine.tables import caveats, engine_tables, sentence
from bench.engine.turn import Turn
from bench.errors import ResultFileError
from bench.noise import Noise
from tests.bench.samples import MACHINE, QUIET


def turn(number: int, side: str, figures: dict[Figure, float], **more: object) -> Turn:
    nothing: dict[str, object] = {"ttft_ms": {}, "prompt_tokens": {}, "cached_tokens": {}, "faults": {}, "took_s": 1.0}
    return Turn(number, side, figures, **{**nothing, **more})  # type: ignore[arg-type]


def result(*turns: Turn, scenarios: tuple[Scenario, ...] = (Scenario.DECODE, Scenario.NEW)) -> EngineResult:
    names = dict.fromkeys((OURS, *(one.side for one in turns)))
    sides = tuple(SideInfo(name, f"start {name}", "b1", ("two threads",), {"cached_tokens": 7.0}) for name in names)
    return EngineResult(
        *(
            SCHEMA,
            "2026-01-01T00:00:00+00:00",
            MACHINE,
            Noise(QUIET, QUIET),
            "x.gguf",
            "ab" * 32,
            1_000_000,
            2,
            4608,
            1,
        ),
        *(FULL, "cd" * 32, scenarios, sides, turns),
    )


def both(rounds: list[tuple[float, float]], figure: Figure = Figure.NEW) -> EngineResult:
    turns = [
        turn(number, side, {figure: value})
        for number, values in enumerate(rounds, 1)
        for side, value in zip((OURS, DEFAULT), values, strict=True)
    ]
    scenario = next(promise.scenario for promise in PROMISES if promise.figure is figure)
    return result(*turns, scenarios=(scenario,))


def test_ratio_is_taken_round_by_round() -> None:
    (row,) = rows(both([(100.0, 1000.0), (300.0, 1000.0), (200.0, 4000.0)]))
    assert row.ratio is not None
    assert row.ours is not None
    assert (row.ratio.low, row.ratio.median, row.ratio.high) == (0.05, 0.1, 0.3)
    assert (row.ours.low, row.ours.median, row.ours.high) == (100.0, 200.0, 300.0)


@pytest.mark.parametrize(("ours", "kept"), [(249.0, True), (250.0, True), (251.0, False)])
def test_a_wait_has_to_stay_below_its_limit(ours: float, kept: bool) -> None:
    assert rows(both([(ours, 1000.0)]))[0].kept is kept


@pytest.mark.parametrize(("ours", "kept"), [(20.0, True), (19.4, True), (19.3, False)])
def test_a_rate_has_to_reach_its_limit(ours: float, kept: bool) -> None:
    assert rows(both([(ours, 20.0)], Figure.DECODE_RATE))[0].kept is kept


def test_a_missing_figure_keeps_no_promise() -> None:
    found = rows(result(turn(1, OURS, {}), turn(1, DEFAULT, {Figure.NEW: 5.0}), scenarios=(Scenario.NEW,)))
    assert [(row.ratio, row.kept) for row in found] == [(None, False)]


def test_peers_have_limits_of_their_own() -> None:
    figures = {Figure.NEW: 900.0}
    turns = (turn(1, OURS, figures), turn(1, DEFAULT, {Figure.NEW: 1000.0}), turn(1, TUNED, {Figure.NEW: 1000.0}))
    assert [(row.peer, row.kept) for row in rows(result(*turns, scenarios=(Scenario.NEW,)))] == [
        (DEFAULT, False),
        (TUNED, True),
    ]


def test_restart_is_compared_with_our_own_warm_answer() -> None:
    ours = turn(1, OURS, {Figure.NEW: 100.0, Figure.RESTART: 151.0})
    (row,) = rows(result(ours, scenarios=(Scenario.RESTART,)))
    assert row.ratio is not None
    assert (row.ratio.median, row.limit, row.kept) == (1.51, 1.5, False)


@pytest.mark.parametrize(("share", "kept"), [(0.03, True), (0.031, False)])
def test_share_of_python_has_a_limit_of_its_own(share: float, kept: bool) -> None:
    found = rows(result(turn(1, OURS, {Figure.PYTHON_SHARE: share}), scenarios=(Scenario.DECODE,)))
    assert [(row.label, row.kept) for row in found] == [("Python's share of a decode step", kept)]


def test_every_figure_but_those_of_ours_alone_has_a_promise() -> None:
    assert {promise.figure for promise in PROMISES} == set(Figure) - {Figure.RESTART, Figure.PYTHON_SHARE}
    assert all(set(promise.limits) == {DEFAULT, TUNED} for promise in PROMISES)


def test_unlike_prompts_are_a_caveat() -> None:
    def counts(side: str, tokens: float) -> Turn:
        return turn(1, side, {}, prompt_tokens={Scenario.NEW: tokens}, cached_tokens={Scenario.NEW: tokens / 2})

    assert prompts_differ(result(counts(OURS, 370.0), counts(DEFAULT, 371.0))) == ()
    uneven = result(counts(OURS, 370.0), counts(DEFAULT, 400.0))
    assert "ours 370, default 400" in prompts_differ(uneven)[0]
    assert cached_share(uneven, DEFAULT, Scenario.NEW) == 0.5
    assert cached_share(uneven, DEFAULT, Scenario.GAP) is None


def test_report_names_what_was_not_kept_and_what_failed() -> None:
    measured = both([(100.0, 1000.0), (900.0, 1000.0)])
    failed = replace(measured.turns[0], faults={Scenario.GAP: "broken: the | stream"})
    measured = replace(measured, turns=(failed, *measured.turns[1:]))
    assert "not kept: one new chat" in sentence(measured)
    assert [text for text in caveats(measured) if "gap: broken" in text]
    assert [text for text in caveats(measured) if "Only 2 rounds" in text]
    page = markdown.engine_markdown(measured)
    assert "| one new chat, TTFT p50 (s) | default | 0.50 (0.10–0.90) | 1.00 | 0.50 (0.10–0.90) | ≤ 0.25 | NO |" in page
    assert "broken: the \\| stream" in page
    assert "two threads" in page


def test_without_a_peer_our_figures_stand_alone() -> None:
    alone = result(turn(1, OURS, {Figure.NEW: 500.0}), scenarios=(Scenario.NEW,))
    assert "Nothing was compared" in sentence(alone)
    assert ("one new chat, TTFT p50 (s)", "0.50") in [row for table in engine_tables(alone) for row in table.rows]


def test_file_keeps_everything(tmp_path: Path) -> None:
    more = {"ttft_ms": {Scenario.NEW: (1.5, 2.5)}, "faults": {Scenario.GAP: "x"}}
    measured = result(turn(1, OURS, {Figure.NEW: 2.0}, **more), turn(1, DEFAULT, {Figure.NEW: 4.0}))
    path = tmp_path / "x.json"
    path.write_text(to_json(measured, {"rows": []}), encoding="utf-8")
    assert read_engine_result(path) == measured


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"engine_schema": 99}, "engine_schema 99, this version reads 1"),
        ({"threads": "two"}, r"x: \$\.threads"),
        ({"turns": [{}]}, r"x: \$\.turns\[0\]"),
    ],
)
def test_file_of_another_form_is_refused(change: dict[str, object], says: str) -> None:
    raw = {**json.loads(to_json(result(), {})), **change}
    with pytest.raises(ResultFileError, match=says):
        from_json(json.dumps(raw), "x")


def test_page_has_a_section_for_each_engine_result(tmp_path: Path) -> None:
    (tmp_path / "engine").mkdir()
    (tmp_path / "engine" / "box.json").write_text(to_json(both([(1.0, 2.0)]), {}), encoding="utf-8")
    assert "## Engine: box" in markdown.results_page(tmp_path)
