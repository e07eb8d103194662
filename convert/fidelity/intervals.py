"""How sure the figures are: bootstrap intervals by drawing texts, and the paired difference of two models.

Positions of one text hang together, so texts are drawn and not positions. Source: Efron, Tibshirani, "An Introduction
to the Bootstrap", ch. 13 (percentile intervals) and ch. 8 (what to draw).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from convert.fidelity.figures import Float64Array, RowFigures

#: How often texts are drawn.
RESAMPLES = 2000

#: Shares of the resampled figures below and above a 95 % interval, in per cent.
_ENDS = (2.5, 97.5)

_SEED = 17


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Intervals:
    """95 % intervals of the figures of ``Fidelity``.

    Attributes:
        texts: how many were drawn from.
        mean_kld: nats.
        top1_agreement: 0 to 1.
        reference_perplexity: of the texts under the reference.
        perplexity: of the texts under the model.
        perplexity_ratio: model by reference, of the same texts: more than 1 is worse.
    """

    texts: int
    mean_kld: Interval
    top1_agreement: Interval
    reference_perplexity: Interval
    perplexity: Interval
    perplexity_ratio: Interval

    def to_dict(self) -> dict[str, object]:
        """For the manifest: ends to six significant digits."""
        return {name: _plain(value) for name, value in asdict(self).items()}


@dataclass(frozen=True, slots=True)
class Difference:
    """The divergence of one model against that of another, on the same texts.

    Attributes:
        mean_kld: of the model, nats.
        baseline_mean_kld: of the other, nats.
        difference: model minus other, nats: below 0 is better; its 95 % interval.
        relative: difference by the other's: -0.1 is ten per cent less; its 95 % interval.
    """

    mean_kld: float
    baseline_mean_kld: float
    difference: Interval
    relative: Interval

    def to_dict(self) -> dict[str, object]:
        """For the manifest: figures to six significant digits."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def intervals(rows: Sequence[RowFigures], resamples: int = RESAMPLES, seed: int = _SEED) -> Intervals:
    """Intervals of the figures of some texts; the same rows and seed always give the same.

    Raises:
        ValueError: there is no row.
    """
    sums = np.array([_sums(row) for row in rows])  # (N, 6)
    drawn = sums[_draws(len(rows), resamples, seed)].sum(axis=1)  # (resamples, 6)
    positions, predicted = drawn[:, 0], np.maximum(1, drawn[:, 3])
    losses = drawn[:, 4:] / predicted[:, None]
    return Intervals(
        texts=len(rows),
        mean_kld=_interval(drawn[:, 1] / positions),
        top1_agreement=_interval(drawn[:, 2] / positions),
        reference_perplexity=_interval(np.exp(losses[:, 0])),
        perplexity=_interval(np.exp(losses[:, 1])),
        perplexity_ratio=_interval(np.exp(losses[:, 1] - losses[:, 0])),
    )


def paired(
    model: Sequence[RowFigures], baseline: Sequence[RowFigures], resamples: int = RESAMPLES, seed: int = _SEED
) -> Difference:
    """Compare two models' divergences from one reference, the same texts drawn for both.

    Raises:
        ValueError: there is no row, or the rows are not of the same texts.
    """
    if [len(row.klds) for row in model] != [len(row.klds) for row in baseline]:
        raise ValueError("figures of different texts; expected the same rows in the same order")
    sums = np.array([(len(a.klds), a.klds.sum(), b.klds.sum()) for a, b in zip(model, baseline, strict=True)])
    drawn = sums[_draws(len(model), resamples, seed)].sum(axis=1)  # (resamples, 3)
    positions, ours, theirs = sums.sum(axis=0)
    differences = (drawn[:, 1] - drawn[:, 2]) / drawn[:, 0]
    tiny = np.finfo(np.float64).tiny  # of a baseline that loses nothing
    return Difference(
        mean_kld=float(ours / positions),
        baseline_mean_kld=float(theirs / positions),
        difference=_interval(differences),
        relative=_interval(differences * drawn[:, 0] / np.maximum(drawn[:, 2], tiny)),
    )


def _sums(row: RowFigures) -> tuple[float, ...]:
    """Positions, divergence, agreements, predicted tokens, losses of reference and model."""
    return (len(row.klds), row.klds.sum(), row.same.sum(), row.losses.shape[1], *row.losses.sum(axis=1))


def _draws(count: int, resamples: int, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Numbers of the texts drawn, shape (resamples, count)."""
    if count < 1:
        raise ValueError("no text to draw; expected one or more")
    return np.random.default_rng(seed).integers(count, size=(resamples, count))


def _interval(values: Float64Array) -> Interval:
    low, high = np.percentile(values, _ENDS)
    return Interval(float(low), float(high))


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return [float(f"{end:.6g}") for end in value.values()]
    return float(f"{value:.6g}") if isinstance(value, float) else value
