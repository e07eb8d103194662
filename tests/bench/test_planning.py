"""Planning: the queueing model against queues whose answer is known, a simulation, and loops it was not fitted to."""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from bench.errors import UsageError
from bench.metrics import Timeline
from bench.planning.check import check_model
from bench.planning.plan import PlanOptions, make_plan, most_per_s
from bench.planning.queueing import inside_distribution, waiting
from bench.planning.service import Curve, Service, fit_service, loop_points, questions_per_customer
from bench.planning.tables import plan_tables
from bench.records import Kind, LoopResult, Outcome, Record
from bench.result import Result
from tests.bench.samples import loop, result

FLAT = (1.0,)


def curve(alone: float, shared: float, most: int = 60) -> Curve:
    """``alone + shared * n`` seconds up to ``most`` inside."""
    return Curve(tuple(range(1, most + 1)), tuple(alone + shared * n for n in range(1, most + 1)))


def box(alone: float = 0.4, shared: float = 0.1) -> Service:
    """A box whose first token comes after a quarter of the answer."""
    return Service(curve(alone, shared), curve(alone / 4, shared / 4), FLAT, 8)


def closed(chats: int, answer_s: float, ttft_s: float, count: int = 40) -> LoopResult:
    """A closed loop of requests that all take the same, two to a conversation."""
    timeline = Timeline((1000.0 * ttft_s, 1000.0 * answer_s), 1000.0 * answer_s, 10)
    kinds = (Kind.NEW, Kind.RETURNING)
    return loop(chats, [Record(n // 2, n % 2, kinds[n % 2], float(n), Outcome.OK, timeline) for n in range(count)])


def measured(chats: Sequence[int] = (1, 2, 4, 8), alone: float = 0.4, shared: float = 0.1) -> Result:
    lines = box(alone, shared)
    return result([closed(n, float(lines.answer.at(n)), float(lines.ttft.at(n))) for n in chats])


def test_a_box_that_shares_everything_is_the_queue_of_the_books() -> None:
    """M/M/1, and M/G/1 with processor sharing: mean number inside is load / (1 - load)."""
    found = waiting(box(0.0, 0.5), 1.6, 2.0)
    assert found.load == pytest.approx(0.8)
    assert found.inside == pytest.approx(4.0, rel=1e-5)
    assert found.answer_s == pytest.approx(0.5 / (1.0 - 0.8), rel=1e-5)
    states = inside_distribution(box(0.0, 0.5), 1.6)
    assert states is not None
    assert states[3] == pytest.approx(0.2 * 0.8**3, rel=1e-5)


def test_a_box_that_shares_nothing_serves_everybody_at_once() -> None:
    """M/G/infinity: the number inside is Poisson."""
    states = inside_distribution(box(2.0, 0.0), 1.5)
    assert states is not None
    assert [states[n] for n in range(5)] == pytest.approx([math.exp(-3) * 3**n / math.factorial(n) for n in range(5)])
    assert waiting(box(2.0, 0.0), 1.5, 2.0).answer_s == pytest.approx(2.0)


def test_more_than_a_box_can_do_waits_without_end() -> None:
    found = waiting(box(0.4, 0.1), 10.0, 2.0)
    assert found.load > 1.0
    assert math.isinf(found.ttft_p90_s)
    assert found.within == 0.0


@pytest.mark.parametrize(
    "draw", [lambda rng: rng.expovariate(1.0), lambda rng: 1.0, lambda rng: rng.choice((0.1, 1.9))]
)
def test_a_simulated_box_agrees_whatever_the_work_is_distributed_like(draw: Callable[[random.Random], float]) -> None:
    """Sharing by a rate that depends on the number inside: only the mean of the work counts (Cohen 1979)."""
    service, rate = box(0.4, 0.1), 6.0
    simulated = simulate(service, rate, 30_000, draw)
    assert simulated == pytest.approx(waiting(service, rate, 2.0).answer_s, rel=0.06)


def simulate(service: Service, rate: float, customers: int, draw: Callable[[random.Random], float]) -> float:
    """Mean whole time of customers who come at random to a box that serves each of n inside at speed 1 / R(n)."""
    rng, times = random.Random(11), service.answer.at(range(1000)).tolist()
    now = served = total = 0.0  # ``served``: work that somebody who was there from the beginning would have got
    inside: list[tuple[float, float]] = []  # (served at which it is done, moment at which it came)
    coming = rng.expovariate(rate)
    done = 0
    while done < customers:
        speed = 1.0 / times[min(len(inside), len(times) - 1)] if inside else 0.0
        leaves = now + (inside[0][0] - served) / speed if inside else math.inf
        moment = min(coming, leaves)
        served += (moment - now) * speed
        now = moment
        if leaves <= coming:
            total += now - heapq.heappop(inside)[1]
            done += 1
        else:
            heapq.heappush(inside, (served + draw(rng), now))
            coming = now + rng.expovariate(rate)
    return total / done


def test_the_curve_goes_through_what_was_measured_and_promises_nothing_beyond() -> None:
    service = fit_service(loop_points(measured()))
    assert service.answer.at([1, 2, 4, 8]) == pytest.approx([0.5, 0.6, 0.8, 1.2])
    assert service.answer.at(6) == pytest.approx(1.0)
    assert service.answer.at(16) == pytest.approx(2.4)  # no more answers a second than with 8
    assert service.most_per_s == pytest.approx(8 / 1.2)
    assert np.mean(service.shape) == pytest.approx(1.0)
    assert questions_per_customer(measured()) == pytest.approx(2.0)


def test_a_box_that_gets_slower_the_more_are_inside_is_taken_to_go_on_so() -> None:
    thrashing = fit_service(loop_points(result([closed(4, 0.4, 0.3), closed(8, 1.2, 1.0)])))
    assert thrashing.answer.at(12) == pytest.approx(2.0)
    assert thrashing.answer.at(1) == pytest.approx(0.1)  # never less than its share
    assert thrashing.most_per_s == pytest.approx(5.0)


def test_noise_does_not_make_a_fuller_box_faster() -> None:
    service = fit_service(loop_points(result([closed(1, 0.5, 0.1), closed(2, 0.4, 0.09), closed(4, 0.9, 0.2)])))
    assert service.answer.at([1, 2]) == pytest.approx([0.5, 0.5])


def test_loops_of_one_size_say_nothing_of_another() -> None:
    with pytest.raises(UsageError, match="two different numbers"):
        make_plan(measured((4,)), PlanOptions(1, 10.0, 2.0))


def test_more_boxes_carry_more_and_the_number_needed_is_the_first_that_keeps_the_promise() -> None:
    options = PlanOptions(1, 600.0, 0.5)
    plan = make_plan(measured(), options)
    assert not plan.is_kept
    assert plan.needed is not None
    assert plan.needed > 1
    assert make_plan(measured(), replace(options, boxes=plan.needed)).is_kept
    assert not make_plan(measured(), replace(options, boxes=plan.needed - 1)).is_kept
    assert f"{plan.needed} would do" in plan.sentence


def test_what_a_box_carries_is_where_the_promise_just_holds() -> None:
    rate = most_per_s(box(), 0.4)
    assert waiting(box(), rate, 0.4).ttft_p90_s <= 0.4
    assert waiting(box(), rate * 1.02, 0.4).ttft_p90_s > 0.4
    assert most_per_s(box(), 0.01) == 0.0


def test_a_promise_that_no_box_keeps_alone_needs_another_engine() -> None:
    plan = make_plan(measured(), PlanOptions(3, 30.0, 0.05), measured(alone=0.02, shared=0.001))
    assert plan.needed is None
    assert not plan.site.keeps
    assert plan.upstream is not None
    assert plan.upstream.keeps
    assert plan.is_kept
    assert "no number of boxes does" in plan.sentence
    assert "upstream engine keeps it" in plan.sentence


def test_the_model_is_checked_against_closed_loops_that_the_fit_has_not_seen() -> None:
    checks = check_model(measured(), 2.0)
    assert {check.loop for check in checks} == {f"closed, {n}" for n in (1, 2, 4, 8)}
    inner = [check for check in checks if check.loop in ("closed, 2", "closed, 4")]
    assert all(abs(check.error) < 1e-6 for check in inner)
    (beyond,) = [check for check in checks if check.loop == "closed, 8" and "throughput" in check.figure]
    assert -0.3 < beyond.error < -0.2  # of 1, 2 and 4 chats: no more than with 4
    bent = replace(measured(), loops=(*measured().loops[:3], closed(8, 3.6, 0.9)))  # far slower than the line says
    (throughput, ttft, _) = check_model(bent, 2.0)[-3:]
    assert throughput.error == pytest.approx((4 / 0.8) / (8 / 3.6) - 1.0)
    assert ttft.error == pytest.approx(0.4 / 0.9 - 1.0)
    assert not check_model(measured((1, 8)), 2.0)


def test_open_loops_are_predicted_and_never_fitted_to() -> None:
    """The records of the open loop come out of the simulation above's model, drawn from its states."""
    service, rate = fit_service(loop_points(measured())), 5.0
    states = inside_distribution(service, rate)
    assert states is not None
    rng = np.random.default_rng(3)
    seen = rng.choice(len(states), size=4000, p=states)
    records = []
    for n, others in enumerate(seen):
        ttft_ms, late_ms = 1000.0 * float(service.ttft.at(others + 1)), 40.0 * (n % 2)
        due_ms = 1000.0 * n / rate
        timeline = Timeline((ttft_ms - late_ms,), ttft_ms, 10)
        records.append(Record(n, 0, Kind.NEW, due_ms + late_ms, Outcome.OK, timeline, scheduled_ms=due_ms))
    plain = loop(0, records, wall_s=len(records) / rate)
    opened = replace(plain, plan=replace(plain.plan, kind="open", rate_per_s=rate))
    with_open = replace(measured(), loops=(*measured().loops, opened))
    assert fit_service(loop_points(with_open)) == service
    found = [check for check in check_model(with_open, 2.0) if check.loop == "open, 5/s"]
    assert [check.figure for check in found] == ["throughput, answers/s", "TTFT mean, s", "TTFT p90, s"]
    assert all(abs(check.error) < 0.03 for check in found), found


def test_the_tables_hold_the_plan_and_its_check() -> None:
    plan = make_plan(measured(), PlanOptions(2, 100_000.0, 2.0), measured())
    tables = {table.title: table for table in plan_tables(plan)}
    assert list(tables) == [
        "Expected waiting",
        "What a box was measured to do",
        "The model against loops that it was not fitted to",
    ]
    assert [row[0] for row in tables["Expected waiting"].rows] == ["2 x box", "upstream engine"]
    assert "without end" in tables["Expected waiting"].rows[0]
