"""A report for people at a terminal, drawn with rich."""

from __future__ import annotations

from rich import box
from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.text import Text

from bench.cells import Table
from bench.compare import Comparison
from bench.result import Result
from bench.summary import Summary
from bench.tables import comparison_table, report_tables
from bench.verdict import Verdict


def show_report(console: Console, result: Result, summary: Summary, verdict: Verdict) -> None:
    """Draw the verdict, then all tables."""
    colour = "green" if verdict.customers else "red"
    lines = [Text(verdict.sentence, style=f"bold {colour}"), *(Text(caveat) for caveat in verdict.caveats)]
    console.print(Panel(Group(*lines), title="Verdict", border_style=colour, expand=False))
    for table in report_tables(result, summary):
        show_table(console, table)


def show_comparison(console: Console, comparison: Comparison) -> None:
    """Draw a comparison and its outcome."""
    show_table(console, comparison_table(comparison))
    for text in (*comparison.losses, *comparison.notes):
        console.print(Text(text))
    worse = comparison.is_worse
    console.print(
        Text("B is worse than A." if worse else "B is not worse than A.", style="bold red" if worse else "bold green")
    )


def show_table(console: Console, table: Table) -> None:
    """Draw one table with its note."""
    has_head = any(table.head)
    drawn = RichTable(title=table.title, box=box.SIMPLE_HEAD, show_header=has_head, title_justify="left")
    for column, head in enumerate(table.head):
        drawn.add_column(head, overflow="fold", justify="left" if column == 0 or not has_head else "right")
    for row in table.rows:
        drawn.add_row(*(Text(cell) for cell in row))
    console.print(drawn)
    if table.note:
        console.print(Text(f"  {table.note}\n", style="dim"))
