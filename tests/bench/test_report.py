"""Reports: every figure is there, odd text does no harm, and the published page is the stored JSON's."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from bench import markdown
from bench.cells import NOTHING, ms, number
from bench.compare import compare
from bench.metrics import Estimate
from bench.report import show_comparison, show_report
from bench.result import Result, to_json
from bench.summary import summarise
from bench.verdict import judge
from tests.bench.samples import loop, record, result, simulated


def terminal(measured: Result) -> str:
    console = Console(file=io.StringIO(), width=140)
    summary = summarise(measured)
    show_report(console, measured, summary, judge(measured, summary))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def in_markdown(measured: Result) -> str:
    summary = summarise(measured)
    return markdown.report_markdown(measured, summary, judge(measured, summary))


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0.00"), (1.234, "1.23"), (12.34, "12.3"), (123.4, "123"), (12345.6, "12,346"), (-4.0, "-4.00")],
)
def test_numbers(value: float, shown: str) -> None:
    assert number(value) == shown


def test_estimates() -> None:
    assert ms(None) == NOTHING
    assert ms(Estimate(50.0, None, None, 1)) == "50.0"
    assert ms(Estimate(50.0, 40.0, 60.0, 9)) == "50.0 (40.0–60.0)"


def test_terminal_report_holds_every_part() -> None:
    text = terminal(simulated(1))
    for part in (
        "Some | <CPU>",
        "avx2",
        "quick, seed 1, 64 tokens an answer",
        "state ready, threads 2",
        "model.gguf abababababab",
        "quiet (drift +0.0%)",
        "TTFT p90",
        "prefix-cached",
        "blocked (of 8 attacks)",
        "guard_in",
        "Guards take 10.0% of an answer's time",
        "1 of 2 answers of /api/query were computed",
        "8 words",
        "123 MiB",
        "A/A: E2E p50",
        "Serves 4 customers at once",
    ):
        assert part in text, part


def test_momentary_state_is_no_setting() -> None:
    assert "running" not in terminal(simulated(1))


def test_report_of_a_run_that_measured_nothing() -> None:
    text = terminal(result([], attacks=None, usage=None, aborted="closed-1: gone"))
    assert "Does not serve even one customer" in text
    assert "closed-1: gone" in text


def test_markdown_and_terminal_have_the_same_figures() -> None:
    measured = simulated(2)
    page, text = in_markdown(measured), terminal(measured)
    p50 = summarise(measured).loops[0].ttft_ms.p50
    assert p50 is not None
    assert number(p50.value) in page
    assert number(p50.value) in text


def test_text_of_a_target_cannot_break_the_page() -> None:
    page = in_markdown(result([loop(1, [record(0, 1.0)])]))
    assert "Some \\| &lt;CPU>" in page
    for line in page.splitlines():
        if line.startswith("| processor"):
            assert line.replace("\\|", "").count("|") == 3


def test_page_of_no_results(tmp_path: Path) -> None:
    assert "No result is stored yet" in markdown.results_page(tmp_path)


def test_page_of_two_results(tmp_path: Path) -> None:
    for name, seed in (("b-box", 1), ("a-box", 2)):
        (tmp_path / f"{name}.json").write_text(to_json(simulated(seed), {}))
    page = markdown.results_page(tmp_path)
    assert 0 < page.index("## a-box") < page.index("## b-box")
    assert page == markdown.results_page(tmp_path)


def test_published_page_is_made_from_the_stored_files() -> None:
    assert markdown.PAGE.read_text(encoding="utf-8") == markdown.results_page(), "run `python -m bench report --update`"


def test_comparison_is_shown() -> None:
    console = Console(file=io.StringIO(), width=140)
    show_comparison(console, compare(simulated(1), simulated(2, slowdown=1.3), 0.05))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "WORSE" in text
    assert "B is worse than A." in text
