"""The figures of the README: made from the stored results and put between two marks, so that none is typed by hand."""

from __future__ import annotations

from pathlib import Path

from bench.cells import NOTHING, Row, Table, number
from bench.engine.figures import OURS
from bench.engine.outcome import Row as Promise
from bench.engine.outcome import rows
from bench.engine.result import EngineResult, read_engine_result
from bench.engine.tables import sentence
from bench.errors import ResultFileError
from bench.machine import Machine
from bench.markdown import FOLDER, markdown_table
from bench.metrics import Estimate
from bench.result import Result, read_result
from bench.summary import LoopSummary, summarise
from bench.verdict import judge

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"

_RUN_HEAD = (
    *("run", "machine", "customers at once", "first token alone, p50 / p90", "first token at that load, p50 / p90"),
    *("tokens/s together", "peak memory"),
)


def figures_block(folder: Path = FOLDER) -> str:
    """What stands between the marks: a row for each stored run, and each stored comparison of engines.

    Args:
        folder: of results of ``run``; those of ``engine`` lie in ``engine`` in it.

    Raises:
        ResultFileError: a file is not a result; it is named.
    """
    found = tuple(_run_row(path.stem, read_result(path)) for path in sorted(folder.glob("*.json")))
    note = "Promised is p90 of the first token. Intervals, settings and caveats: bench/RESULTS.md."
    runs = markdown_table(Table("Customers at once", _RUN_HEAD, found, note)) if found else "\nNo run is stored yet.\n"
    engines = "".join(
        _engine(path.stem, read_engine_result(path)) for path in sorted((folder / "engine").glob("*.json"))
    )
    return f"{runs}{engines}\n"


def with_figures(text: str, folder: Path = FOLDER) -> str:
    """A README with its figures renewed; what stands outside the marks is untouched.

    Raises:
        ResultFileError: the two marks are not each there once, in order; or as ``figures_block``.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        counts = f"{text.count(BEGIN)} and {text.count(END)} times"
        raise ResultFileError(
            f"the README has the marks {BEGIN} and {END} {counts}; expected each once, in this order: put them back "
            "where the figures belong"
        )
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}\n{figures_block(folder)}{END}{rest.split(END)[1]}"


def _run_row(name: str, result: Result) -> Row:
    summary = summarise(result)
    verdict = judge(result, summary)
    closed = [found for loop, found in zip(result.loops, summary.loops, strict=True) if loop.plan.kind == "closed"]
    held = next((loop for loop in closed if loop.chats == verdict.customers), None)
    usage = result.usage
    return (
        name,
        _machine(result.machine),
        f"{verdict.customers} ({result.slo_ttft_s:g} s promised)",
        _waiting(closed[0]) if closed else NOTHING,
        _waiting(held) if held else NOTHING,
        number(held.together.value) if held and held.together else NOTHING,
        f"{usage.peak_rss_bytes / 2**20:,.0f} MiB" if usage else NOTHING,
    )


def _machine(machine: Machine) -> str:
    return f"{machine.cpu or machine.board}, {machine.usable_cpus} CPUs, {machine.ram_bytes / 2**30:.0f} GiB"


def _waiting(loop: LoopSummary) -> str:
    return f"{_seconds(loop.ttft_ms.p50)} / {_seconds(loop.ttft_ms.p90)} s"


def _seconds(estimate: Estimate | None) -> str:
    return NOTHING if estimate is None else f"{estimate.value / 1000.0:.2f}"


def _engine(name: str, result: EngineResult) -> str:
    """A row for each figure, a column for each peer; what missed its promise says so."""
    sides = {side.name for side in result.sides}
    found = [row for row in rows(result) if row.peer in sides - {OURS}]
    peers = tuple(dict.fromkeys(row.peer for row in found))
    if not found:
        return ""
    by_figure: dict[str, dict[str, Promise]] = {}
    for row in found:
        by_figure.setdefault(f"{row.label} ({row.unit})", {})[row.peer] = row
    cells = tuple(
        (label, _middle(next(iter(each.values()))), *(_against(each.get(peer)) for peer in peers))
        for label, each in by_figure.items()
    )
    note = f"{sentence(result)} {_machine(result.machine)}, {result.threads} threads, {result.model_name}."
    return markdown_table(Table(f"Engine against its peers: {name}", ("figure", "ours", *peers), cells, note))


def _middle(row: Promise) -> str:
    return NOTHING if row.ours is None else number(row.ours.median / row.scale)


def _against(row: Promise | None) -> str:
    if row is None or row.theirs is None or row.ratio is None:
        return NOTHING
    missed = "" if row.kept else f", promised {'≥' if row.at_least else '≤'} {row.limit:.2f}"
    return f"{number(row.theirs.median / row.scale)} (ours is {row.ratio.median:.2f} of it{missed})"
