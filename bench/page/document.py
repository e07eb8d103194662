"""The page: everything of a report in one file that opens anywhere, years later, without network or scripts."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bench.cells import Table, number
from bench.result import Result
from bench.summary import Summary
from bench.tables import report_tables
from bench.verdict import Verdict

FOLDER = Path(__file__).parent

#: Nothing may be fetched, run or sent; only the page's own style and the drawings' style attributes count.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def html_page(result: Result, summary: Summary, verdict: Verdict) -> str:
    """A run's report as HTML 5.

    Args:
        result: what was measured.
        summary: its figures.
        verdict: what they say.

    Returns:
        The whole text; the same arguments always give the same.
    """
    from bench.page.plots import report_plots  # matplotlib takes a second to import, and only this page needs it

    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    tables = report_tables(result, summary)
    return environment.get_template("report.html").render(
        policy=POLICY,
        css=Markup((FOLDER / "report.css").read_text(encoding="utf-8")),
        result=result,
        verdict=verdict,
        promise_kept=verdict.customers > 0,
        tiles=_tiles(result, summary, verdict),
        plots=[(drawn, Markup(drawn.svg)) for drawn in report_plots(result, summary)],
        tables=[(table, _is_listing(table)) for table in tables],
    )


def _is_listing(table: Table) -> bool:
    """Whether it is a list of names and values rather than columns of figures."""
    return not any(table.head)


def _tiles(result: Result, summary: Summary, verdict: Verdict) -> list[tuple[str, str, str]]:
    """The few figures that are looked at first: name, value, and what it belongs to."""
    tiles = [("customers at once", str(verdict.customers), f"90 % wait at most {result.slo_ttft_s:g} s")]
    held = next((loop for loop in summary.loops if loop.chats == verdict.customers > 0), None)
    for name, loop in (("alone", summary.loops[0] if summary.loops else None), ("at that load", held)):
        if loop is not None and loop.ttft_ms.p50 is not None:
            tiles.append((f"first token, {name}", _seconds(loop.ttft_ms.p50.value), f"median, {loop.name}"))
    if held is not None and held.together is not None:
        tiles.append(("tokens a second", number(held.together.value), f"all chats of {held.name} together"))
    if summary.carried_per_s is not None:
        tiles.append(("arrivals a second", number(summary.carried_per_s), "the most that keeps the promise"))
    if result.usage is not None:
        tiles.append(("peak memory", f"{result.usage.peak_rss_bytes / 2**20:,.0f} MiB", "resident, server process"))
    if result.target.ready_s is not None:
        tiles.append(("start to ready", _seconds(1000.0 * result.target.ready_s), "all files verified"))
    return tiles


def _seconds(value_ms: float) -> str:
    return f"{value_ms / 1000.0:.2f} s" if value_ms >= 1000.0 else f"{number(value_ms)} ms"
