"""The time line of a burst: a bar for each request, from its arrival over the first token to the last."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from bench.metrics import quantile
from bench.page.canvas import COLOURS, INK, PROMISE, Plot, listed, milliseconds, panels, plot, style
from bench.records import LoopResult, Outcome, Record
from bench.result import Result

TITLE = "A burst, request by request"

#: More bars than these could not be told apart.
MOST = 48

_WAITING, _SPEAKING = "#c9d3db", COLOURS[4]
_MARKS = {Outcome.BLOCKED: ("D", COLOURS[3]), Outcome.REFUSED: ("v", COLOURS[1]), Outcome.FAILED: ("X", PROMISE)}


def burst_loop(result: Result) -> LoopResult | None:
    """The loop that shows best how requests wait for each other: the first burst, else the one with most chats."""
    filled = [loop for loop in result.loops if loop.records]
    bursts = [loop for loop in filled if loop.plan.kind == "burst"]
    if bursts:
        return bursts[0]
    return max(filled, key=lambda loop: loop.plan.chats, default=None)


def burst_plot(result: Result) -> Plot | None:
    """The first ``MOST`` requests of ``burst_loop``; None if there is none."""
    loop = burst_loop(result)
    if loop is None:
        return None
    records = sorted(loop.records, key=arrived_ms)[:MOST]
    with style():
        figure, ((axes,),) = panels(1, 1, 1.1 + 0.13 * len(records))
        for place, record in enumerate(records, 1):
            _bar(axes, place, record, arrived_ms(records[0]))
        axes.set_xlabel("seconds since the first of them arrived")
        axes.set_ylabel("request")
        axes.set_ylim(len(records) + 0.6, 0.4)
        axes.yaxis.set_major_locator(MaxNLocator(8, integer=True))
        axes.set_xlim(left=0.0)
        axes.grid(axis="y", visible=False)
        _legend(axes, records)
        return plot(figure, "burst", TITLE, _words(loop, records), _note(loop, records))


def arrived_ms(record: Record) -> float:
    """When its customer asked: by the schedule where there is one, whether or not it was sent in time."""
    return record.started_ms if record.scheduled_ms is None else record.scheduled_ms


def _bar(axes: Axes, place: int, record: Record, zero_ms: float) -> None:
    """Waiting, then speaking with a tick a piece; what got no answer ends in its mark."""
    came_s = (arrived_ms(record) - zero_ms) / 1000.0
    sent_s = (record.started_ms - zero_ms) / 1000.0
    end_s = sent_s + record.timeline.end_ms / 1000.0
    pieces_s = [sent_s + moment / 1000.0 for moment in record.timeline.arrivals_ms]
    first_s = pieces_s[0] if pieces_s and record.outcome is Outcome.OK else end_s
    axes.barh(place, first_s - came_s, left=came_s, height=0.7, color=_WAITING)
    if record.outcome in _MARKS:
        mark, colour = _MARKS[record.outcome]
        axes.plot([end_s], [place], marker=mark, color=colour, markersize=5.0, linestyle="")
    else:
        axes.barh(place, end_s - first_s, left=first_s, height=0.7, color=_SPEAKING)
        axes.vlines(pieces_s, place - 0.35, place + 0.35, color=INK, linewidth=0.5)


def _legend(axes: Axes, records: Sequence[Record]) -> None:
    handles: list[Patch | Line2D] = [
        Patch(color=_WAITING, label="waiting"),
        Patch(color=_SPEAKING, label="answering"),
        Line2D([], [], color=INK, linewidth=0.8, marker="|", linestyle="", label="a piece arrives"),
    ]
    for outcome, (mark, colour) in _MARKS.items():
        if any(record.outcome is outcome for record in records):
            handles.append(Line2D([], [], color=colour, marker=mark, linestyle="", label=outcome.value))
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=len(handles), borderaxespad=0.2)


def _note(loop: LoopResult, records: Sequence[Record]) -> str:
    what = "" if loop.plan.kind == "burst" else " This run has no burst: this is its fullest loop."
    some = "" if len(records) == len(loop.records) else f" The first {len(records)} of {len(loop.records)} requests."
    return f"Loop {loop.plan.name}.{some}{what}"


def _words(loop: LoopResult, records: Sequence[Record]) -> str:
    waits = [
        record.started_ms - arrived_ms(record) + record.timeline.arrivals_ms[0]
        for record in records
        if record.timeline.arrivals_ms and record.outcome is Outcome.OK
    ]
    parts = [f"{len(records)} requests of {loop.plan.name}"]
    if waits:
        parts.append(
            f"first token after {milliseconds(min(waits))} at best, {milliseconds(quantile(waits, 0.5))} in the median"
        )
        parts.append(f"and {milliseconds(max(waits))} at worst")
    others = {outcome: sum(record.outcome is outcome for record in records) for outcome in _MARKS}
    parts.extend(f"{count} {outcome.value}" for outcome, count in others.items() if count)
    return listed([", ".join(parts)])
