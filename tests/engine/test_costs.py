"""What a step costs is learned from noisy measurements and used for slices, drafts and promises."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engine.costs import ASSUMED_STEP_S, MAX_ROWS, StepCosts

#: Measured: the demonstration model, one thread, AVX2; rows and cost in steps of one row.
CURVE = {1: 1.0, 2: 1.64, 3: 2.6, 4: 3.11, 5: 4.06, 6: 4.4, 7: 5.26, 8: 6.0, 12: 8.08, 16: 9.7, 32: 20.9, 64: 23.7}


def learned(step_s: float = 0.04, rounds: int = 30) -> StepCosts:
    costs = StepCosts()
    for _ in range(rounds):
        for rows, cost in CURVE.items():
            costs.record(rows, cost * step_s)
    return costs


def test_before_any_measurement_there_is_a_straight_line() -> None:
    costs = StepCosts()
    assert costs.seconds(1) == ASSUMED_STEP_S
    assert costs.seconds(3) - costs.seconds(2) == pytest.approx(costs.seconds(2) - costs.seconds(1))
    assert costs.seconds(0) == 0.0


def test_measured_sizes_come_back_within_five_percent() -> None:
    costs = learned()
    for rows, cost in CURVE.items():
        assert costs.seconds(rows) == pytest.approx(cost * 0.04, rel=0.05)


@given(st.lists(st.tuples(st.integers(1, MAX_ROWS), st.floats(1e-6, 100.0)), max_size=80))
def test_more_rows_never_cost_less_whatever_was_measured(records: list[tuple[int, float]]) -> None:
    costs = StepCosts()
    for rows, seconds in records:
        costs.record(rows, seconds)
    curve = [costs.seconds(rows) for rows in range(1, MAX_ROWS + 20)]
    assert curve == sorted(curve)
    assert curve[0] > 0


def test_a_step_ten_times_too_slow_now_and_then_changes_little() -> None:
    rng = random.Random(3)
    costs = learned()
    for _ in range(2000):
        rows = rng.choice((1, 2, 4, 8))
        costs.record(rows, CURVE[rows] * 0.04 * (10 if rng.random() < 0.05 else rng.uniform(1.0, 1.1)))
    for rows in (1, 2, 4, 8):
        assert costs.seconds(rows) == pytest.approx(CURVE[rows] * 0.04, rel=0.25)


def test_a_single_step_that_hung_moves_the_curve_by_less_than_a_tenth() -> None:
    costs = learned()
    before = costs.seconds(4)
    costs.record(4, 60.0)
    assert before < costs.seconds(4) < 1.1 * before


def test_a_first_measurement_that_was_far_too_slow_is_forgotten() -> None:
    costs = StepCosts()
    for _ in range(60):
        costs.record(1, 0.4 if costs.records == 0 else 0.04)
        costs.record(4, 0.124)
    assert costs.seconds(1) == pytest.approx(0.04, rel=0.1)
    assert costs.seconds(4) == pytest.approx(0.124, rel=0.1)


def test_a_machine_that_slows_down_moves_sizes_that_are_not_in_use_too() -> None:
    costs = learned()
    before = costs.seconds(8)
    for _ in range(200):
        costs.record(1, 0.08)
    assert costs.seconds(1) == pytest.approx(0.08, rel=0.1)
    assert costs.seconds(8) > 1.3 * before


def test_a_size_that_looked_dear_is_in_time_tried_again() -> None:
    costs = learned()
    for _ in range(40):
        costs.record(4, 0.4)
    dear = costs.seconds(4) / costs.seconds(1)
    for _ in range(6000):
        costs.record(1, 0.04)
    assert costs.seconds(4) / costs.seconds(1) < 0.75 * dear


@given(st.floats(0.001, 20.0), st.integers(0, 40), st.integers(0, 260))
def test_the_rows_that_fit_a_time_are_the_most_that_do(seconds: float, least: int, more: int) -> None:
    costs = learned(rounds=4)
    most = least + more
    rows = costs.rows_within(seconds, least, most)
    assert least <= rows <= most
    if rows > least:
        assert costs.seconds(rows) <= seconds * (1 + 1e-9)
    if rows < most:
        assert costs.seconds(rows + 1) > seconds * (1 - 1e-9)


def test_a_draft_is_as_long_as_makes_the_step_pay_best() -> None:
    costs = learned()

    def rate(length: int, chances: list[float], others: int = 0) -> float:
        return (1 + others + sum(chances[:length])) / costs.seconds(1 + others + length)

    for acceptance in (0.5, 0.8, 0.9, 0.97, 1.0):
        for others in (0, 1, 3, 7):
            chances = [acceptance**i for i in range(1, 16)]
            length = costs.draft_length(1 + others, chances)
            best = max(rate(k, chances, others) for k in range(16))
            assert rate(length, chances, others) >= best / 1.031
            assert length == 0 or rate(length, chances, others) > rate(0, chances, others)


def test_unlikely_drafts_are_not_made_and_certain_ones_are_long() -> None:
    costs = learned()
    assert costs.draft_length(1, [0.5**i for i in range(1, 16)]) == 0
    assert costs.draft_length(1, [1.0] * 15) == 15
    assert costs.draft_length(1, []) == 0


def test_rates_are_tokens_over_seconds() -> None:
    costs = learned()
    assert costs.prefill_tokens_per_s == pytest.approx(64 / (23.7 * 0.04), rel=0.05)
    assert costs.decode_tokens_per_s(8) == pytest.approx(8 / (6.0 * 0.04), rel=0.05)
    assert costs.decode_tokens_per_s(0) == 0.0


def test_what_makes_no_sense_is_refused() -> None:
    costs = StepCosts()
    with pytest.raises(ValueError, match="at least 1"):
        costs.record(0, 0.1)
    with pytest.raises(ValueError, match="not to be smaller"):
        costs.rows_within(1.0, 3, 2)
