"""The load sweep: what waiting and goodput become as more is asked of the machine, by chats at once and by rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench.metrics import Estimate
from bench.page.canvas import COLOURS, FAINT, PROMISE, Plot, listed, milliseconds, panels, plot, style
from bench.page.distributions import short
from bench.records import LoopResult
from bench.result import Result
from bench.summary import LoopSummary, Summary

TITLE = "What more load does"


@dataclass(frozen=True, slots=True)
class Sweep:
    """Loops that differ in load alone.

    Attributes:
        title: of the column.
        unit: of the load, on the axis.
        loads: rising.
        loops: (loads,) their figures.
        answers_per_s: (loads,) of the whole loop, its draining included.
        goodput_per_s: (loads,) of these, with the first token within the promise.
        offered_per_s: (loads,) arrivals whatever the server does; empty where customers wait for their answers.
    """

    title: str
    unit: str
    loads: tuple[float, ...]
    loops: tuple[LoopSummary, ...]
    answers_per_s: tuple[float, ...]
    goodput_per_s: tuple[float, ...]
    offered_per_s: tuple[float, ...]


def sweeps(result: Result, summary: Summary) -> tuple[Sweep, ...]:
    """The closed and the open loops of a run, each by rising load; those without loops are left out."""
    pairs = list(zip(result.loops, summary.loops, strict=True))
    closed = [(float(loop.plan.chats), loop, figures) for loop, figures in pairs if loop.plan.kind == "closed"]
    opened = [(loop.plan.rate_per_s or 0.0, loop, figures) for loop, figures in pairs if loop.plan.kind == "open"]
    found = (
        _sweep("Customers who ask again when answered", "chats at once", closed, is_offered=False),
        _sweep("Customers who arrive by themselves", "offered requests a second", opened, is_offered=True),
    )
    return tuple(sweep for sweep in found if sweep.loads)


def _sweep(title: str, unit: str, rows: list[tuple[float, LoopResult, LoopSummary]], is_offered: bool) -> Sweep:
    rows = sorted(rows, key=lambda row: row[0])
    loads = tuple(load for load, _, _ in rows)
    return Sweep(
        title,
        unit,
        loads,
        loops=tuple(figures for _, _, figures in rows),
        answers_per_s=tuple(figures.answered / loop.wall_s if loop.wall_s else 0.0 for _, loop, figures in rows),
        goodput_per_s=tuple(figures.goodput_per_s for _, _, figures in rows),
        offered_per_s=loads if is_offered else (),
    )


def sweep_plot(result: Result, summary: Summary) -> Plot | None:
    """Waiting above, goodput below, a column for each sweep; None if there is no loop at all."""
    found = sweeps(result, summary)
    if not found:
        return None
    with style():
        figure, (above, below) = panels(2, len(found), 2.9, sharey="row", sharex="col")
        for sweep, waiting, goodput in zip(found, above, below, strict=True):
            _waiting(waiting, sweep, result.slo_ttft_s)
            _goodput(goodput, sweep)
        above[0].set_ylabel("time to first token")
        below[0].set_ylabel("answers a second")
        above[0].legend(loc="best")
        (below[1] if len(found) > 1 else below[0]).legend(loc="best")
        return plot(figure, "sweep", TITLE, _words(found), _NOTE)


_NOTE = (
    "Bars: 95 % bootstrap interval. Goodput counts only answers whose first token came within the promise; what lies "
    "between it and all answers came too late."
)


def _waiting(axes: Axes, sweep: Sweep, slo_s: float) -> None:
    for place, (name, mark) in enumerate((("p50", "o"), ("p90", "s"))):
        estimates = [getattr(loop.ttft_ms, name) for loop in sweep.loops]
        points = [(load, found) for load, found in zip(sweep.loads, estimates, strict=True) if found is not None]
        axes.errorbar(
            [load for load, _ in points],
            [found.value for _, found in points],
            yerr=_whiskers([found for _, found in points]),
            marker=mark,
            color=COLOURS[place],
            capsize=3.0,
            elinewidth=1.0,
            label=f"TTFT {name}",
        )
    axes.axhline(slo_s * 1000.0, color=PROMISE, linewidth=1.2, label=f"promise for p90: {slo_s:g} s")
    axes.set_title(sweep.title)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(10.0, subs=(1.0, 2.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _whiskers(estimates: Sequence[Estimate]) -> list[list[float]]:
    """(2, estimates) how far the interval reaches below and above; 0 where there is none."""
    below = [found.value - found.low if found.low is not None else 0.0 for found in estimates]
    above = [found.high - found.value if found.high is not None else 0.0 for found in estimates]
    return [[max(0.0, size) for size in side] for side in (below, above)]


def _goodput(axes: Axes, sweep: Sweep) -> None:
    if sweep.offered_per_s:
        axes.plot(sweep.loads, sweep.offered_per_s, color=FAINT, linestyle=":", label="offered")
    axes.plot(
        sweep.loads,
        sweep.answers_per_s,
        color=COLOURS[4],
        marker="^",
        markersize=9.0,
        linestyle="--",
        label="all answers",
    )
    axes.plot(sweep.loads, sweep.goodput_per_s, color=COLOURS[2], marker="o", label="goodput")
    axes.set_xlabel(sweep.unit)
    axes.set_xticks(sweep.loads, [f"{load:g}" for load in sweep.loads])
    axes.set_ylim(bottom=0.0)


def _words(found: Sequence[Sweep]) -> str:
    parts = []
    for sweep in found:
        for load, loop, good in zip(sweep.loads, sweep.loops, sweep.goodput_per_s, strict=True):
            p90 = loop.ttft_ms.p90
            waiting = f"TTFT p90 {milliseconds(p90.value)}" if p90 is not None else "nothing answered"
            parts.append(f"{load:g} {sweep.unit}: {waiting}, goodput {good:.2g} answers a second")
    return listed(parts)
