"""A soak as tables."""

from __future__ import annotations

from bench.cells import Row, Table, number
from bench.soak.judge import Verdict


def soak_tables(verdict: Verdict) -> tuple[Table, ...]:
    """What was watched, and what became of the requests."""
    rows: tuple[Row, ...] = tuple(
        (
            found.name,
            str(found.trend.points),
            number(found.trend.level),
            f"{found.trend.slope:+.3g} ({found.trend.low:+.3g} to {found.trend.high:+.3g})",
            f"{found.bound_per_h:.3g}",
            f"{found.trend.p_value:.2g}",
            "TOO MUCH" if found.is_bad else "",
        )
        for found in verdict.findings
    )
    head = ("watched", "windows", "median", "change an hour", "tolerated", "Kendall's p", "")
    note = "After the warm-up. In brackets: 95 % interval of Theil's and Sen's slope."
    counts = tuple((name, f"{count:,}") for name, count in verdict.requests.items())
    tables = (Table("Leaks and drift", head, rows, note), Table("Requests", ("", ""), counts))
    return tuple(table for table in tables if table.rows)
