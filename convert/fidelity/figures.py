"""How far one model's next-token distributions are from another's: top-1 agreement, divergence, perplexity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from convert.checkpoint.weights import Float32Array

Float64Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Fidelity:
    """Figures over N positions.

    Attributes:
        positions: N.
        top1_agreement: share of positions at which both find the same token most likely, 0 to 1.
        mean_kld: mean of KL(reference || model), nats.
        p99_kld: its 99th percentile, nats.
        reference_perplexity: of the text under the reference.
        perplexity: of the text under the model.
    """

    positions: int
    top1_agreement: float
    mean_kld: float
    p99_kld: float
    reference_perplexity: float
    perplexity: float

    def to_dict(self) -> dict[str, object]:
        """For the manifest: figures to six significant digits."""
        return {key: value if isinstance(value, int) else float(f"{value:.6g}") for key, value in asdict(self).items()}


def log_softmax(logits: Float32Array) -> Float64Array:
    """Log-probabilities of rows of logits (T, V), in float64."""
    wide = logits.astype(np.float64)
    wide -= wide.max(axis=-1, keepdims=True)
    wide -= np.log(np.exp(wide).sum(axis=-1, keepdims=True))
    return wide


@dataclass(frozen=True, slots=True)
class RowFigures:
    """Figures of one row of T tokens.

    Attributes:
        klds: KL(reference || model) at each position, nats, shape (T,).
        same: whether both find the same token most likely, shape (T,).
        losses: -log p of each following token under the reference and under the model, nats, shape (2, T - 1).
    """

    klds: Float64Array
    same: npt.NDArray[np.bool_]
    losses: Float64Array


def compare_row(ids: Sequence[int], reference: Float32Array, model: Float32Array) -> RowFigures:
    """Compare logits (T, V) of one row of T token ids.

    Raises:
        ValueError: shapes disagree.
    """
    if reference.shape != model.shape or len(ids) != len(reference):
        raise ValueError(f"logits of shapes {reference.shape} and {model.shape} for {len(ids)} tokens")
    p, q = log_softmax(reference), log_softmax(model)
    here, following = np.arange(len(ids) - 1), np.asarray(ids[1:], np.int64)
    return RowFigures(
        klds=(np.exp(p) * (p - q)).sum(axis=-1),
        same=p.argmax(axis=-1) == q.argmax(axis=-1),
        losses=np.stack([-p[here, following], -q[here, following]]),
    )


def summarise(rows: Sequence[RowFigures]) -> Fidelity:
    """All rows together.

    Raises:
        ValueError: there is no position.
    """
    if not rows:
        raise ValueError("no row to take figures of")
    kld = np.concatenate([row.klds for row in rows])
    perplexities = np.exp(np.concatenate([row.losses for row in rows], axis=1).mean(axis=1))
    return Fidelity(
        positions=len(kld),
        top1_agreement=float(np.concatenate([row.same for row in rows]).mean()),
        mean_kld=max(0.0, float(kld.mean())),  # rounding can bring equal distributions to -1e-17
        p99_kld=max(0.0, float(np.percentile(kld, 99))),
        reference_perplexity=float(perplexities[0]),
        perplexity=float(perplexities[1]),
    )


def compare(
    rows: Sequence[Sequence[int]], reference: Sequence[Float32Array], model: Sequence[Float32Array]
) -> Fidelity:
    """Compare logits of the same token rows.

    Args:
        rows: token ids, each row of length T of at least 2.
        reference: per row, logits (T, V) of the reference.
        model: per row, logits (T, V) of the model.

    Raises:
        ValueError: shapes disagree, or there is no position.
    """
    return summarise([compare_row(*one) for one in zip(rows, reference, model, strict=True)])
