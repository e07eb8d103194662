"""The figures of an evaluation as tables for people."""

from __future__ import annotations

from collections.abc import Sequence

from guards.evaluation.bootstrap import Interval
from guards.evaluation.evaluate import Evaluation, Intervals, Rates

_NOTHING = "-"


def report(figures: Evaluation) -> str:
    """All of it; shares in percent, with 95 % intervals in brackets."""
    total, sure = figures.total, figures.intervals
    area = _NOTHING if figures.auc is None else f"{figures.auc:.4f}{_range(sure.auc)}"
    lines = [
        f"texts                {total.attacks} to catch, {total.harmless} harmless",
        f"recall               {share(total.recall)}{_percent(sure.recall)}",
        f"false-positive rate  {share(total.false_positive_rate)}{_percent(sure.false_positive_rate)}",
        f"AUC                  {area}",
        f"latency              {figures.latency}",
        f"guards               {figures.mode}, policy {figures.policy_version}",
    ]
    if figures.sources:
        rows = [(name, *_cells(rates, figures.source_intervals[name])) for name, rates in figures.sources.items()]
        lines += ["", *table(("source", "to catch", "recall", "harmless", "false positives"), rows)]
    if figures.guards:
        lone = [
            (name, share(row.rates.recall), share(row.rates.false_positive_rate), str(row.latency))
            for name, row in figures.guards.items()
        ]
        lines += ["", *table(("guard by itself", "acts on attacks", "acts on harmless", "latency"), lone)]
    if figures.rules:
        lines += ["", *table(("rule that decided", "texts"), [(rule, str(n)) for rule, n in figures.rules.items()])]
    return "\n".join(lines)


def share(value: float | None) -> str:
    """A share in percent."""
    return _NOTHING if value is None else f"{value:.2%}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of columns that stand under each other."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)
    ]


def _cells(rates: Rates, sure: Intervals) -> tuple[str, str, str, str]:
    return (
        str(rates.attacks),
        share(rates.recall) + _percent(sure.recall),
        str(rates.harmless),
        share(rates.false_positive_rate) + _percent(sure.false_positive_rate),
    )


def _percent(interval: Interval | None) -> str:
    return "" if interval is None else f" ({100 * interval.low:.1f}-{100 * interval.high:.1f})"


def _range(interval: Interval | None) -> str:
    return "" if interval is None else f" ({interval.low:.4f}-{interval.high:.4f})"
