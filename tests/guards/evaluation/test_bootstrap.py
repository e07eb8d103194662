"""Intervals: as wide as theory says, and the same at every run."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.evaluation.bootstrap import Bootstrap, auc


@given(st.lists(st.sampled_from([0.0, 0.1, 0.5, 1.0]), max_size=9), st.lists(st.floats(0, 1), max_size=9))
def test_auc_is_the_share_of_pairs_in_order(positive: list[float], negative: list[float]) -> None:
    pairs = [(p > n) + 0.5 * (p == n) for p in positive for n in negative]
    found = auc(positive, negative)
    assert found == (pytest.approx(sum(pairs) / len(pairs)) if pairs else None)


def test_a_share_has_the_interval_of_its_binomial() -> None:
    interval = Bootstrap().share([True] * 170 + [False] * 30)
    assert interval is not None
    deviation = (0.85 * 0.15 / 200) ** 0.5
    assert interval.low == pytest.approx(0.85 - 1.96 * deviation, abs=0.008)
    assert interval.high == pytest.approx(0.85 + 1.96 * deviation, abs=0.008)


def test_the_interval_holds_the_truth_nineteen_times_in_twenty() -> None:
    generator = np.random.default_rng(7)
    held = 0
    for _ in range(300):
        interval = Bootstrap(resamples=400).share(list(generator.random(150) < 0.7))
        assert interval is not None
        held += interval.low <= 0.7 <= interval.high
    assert 270 <= held <= 298


@pytest.mark.parametrize("count", [1, 20, 1000])
def test_values_that_are_all_alike_still_have_an_interval(count: int) -> None:
    none, all_ = Bootstrap().share([False] * count), Bootstrap().share([True] * count)
    assert none is not None
    assert all_ is not None
    assert (none.low, all_.high) == (0.0, 1.0)
    assert none.high == pytest.approx(1 - all_.low)
    # Seen with a probability of 2.5 % if the share is at the interval's end.
    assert all_.low**count == pytest.approx(0.025)


def test_an_area_has_the_interval_of_its_rank_sum() -> None:
    """Against the deviation by Hanley and McNeil (1982)."""
    generator = np.random.default_rng(3)
    positive, negative = list(generator.normal(1.2, 1, 400)), list(generator.normal(0, 1, 600))
    area, interval = auc(positive, negative), Bootstrap(resamples=500).area(positive, negative)
    assert area is not None
    assert interval is not None
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (area * (1 - area) + 399 * (one - area**2) + 599 * (two - area**2)) / (400 * 600)
    assert interval.low == pytest.approx(area - 1.96 * variance**0.5, abs=0.006)
    assert interval.high == pytest.approx(area + 1.96 * variance**0.5, abs=0.006)


def test_the_same_values_give_the_same_interval() -> None:
    one, other = Bootstrap(), Bootstrap()
    one.share([True, False, True])
    assert one.area([0.2, 0.9, 0.5], [0.1, 0.6]) == other.area([0.2, 0.9, 0.5], [0.1, 0.6])
    values = [0.1 * number for number in range(30)]
    assert one.area(values, values[:20]) != Bootstrap(seed=1).area(values, values[:20])


def test_without_values_there_is_no_interval() -> None:
    assert Bootstrap().share([]) is None
    assert Bootstrap().area([], [0.5]) is None
    assert Bootstrap().area([0.5], []) is None
