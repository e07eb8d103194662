"""The definitions, against values worked out by hand and slow references."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.metrics import (
    Timeline,
    estimate_quantile,
    estimate_together,
    interval,
    quantile,
    quantile_draws,
    ratio_draws,
)

FLOATS = st.floats(min_value=0.0, max_value=1e6, allow_nan=False)


def test_timeline_of_five_tokens_in_four_pieces() -> None:
    timeline = Timeline((100.0, 120.0, 150.0, 190.0), 200.0, tokens=5)
    assert timeline.ttft_ms == 100.0
    assert timeline.itl_ms == (20.0, 30.0, 40.0)
    assert timeline.tpot_ms == 90.0 / 4


@pytest.mark.parametrize(("arrivals", "tokens"), [((), 0), ((5.0,), 1), ((5.0,), 9)])
def test_short_answers_have_no_gap(arrivals: tuple[float, ...], tokens: int) -> None:
    timeline = Timeline(arrivals, 6.0, tokens)
    assert timeline.itl_ms == ()
    assert timeline.tpot_ms is None
    assert timeline.ttft_ms == (arrivals[0] if arrivals else None)


@pytest.mark.parametrize(
    ("values", "q", "expected"),
    [
        ([7.0], 0.99, 7.0),
        ([1.0, 2.0], 0.5, 1.5),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([4.0, 1.0, 3.0, 2.0], 0.9, 3.7),  # h = (4 - 1) 0.9 = 2.7: 0.3 of 3 and 0.7 of 4
        ([float(n) for n in range(101)], 0.99, 99.0),
        ([5.0, 1.0, 9.0], 0.0, 1.0),
        ([5.0, 1.0, 9.0], 1.0, 9.0),
    ],
)
def test_quantile_is_type_7(values: list[float], q: float, expected: float) -> None:
    assert quantile(values, q) == pytest.approx(expected)


def test_quantile_refuses_nothing_and_nonsense() -> None:
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)
    with pytest.raises(ValueError, match="expected 0 to 1"):
        quantile([1.0], 1.5)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(FLOATS, max_size=5), min_size=1, max_size=7), st.floats(0.0, 1.0), st.integers(0, 99))
def test_weighted_draws_equal_real_resampling(groups: list[list[float]], q: float, seed: int) -> None:
    """The slow reference repeats the chosen groups and takes the quantile of the whole."""
    filled = [group for group in groups if group]
    drawn = quantile_draws(groups, (q,), seed, draws=8)[:, 0]
    if not filled:
        assert drawn.shape == (0,)
        return
    for value, chosen in zip(
        drawn, np.random.default_rng(seed).integers(0, len(filled), (8, len(filled))), strict=True
    ):
        repeated = [x for place in chosen for x in filled[place]]
        assert value == pytest.approx(quantile(repeated, q), rel=1e-9, abs=1e-6)


def test_blocks_of_draws_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = [tuple(float(n * k % 17) for k in range(9)) for n in range(11)]
    whole = quantile_draws(groups, (0.5, 0.9), seed=4)
    monkeypatch.setattr("bench.metrics._BLOCK_VALUES", 250)
    assert (quantile_draws(groups, (0.5, 0.9), seed=4) == whole).all()


def test_ratio_draws_of_constant_ratio() -> None:
    assert ratio_draws([2.0, 4.0, 6.0], [1.0, 2.0, 3.0], seed=1) == pytest.approx(np.full(1000, 2.0))
    assert ratio_draws([], [], seed=1).shape == (0,)


def test_estimates_of_nothing_one_and_two() -> None:
    assert estimate_quantile([], 0.5, 1) is None
    assert estimate_quantile([(), ()], 0.5, 1) is None
    one = estimate_quantile([(3.0,)], 0.9, 1)
    assert one is not None
    assert (one.value, one.low, one.high, one.requests) == (3.0, None, None, 1)
    two = estimate_quantile([(3.0,), (5.0,)], 0.5, 1)
    assert two is not None
    assert (two.value, two.low, two.high) == (4.0, 3.0, 5.0)


def test_same_seed_same_interval() -> None:
    groups = [(float(n % 13),) for n in range(40)]
    assert estimate_quantile(groups, 0.9, 5) == estimate_quantile(groups, 0.9, 5)


def test_together_by_littles_law() -> None:
    """Two chats, each always busy: 4 requests of 10 tokens and 2 s are 2 chats x 40 tokens / 8 s."""
    estimate = estimate_together(2, [10] * 4, [2.0] * 4, seed=1)
    assert estimate is not None
    assert estimate.value == estimate.low == estimate.high == 10.0
    assert estimate_together(2, [], [], seed=1) is None
    assert estimate_together(2, [1], [0.0], seed=1) is None


def test_interval_covers_the_true_median() -> None:
    """Of 200 samples of 40 lognormal latencies, the 95 % interval holds the true median in 90 to 99 %."""
    rng = np.random.default_rng(7)
    covered = 0
    for trial in range(200):
        groups = [(float(x),) for x in rng.lognormal(mean=3.0, sigma=0.6, size=40)]
        low, high = interval(quantile_draws(groups, (0.5,), seed=trial, draws=300))
        covered += low <= np.exp(3.0) <= high
    assert 0.90 * 200 <= covered <= 0.99 * 200


def test_resampling_requests_is_wider_than_resampling_gaps() -> None:
    """Gaps inside a request are alike; treating them as independent would promise too much."""
    rng = np.random.default_rng(3)
    groups = [tuple(float(g) for g in rng.normal(mean, 0.1, 50)) for mean in rng.normal(30.0, 3.0, 20)]
    by_request = interval(quantile_draws(groups, (0.5,), seed=1))
    by_gap = interval(quantile_draws([(gap,) for group in groups for gap in group], (0.5,), seed=1))
    assert by_request[1] - by_request[0] > 3 * (by_gap[1] - by_gap[0])
