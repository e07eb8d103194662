"""Cumulative distributions: which share of the answers had begun, and had ended, after how long."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, PercentFormatter

from bench.metrics import quantile
from bench.page.canvas import PROMISE, Plot, listed, look, milliseconds, panels, plot, style
from bench.records import LoopResult
from bench.result import Result
from bench.summary import Values, answered, e2e_ms, ttft_ms

TITLE = "How long customers wait"

_PANELS: tuple[tuple[str, Values, str], ...] = (
    ("Time to first token", ttft_ms, "TTFT"),
    ("Whole answer", e2e_ms, "end to end"),
)


def distribution_plot(result: Result) -> Plot | None:
    """A line per loop, the promise marked, closed loops above the others; None if nothing was answered."""
    loops = [loop for loop in result.loops if answered(loop)]
    rows = [
        (where, [loop for loop in loops if (loop.plan.kind == "closed") == is_closed])
        for where, is_closed in (("asking again when answered", True), ("arriving by themselves", False))
    ]
    rows = [(where, chosen) for where, chosen in rows if chosen]
    if not rows:
        return None
    with style():
        figure, grid = panels(len(rows), len(_PANELS), 3.4, sharey="row", sharex="col")
        for (where, chosen), axes_row in zip(rows, grid, strict=True):
            for axes, (title, values, _) in zip(axes_row, _PANELS, strict=True):
                for place, loop in enumerate(chosen):
                    _line(axes, place, loop, values)
                _frame(axes, f"{title}, {where}")
            axes_row[0].set_ylabel("share of answers")
            axes_row[-1].legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
            _promise(axes_row[0], result.slo_ttft_s)
        return plot(figure, "waiting", TITLE, _words(loops), _note(result.slo_ttft_s))


def _promise(axes: Axes, slo_s: float) -> None:
    """A cross: lines that pass above and to the left of it keep the promise."""
    axes.axvline(slo_s * 1000.0, color=PROMISE, linewidth=1.2)
    axes.axhline(0.9, color=PROMISE, linewidth=0.8, linestyle=":")


def _note(slo_s: float) -> str:
    return (
        f"Answered requests only, on a logarithmic scale. Red: the promise, 90 % of first tokens within {slo_s:g} s; "
        "a line that passes above and left of the crossing keeps it."
    )


def _line(axes: Axes, place: int, loop: LoopResult, values: Values) -> None:
    """Steps from 0 to 1; (answers,) sorted milliseconds."""
    times = np.sort([value for record in answered(loop) for value in values(record)])
    if not len(times):
        return
    colour, dash = look(place)
    shares = np.arange(1, len(times) + 1) / len(times)
    axes.step(
        np.concatenate([times[:1], times]),
        np.concatenate([[0.0], shares]),
        where="post",
        color=colour,
        linestyle=dash,
        label=loop.plan.name,
    )


def _frame(axes: Axes, title: str) -> None:
    axes.set_title(title)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(10.0, subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_ylim(0.0, 1.02)


def short(value_ms: float) -> str:
    """A tick: ``50 ms``, ``2 s``."""
    return f"{value_ms / 1000.0:g} s" if value_ms >= 1000.0 else f"{value_ms:g} ms"


def _words(loops: Sequence[LoopResult]) -> str:
    found = []
    for loop in loops:
        parts = []
        for _, values, name in _PANELS:
            times = [value for record in answered(loop) for value in values(record)]
            if times:
                ends = (milliseconds(quantile(times, q)) for q in (0.5, 0.9))
                parts.append(f"{name} median {next(ends)}, p90 {next(ends)}")
        found.append(f"{loop.plan.name}: {'; '.join(parts)}")
    return listed(found)
