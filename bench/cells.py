"""Cells of tables and the table itself: plain text, the same for the terminal, Markdown and HTML."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bench.metrics import Estimate
from bench.summary import Spread

NOTHING = "–"

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A title, column heads and rows of cells; a note stands below."""

    title: str
    head: Row
    rows: tuple[Row, ...]
    note: str = ""


def ms(estimate: Estimate | None, with_interval: bool = True) -> str:
    """Milliseconds with the interval, to three figures or so: ``52 (48–60)``."""
    return cell(estimate, 1.0, with_interval)


def cell(estimate: Estimate | None, unit: float = 1.0, with_interval: bool = True) -> str:
    """A value in a unit, with the interval; a dash if there is none."""
    if estimate is None:
        return NOTHING
    text = number(estimate.value / unit)
    if not with_interval or estimate.low is None or estimate.high is None:
        return text
    return f"{text} ({number(estimate.low / unit)}–{number(estimate.high / unit)})"


def number(value: float) -> str:
    """Three significant figures below a thousand, none after the point above a hundred."""
    size = abs(value)
    return f"{value:.2f}" if size < 10 else f"{value:.1f}" if size < 100 else f"{value:,.0f}"


def spread(values: Spread) -> Iterable[str]:
    """Three cells; the interval stands at the median."""
    return (ms(values.p50), ms(values.p90, with_interval=False), ms(values.p99, with_interval=False))
