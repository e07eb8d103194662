"""How long each kind of answer takes to begin: what is not computed twice shows here."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench.page.canvas import COLOURS, Plot, listed, milliseconds, panels, plot, style
from bench.page.distributions import short
from bench.summary import Spread, Summary

TITLE = "Waiting by kind of answer"


def kind_plot(summary: Summary) -> Plot | None:
    """A line from p50 to p99 for each kind, and for blocks; None if there is nothing of either."""
    rows = [(kind.kind, kind.answers, kind.ttft_ms) for kind in summary.kinds]
    if summary.attacks_blocked:
        rows.append(("blocked", summary.attacks_blocked, summary.block_ms))
    rows = [row for row in rows if row[2].p50 is not None]
    if not rows:
        return None
    with style():
        figure, ((axes,),) = panels(1, 1, 1.0 + 0.42 * len(rows))
        for place, (_, _, spread) in enumerate(rows):
            marks = _marks(spread)
            axes.plot([value for _, value in marks], [place] * len(marks), color=COLOURS[0], linewidth=4.0, alpha=0.35)
            for mark, (_, value) in zip("oDs", marks, strict=False):
                axes.plot([value], [place], marker=mark, color=COLOURS[0], linestyle="")
            for name, value in (marks[0], marks[-1]):
                shift, side = (-7, "right") if name == "p50" else (7, "left")
                axes.annotate(
                    f"{name} {milliseconds(value)}",
                    xy=(value, place),
                    xytext=(shift, 0),
                    textcoords="offset points",
                    ha=side,
                    va="center",
                    fontsize=8.0,
                )
        axes.set_xscale("log")
        axes.margins(x=0.18)
        axes.xaxis.set_major_locator(LogLocator(10.0, subs=(1.0, 2.0, 5.0)))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_yticks(range(len(rows)), [f"{name} ({count})" for name, count, _ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.grid(axis="y", visible=False)
        axes.set_xlabel("time to first token (a block: to the end of its answer)")
        return plot(
            figure, "kinds", TITLE, _words(rows), "Circle, diamond, square: p50, p90, p99; in brackets: answers."
        )


def _marks(spread: Spread) -> list[tuple[str, float]]:
    named = (("p50", spread.p50), ("p90", spread.p90), ("p99", spread.p99))
    return [(name, found.value) for name, found in named if found is not None]


def _words(rows: Sequence[tuple[str, int, Spread]]) -> str:
    return listed(
        [
            f"{name}, {count} answers: " + ", ".join(f"{mark} {milliseconds(value)}" for mark, value in _marks(spread))
            for name, count, spread in rows
        ]
    )
