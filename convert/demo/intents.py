"""Train the intent classifier: softmax regression over 27 customer-service intents and ``out_of_scope``."""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from convert.demo import temper
from convert.demo.intent_data import FALLBACK, Request, comments, read_requests, split, utterances
from convert.progress import Progress, silent
from models.linear import BUCKETS, LinearClassifier, features, load_linear

log = logging.getLogger(__name__)

INTENTS = "intents.npz"


@dataclass(frozen=True, slots=True)
class IntentOptions:
    """How the classifier is trained.

    Attributes:
        epochs: passes over the examples.
        batch: examples a step.
        lr: Adam's learning rate, falling linearly to zero.
        decay: weight decay towards zero.
        dropout: share of a text's features that a step leaves out.
        joined: share of the examples that are two requests in one message, both intents being right.
        repeats: how often an epoch shows the project's own utterances.
        held_out: share of the templates held out, in per cent.
        leniency: taken off the bias of ``out_of_scope``: to turn a customer away costs more than to answer a stranger.
        false_claims: share of strange texts that may pass for a customer's request.
        seed: of order and augmentation.
    """

    epochs: int = 8
    batch: int = 128
    lr: float = 0.02
    decay: float = 1e-6
    dropout: float = 0.5
    joined: float = 0.15
    repeats: int = 40
    held_out: int = 10
    leniency: float = 1.0
    false_claims: float = 0.05
    seed: int = 3


@dataclass(frozen=True, slots=True)
class IntentReport:
    """Figures of the file as written; no text here was trained on.

    Attributes:
        requests: how many templated requests were held out.
        accuracy: share of them given their own intent.
        utterances: how many free utterances were held out, those out of scope included.
        utterance_accuracy: share of them given their own intent (or ``out_of_scope``).
        strangers: how many questions of unseen topics outside the desk's business.
        recall: share of those recognised as out of scope.
        comments: how many comments from a forum, a kind of text that was never trained on.
        comment_recall: share of those recognised as out of scope.
        min_confidence: the threshold, calibrated on other such comments.
        bytes: size of the file.
    """

    requests: int
    accuracy: float
    utterances: int
    utterance_accuracy: float
    strangers: int
    recall: float
    comments: int
    comment_recall: float
    min_confidence: float
    bytes: int


