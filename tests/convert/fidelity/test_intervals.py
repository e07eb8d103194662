"""Bootstrap intervals: exact where texts are alike, as wide as theory says where they are not."""

from __future__ import annotations

import numpy as np
import pytest

from convert.fidelity.figures import RowFigures, compare, compare_row, summarise
from convert.fidelity.intervals import intervals, paired


def row(kld: float, positions: int = 10, loss: tuple[float, float] = (1.0, 1.2), same: float = 1.0) -> RowFigures:
    """A text whose positions are all alike."""
    return RowFigures(
        klds=np.full(positions, kld),
        same=np.arange(positions) < same * positions,
        losses=np.repeat(np.array(loss)[:, None], positions - 1, axis=1),
    )


def test_texts_that_are_all_alike_leave_no_doubt() -> None:
    found = intervals([row(0.25, same=0.9)] * 7)
    assert (found.mean_kld.low, found.mean_kld.high) == pytest.approx((0.25, 0.25))
    assert (found.top1_agreement.low, found.top1_agreement.high) == pytest.approx((0.9, 0.9))
    assert found.perplexity.low == pytest.approx(np.exp(1.2))
    assert found.perplexity_ratio.high == pytest.approx(np.exp(0.2))
    assert found.texts == 7


def test_the_interval_of_a_mean_is_as_wide_as_its_standard_error_says() -> None:
    values = np.random.default_rng(3).gamma(2.0, 0.05, size=200)
    found = intervals([row(float(value)) for value in values]).mean_kld
    error = values.std() / np.sqrt(len(values))
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.3 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.3 * error)


def test_intervals_contain_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    hits = 0
    for seed in range(200):
        found = intervals([row(float(v)) for v in rng.gamma(2.0, 0.05, size=40)], resamples=400, seed=seed).mean_kld
        hits += found.low <= 0.1 <= found.high
    assert 175 <= hits <= 199  # 95 % of 200 is 190; percentile intervals of skewed figures are a little short


def test_a_small_gain_on_every_text_is_sure_though_texts_differ_much() -> None:
    worse = [row(kld, positions=5 + number) for number, kld in enumerate(np.linspace(0.01, 1.0, 30))]
    better = [RowFigures(one.klds * 0.95, one.same, one.losses) for one in worse]
    found = paired(better, worse)
    assert (found.relative.low, found.relative.high) == pytest.approx((-0.05, -0.05))
    assert found.difference.high < 0
    assert found.mean_kld == pytest.approx(0.95 * found.baseline_mean_kld)
    alone = intervals(better).mean_kld
    assert alone.high > found.baseline_mean_kld  # unpaired, nothing could be said


def test_a_model_against_itself_differs_by_nothing() -> None:
    rows = [row(0.1), row(0.5)]
    found = paired(rows, rows)
    assert found.difference.low == found.difference.high == 0.0
    assert paired([row(0.0)], [row(0.0)]).relative.high == 0.0


def test_figures_of_other_texts_are_no_pairs() -> None:
    with pytest.raises(ValueError, match="different texts"):
        paired([row(0.1)], [row(0.1, positions=11)])
    with pytest.raises(ValueError, match="no text"):
        intervals([])
    with pytest.raises(ValueError, match="no row"):
        summarise([])


def test_rows_summed_up_are_the_comparison_of_all() -> None:
    rng = np.random.default_rng(0)
    ids = [[0, 1, 2], [3, 1]]
    left = [rng.normal(size=(len(some), 5)).astype(np.float32) for some in ids]
    right = [rng.normal(size=(len(some), 5)).astype(np.float32) for some in ids]
    rows = [compare_row(*one) for one in zip(ids, left, right, strict=True)]
    found = summarise(rows)
    assert found == compare(ids, left, right)
    assert found.mean_kld == pytest.approx(sum(one.klds.sum() for one in rows) / 5)
    one = intervals(rows)
    assert one.mean_kld.low <= found.mean_kld <= one.mean_kld.high


def test_a_row_of_one_token_predicts_nothing_and_breaks_nothing() -> None:
    logits = np.zeros((1, 4), np.float32)
    single = compare_row([2], logits, logits)
    assert single.losses.shape == (2, 0)
    assert intervals([single, row(0.1)]).mean_kld.high == pytest.approx(0.1)
