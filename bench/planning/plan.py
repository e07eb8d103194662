"""The plan: how long customers wait at so many boxes, how many boxes keep the promise, what an upstream engine adds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from bench.errors import UsageError
from bench.planning.check import Check, check_model
from bench.planning.queueing import Waiting, waiting
from bench.planning.service import Service, fit_service, loop_points, questions_per_customer
from bench.result import Result

#: More boxes than this nobody asks bench for.
MOST_BOXES = 10_000

#: Share of the time beyond what was measured from which a reader has to know.
_MOST_BEYOND = 0.05
_HALVINGS = 50


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """What is asked.

    Attributes:
        boxes: that are to share the customers.
        customers_per_minute: of all boxes together.
        promise_s: which p90 of time to first token is to keep.
        questions: a customer asks; None takes those of the measured traffic.
    """

    boxes: int
    customers_per_minute: float
    promise_s: float
    questions: float | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """So many boxes, or one engine behind them.

    Attributes:
        name: for people.
        boxes: that share the customers evenly.
        waiting: at each of them.
        keeps: whether p90 of time to first token is within the promise.
        most_customers_per_minute: with which it still would be, all boxes together.
    """

    name: str
    boxes: int
    waiting: Waiting
    keeps: bool
    most_customers_per_minute: float


@dataclass(frozen=True, slots=True)
class CapacityPlan:
    """The answer.

    Attributes:
        service: the fit.
        questions: a customer asks.
        site: the boxes that were asked for.
        needed: boxes that keep the promise; None if no number does.
        upstream: one measured engine in place of the boxes' own; None if none was named.
        checks: the model against measured points that it was not fitted to.
        is_kept: whether the boxes, or the engine behind them, keep the promise.
        sentence: for people.
        caveats: what a reader has to know beside it.
    """

    service: Service
    questions: float
    site: Site
    needed: int | None
    upstream: Site | None
    checks: tuple[Check, ...]
    is_kept: bool
    sentence: str
    caveats: tuple[str, ...]


def make_plan(result: Result, options: PlanOptions, upstream: Result | None = None) -> CapacityPlan:
    """The plan from a box's result, and from that of an engine if there is one.

    Raises:
        UsageError: a result has closed loops of fewer than two sizes, or a number makes no sense.
    """
    if not 1 <= options.boxes <= MOST_BOXES or not options.customers_per_minute > 0.0:
        raise UsageError(
            f"{options.boxes} boxes, {options.customers_per_minute:g} customers a minute; expected 1 to {MOST_BOXES} "
            "boxes and more than 0 customers"
        )
    service = fit_service(loop_points(result))
    questions = options.questions or questions_per_customer(result)
    per_s = options.customers_per_minute * questions / 60.0
    site = _site("boxes", service, options.boxes, per_s, options, questions)
    behind = None
    if upstream is not None:
        behind = _site("upstream engine", fit_service(loop_points(upstream)), 1, per_s, options, questions)
    checks = check_model(result, options.promise_s)
    needed = _needed(service, per_s, options.promise_s)
    kept = behind.keeps if behind else site.keeps
    caveats = _caveats(result, upstream, site, behind, checks)
    return CapacityPlan(
        service, questions, site, needed, behind, checks, kept, _sentence(options, site, needed, behind), caveats
    )


def _site(name: str, service: Service, boxes: int, per_s: float, options: PlanOptions, questions: float) -> Site:
    found = waiting(service, per_s / boxes, options.promise_s)
    most = most_per_s(service, options.promise_s) * boxes * 60.0 / questions
    return Site(name, boxes, found, found.ttft_p90_s <= options.promise_s, most)


def most_per_s(service: Service, promise_s: float) -> float:
    """Questions a second with which one box just keeps the promise; 0 if it does not even with one now and then."""

    def keeps(rate: float) -> bool:
        return waiting(service, rate, promise_s).ttft_p90_s <= promise_s

    high = service.most_per_s
    if not keeps(high * 1e-6):
        return 0.0
    return _last(keeps, high * 1e-6, high)


def _last(keeps: Callable[[float], bool], low: float, high: float) -> float:
    """The highest rate that keeps, between one that does and one that may not."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if keeps(middle) else (low, middle)
    return low


def _needed(service: Service, per_s: float, promise_s: float) -> int | None:
    most = most_per_s(service, promise_s)
    if most <= 0.0 or per_s / most > MOST_BOXES:
        return None
    boxes = max(1, int(per_s / most))
    while waiting(service, per_s / boxes, promise_s).ttft_p90_s > promise_s:
        boxes += 1
    return boxes


def _sentence(options: PlanOptions, site: Site, needed: int | None, behind: Site | None) -> str:
    promise = f"TTFT p90 <= {options.promise_s:g} s"
    many = f"{site.boxes} box{'es' if site.boxes > 1 else ''}"
    verb = "keep" if site.boxes > 1 else "keeps"
    kept = f"{many} {verb} {promise}" if site.keeps else f"{many} {verb.replace('keep', 'break')} {promise}"
    need = "no number of boxes does" if needed is None else f"{needed} would do"
    parts = [
        f"At {options.customers_per_minute:g} customers a minute {kept}; {need}",
        f"{many} would carry {site.most_customers_per_minute:.3g} a minute",
    ]
    if behind is not None:
        verb = "keeps" if behind.keeps else "breaks"
        parts.append(f"the upstream engine {verb} it and would carry {behind.most_customers_per_minute:.3g} a minute")
    return "; ".join(parts) + "."


def _caveats(
    result: Result, upstream: Result | None, site: Site, behind: Site | None, checks: tuple[Check, ...]
) -> tuple[str, ...]:
    found = []
    if checks:
        errors = [abs(check.error) for check in checks]
        found.append(
            f"Against {len(checks)} measured figures that the fit had not seen, the model was off by "
            f"{median(errors):.0%} in the middle and {max(errors):.0%} at worst."
        )
    else:
        found.append("The result has too few loops to check the model with; measure three closed loops or more.")
    for name, one in (("boxes", site), ("upstream engine", behind)):
        if one is not None and one.waiting.beyond > _MOST_BEYOND:
            found.append(
                f"The {name} would hold more questions at once than any loop that was measured in "
                f"{one.waiting.beyond:.0%} of the time: there throughput is taken to stay what it was."
            )
    for name, run in (("box", result), ("upstream engine", upstream)):
        if run is not None and run.aborted:
            found.append(f"The run on the {name} ended early: {run.aborted}")
        if run is not None and run.noise.complaints:
            found.append(f"The run on the {name} was not quiet: {'; '.join(run.noise.complaints)}.")
    return tuple(found)
