"""A plan as tables."""

from __future__ import annotations

import math

from bench.cells import NOTHING, Row, Table
from bench.planning.plan import CapacityPlan, Site


def plan_tables(plan: CapacityPlan) -> tuple[Table, ...]:
    """Waiting, the fit, and the fit's check."""
    tables = (_sites(plan), _fit(plan), _checks(plan))
    return tuple(table for table in tables if table.rows)


def _sites(plan: CapacityPlan) -> Table:
    rows = tuple(_site(one) for one in (plan.site, plan.upstream) if one is not None)
    head = ("", "load", "inside", "TTFT mean", "TTFT p90", "answer", "within promise", "carries, customers/min")
    note = f"Each box. Times in seconds; a customer asks {plan.questions:.2f} questions. Boxes share customers evenly."
    return Table("Expected waiting", head, rows, note)


def _site(site: Site) -> Row:
    found = site.waiting
    return (
        f"{site.boxes} x box" if site.name == "boxes" else site.name,
        f"{found.load:.0%}",
        _seconds(found.inside),
        _seconds(found.ttft_s),
        _seconds(found.ttft_p90_s),
        _seconds(found.answer_s),
        f"{found.within:.1%}",
        f"{site.most_customers_per_minute:.3g}",
    )


def _seconds(value: float) -> str:
    return f"{value:.3g}" if math.isfinite(value) else "without end"


def _fit(plan: CapacityPlan) -> Table:
    service = plan.service
    rows = tuple(
        (str(chats), f"{ttft_s:.3g}", f"{answer_s:.3g}", f"{chats / answer_s:.3g}")
        for chats, answer_s, ttft_s in zip(
            service.answer.chats, service.answer.seconds, service.ttft.seconds, strict=True
        )
    )
    head = ("customers inside", "TTFT mean, s", "answer mean, s", "answers/s")
    note = f"With more inside, {service.most_per_s:.3g} answers/s are taken to be the most."
    return Table("What a box was measured to do", head, rows, note)


def _checks(plan: CapacityPlan) -> Table:
    rows = tuple(
        (
            check.loop,
            check.figure,
            _seconds(check.predicted),
            _seconds(check.measured),
            f"{check.error:+.0%}" if math.isfinite(check.predicted) else NOTHING,
        )
        for check in plan.checks
    )
    head = ("loop", "figure", "predicted", "measured", "error")
    return Table("The model against loops that it was not fitted to", head, rows)
