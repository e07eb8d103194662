"""From a classifier's probabilities to thresholds, and how good both are. Arrays in, numbers out.

A threshold is the lowest at which three limits hold: so many false alarms on legitimate requests in all, so many on any
one kind of them (customers who swear are a small kind), and so many on whatever else is known not to be of the label.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convert.guard.samples import Sample

Floats = NDArray[np.float64]

#: A target below this share of the votes is clearly not of the label, above its complement clearly of it.
CLEAR = 1 / 3


@dataclass(frozen=True, slots=True)
class Limits:
    """Shares of texts that a label may wrongly claim.

    Attributes:
        legitimate: of all legitimate texts.
        kind: of any one kind of legitimate texts.
        other: of all other texts that are clearly not of the label (forum talk, nearer to abuse than requests are).
        lowest: no threshold lies below it; a model that knows nothing says about this much.
        highest: no threshold lies above it.
    """

    legitimate: float = 0.01
    kind: float = 0.02
    other: float = 0.06
    lowest: float = 0.3
    highest: float = 0.99


def auc(scores: Floats, positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve of scores (N,): the chance that a positive outranks a negative, ties counting half.

    NaN where one of the two is missing.
    """
    count = int(positive.sum())
    if count in (0, len(positive)):
        return float("nan")
    _, inverse, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[inverse]  # mean rank of a tie, from 1
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * (len(positive) - count)))


def lowest_threshold(scores: Floats, share: float) -> float:
    """The lowest threshold that at most ``share`` of the scores (N,) reach; 0 for no scores."""
    allowed = int(np.floor(share * len(scores)))
    if allowed >= len(scores):
        return 0.0
    return float(np.nextafter(np.sort(scores)[::-1][allowed], np.inf))


def threshold(label: str, samples: Sequence[Sample], scores: Floats, limits: Limits) -> float:
    """The threshold of a label.

    Args:
        label: which.
        samples: N of them, to calibrate on.
        scores: (N,) its probabilities.
        limits: what it may wrongly claim.
    """
    legitimate: dict[str, list[float]] = defaultdict(list)
    other: list[float] = []
    for sample, score in zip(samples, scores.tolist(), strict=True):
        if sample.targets.get(label, 1.0) < CLEAR:  # what voters disagree about binds nothing
            (legitimate[sample.source] if sample.legitimate else other).append(score)
    every = [score for group in legitimate.values() for score in group]
    bounds = [lowest_threshold(np.array(every), limits.legitimate), lowest_threshold(np.array(other), limits.other)]
    bounds += [lowest_threshold(np.array(group), limits.kind) for group in legitimate.values()]
    return float(np.clip(max(bounds), limits.lowest, limits.highest))


def _targets(label: str, samples: Sequence[Sample]) -> tuple[Floats, NDArray[np.bool_]]:
    """Targets (N,) of a label, NaN where unknown, and whether each is clear."""
    targets = np.array([sample.targets.get(label, np.nan) for sample in samples])
    return targets, (targets < CLEAR) | (targets > 1 - CLEAR)


def label_auc(label: str, samples: Sequence[Sample], scores: Floats) -> float:
    """AUC of a label over the samples whose target is clear."""
    targets, clear = _targets(label, samples)
    return auc(scores[clear], targets[clear] > 0.5)


def figures(label: str, samples: Sequence[Sample], scores: Floats, at: float) -> dict[str, object]:
    """How a label does: AUC over all, and per source AUC, recall and false alarms at the threshold ``at``.

    Samples whose target is unknown or unclear (voters disagree) are left out.
    """
    targets, clear = _targets(label, samples)
    sources = np.array([sample.source for sample in samples])
    found: dict[str, object] = {"auc": rounded(label_auc(label, samples, scores)), "samples": int(clear.sum())}
    for source in sorted(set(sources[clear].tolist())):
        mask = clear & (sources == source)
        positive, claimed = targets[mask] > 0.5, scores[mask] >= at
        row = {
            "positives": int(positive.sum()),
            "negatives": int((~positive).sum()),
            "auc": rounded(auc(scores[mask], positive)),
            "recall": rounded(float(claimed[positive].mean())) if positive.any() else None,
            "false_alarms": rounded(float(claimed[~positive].mean())) if (~positive).any() else None,
        }
        found[source] = {key: value for key, value in row.items() if value is not None}
    return found


def rounded(value: float) -> float | None:
    """Four decimals; None for what could not be computed (JSON has no NaN)."""
    return None if np.isnan(value) else round(value, 4)


@dataclass(frozen=True, slots=True)
class Scored:
    """Samples with their probabilities (N, L), one column a label."""

    samples: Sequence[Sample]
    probabilities: Floats


def int8_cost(
    labels: Sequence[str], small: Scored, whole: Scored, thresholds: Mapping[str, float]
) -> dict[str, dict[str, float | None]]:
    """What quantisation changes, per label: decisions that agree with float32's, AUC lost, mean difference.

    Args:
        labels: names of the columns.
        small: the int8 model's probabilities.
        whole: the float32 model's, of the same samples.
        thresholds: per label.
    """
    found: dict[str, dict[str, float | None]] = {}
    for column, name in enumerate(labels):
        ours, theirs, at = small.probabilities[:, column], whole.probabilities[:, column], thresholds[name]
        lost = label_auc(name, whole.samples, theirs) - label_auc(name, small.samples, ours)
        found[name] = {
            "same_decision": rounded(float(((ours >= at) == (theirs >= at)).mean())),
            "auc_lost": rounded(lost),
            "mean_difference": rounded(float(np.abs(ours - theirs).mean())),
        }
    return found