def augmented(requests: Sequence[Request], options: IntentOptions) -> list[tuple[str, tuple[str, ...]]]:
    """Texts with their right labels: requests, utterances, outbursts, and two requests in one message."""
    rng = random.Random(options.seed)
    everything = [*requests, *utterances(held_out=False) * options.repeats]
    rows: list[tuple[str, tuple[str, ...]]] = [(request.text, (request.label,)) for request in everything]
    asked = [request for request in everything if request.label != FALLBACK]
    for _ in range(round(options.joined * len(asked))):
        first, second = rng.sample(asked, 2)
        joint = rng.choice((" and ", ". ", ", also ", " and then ", "? "))
        rows.append((first.text + joint + second.text, (first.label, second.label)))
    for request in rng.sample(asked, len(asked) // 15):
        rows.append((temper.outburst(request.text, temper.FRUSTRATIONS + temper.INSULTS, rng), (request.label,)))
    return rows


def train_intents(
    data: Path, out: Path, options: IntentOptions | None = None, progress: Progress = silent
) -> IntentReport:
    """Train, calibrate, and write ``out/intents.npz``.

    Args:
        data: folder with ``support/`` and ``toxicity/``.
        out: folder for the result.
        options: how to train; None takes the defaults.
        progress: told after every epoch.

    Returns:
        Figures of the file as written, on held-out texts.

    Raises:
        InputError: a file is missing or malformed.
    """
    options = options or IntentOptions()
    train, held = split(read_requests(data), options.held_out)
    rows = augmented(train, options)
    labels = tuple(sorted({label for _, right in rows for label in right}))
    weights, bias = _fit(
        [features(text) for text, _ in rows], _targets([right for _, right in rows], labels), options, progress
    )
    bias[labels.index(FALLBACK)] -= options.leniency
    scales = (np.abs(weights).max(axis=0) / 127).astype(np.float32)
    packed = np.rint(weights / scales).astype(np.int8)
    calibrate, strange = comments(data)
    open_door = LinearClassifier(labels, packed, scales, bias, FALLBACK, 0.0)
    threshold = _threshold(open_door, [request.text for request in calibrate], options.false_claims)
    out.mkdir(parents=True, exist_ok=True)
    LinearClassifier(labels, packed, scales, bias, FALLBACK, threshold).save(out / INTENTS)
    report = evaluate(out / INTENTS, held, strange)
    log.info("%s", report)
    return report


def _targets(right: Sequence[tuple[str, ...]], labels: Sequence[str]) -> NDArray[np.float32]:
    """Probability of every label, (N, C) float32; two right labels share one."""
    place = {label: position for position, label in enumerate(labels)}
    targets = np.zeros((len(right), len(labels)), np.float32)
    for row, names in enumerate(right):
        for name in names:
            targets[row, place[name]] += 1 / len(names)
    return targets


def _fit(
    rows: Sequence[tuple[NDArray[np.int32], NDArray[np.float32]]],
    targets: NDArray[np.float32],
    options: IntentOptions,
    progress: Progress,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (BUCKETS, C) and bias (C,), float32."""
    torch.manual_seed(options.seed)
    bag = torch.nn.EmbeddingBag(BUCKETS, targets.shape[1], mode="sum", sparse=False)
    torch.nn.init.zeros_(bag.weight)
    bias = torch.nn.Parameter(torch.zeros(targets.shape[1]))
    optimizer = torch.optim.Adam([bag.weight, bias], lr=options.lr, weight_decay=options.decay, fused=True)
    steps = options.epochs * -(-len(rows) // options.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    rng, order = random.Random(options.seed), list(range(len(rows)))
    for epoch in range(options.epochs):
        rng.shuffle(order)
        for start in range(0, len(order), options.batch):
            part = order[start : start + options.batch]
            ids = torch.from_numpy(np.concatenate([rows[i][0] for i in part])).long()
            values = torch.from_numpy(np.concatenate([rows[i][1] for i in part]))
            values = torch.nn.functional.dropout(values, options.dropout)
            offsets = torch.tensor(np.cumsum([0] + [len(rows[i][0]) for i in part[:-1]]))
            logits = bag(ids, offsets, per_sample_weights=values) + bias
            loss = torch.nn.functional.cross_entropy(logits, torch.from_numpy(targets[part]), label_smoothing=0.02)
            torch.autograd.backward(loss)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            schedule.step()
        progress("train intents", epoch + 1, options.epochs)
    return bag.weight.detach().numpy(), bias.detach().numpy()


def _threshold(classifier: LinearClassifier, strange: Sequence[str], false_claims: float) -> float:
    """The confidence in any of the desk's intents that only ``false_claims`` of the strange texts reach."""
    best = []
    for text in strange:
        scores = classifier.scores(text)
        label = max(scores, key=lambda name: scores[name])
        best.append(0.0 if label == FALLBACK else scores[label])
    return float(np.quantile(best, 1 - false_claims))


def evaluate(path: Path, held: Sequence[Request], strange: Sequence[Request]) -> IntentReport:
    """Figures of a classifier file on held-out requests, utterances and comments."""
    classifier = load_linear(path)

    def right(items: Sequence[Request]) -> float:
        return float(np.mean([classifier.best(item.text) == item.label for item in items]))

    spoken = utterances(held_out=True)
    asked = [request for request in held if request.label != FALLBACK]
    outside = [request for request in held if request.label == FALLBACK]
    return IntentReport(
        requests=len(asked),
        accuracy=right(asked),
        utterances=len(spoken),
        utterance_accuracy=right(spoken),
        strangers=len(outside),
        recall=right(outside),
        comments=len(strange),
        comment_recall=right(strange),
        min_confidence=classifier.min_confidence,
        bytes=path.stat().st_size,
    )
