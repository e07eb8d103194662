"""How near int8 vectors are to the original's: cosines, and whether a search finds the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

#: How many neighbours a search shows.
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Fidelity:
    """What quantisation changed.

    Attributes:
        sentences: how many were compared.
        cosine_mean: between a sentence's two vectors.
        cosine_min: the same, of the worst sentence.
        same_neighbour: share of sentences whose nearest other sentence is the same.
        neighbours_kept: mean share of a sentence's SHOWN nearest that are among int8's SHOWN nearest.
    """

    sentences: int
    cosine_mean: float
    cosine_min: float
    same_neighbour: float
    neighbours_kept: float


def compare(ours: Floats, theirs: Floats) -> Fidelity:
    """Compare vectors (N, D) of length 1 of the same N > SHOWN sentences; each side searches among its own."""
    cosines = (ours * theirs).sum(axis=1)
    mine, other = _nearest(ours), _nearest(theirs)
    kept = [len(set(a) & set(b)) / SHOWN for a, b in zip(mine.tolist(), other.tolist(), strict=True)]
    return Fidelity(
        sentences=len(ours),
        cosine_mean=round(float(cosines.mean()), 5),
        cosine_min=round(float(cosines.min()), 5),
        same_neighbour=round(float((mine[:, 0] == other[:, 0]).mean()), 4),
        neighbours_kept=round(float(np.mean(kept)), 4),
    )


def _nearest(vectors: Floats) -> NDArray[np.int64]:
    """Rows (N, SHOWN) of the nearest others, nearest first."""
    likeness = vectors @ vectors.T
    np.fill_diagonal(likeness, -np.inf)
    return np.argsort(-likeness, axis=1, kind="stable")[:, :SHOWN]
