"""Train the injection classifier: logistic regression over hashed n-grams, in windows, with a calibrated threshold."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from convert.demo.injection_data import ORDINARY, Mix, Text, read_texts
from convert.demo.injection_windows import Windows
from convert.demo.toxicity import share_of
from convert.errors import InputError
from convert.progress import Progress, silent
from models.ngram_classifier import NgramClassifier
from models.ngrams import BUCKETS

log = logging.getLogger(__name__)

INJECTION = "injection.npz"

#: Logit from which a short window of a harmless text is worth learning from.
NEAR = -3.0

Booleans = NDArray[np.bool_]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class InjectionOptions:
    """How the classifier is trained.

    Attributes:
        epochs: passes over the windows.
        batch: windows a step.
        lr: Adam's learning rate, falling linearly to zero.
        decay: weight decay towards zero.
        dropout: share of a window's features that a step leaves out.
        held_out: share of the groups that the threshold is calibrated on, in per cent.
        false_alarms: share of ordinary requests and remarks that may count as an attack.
        false_triggers: the same of harmless texts full of the words of attacks.
        false_data: the same of harmless texts that are data, for the lower threshold.
        mix: the training texts.
        seed: of order and dropout.
    """

    epochs: int = 4
    batch: int = 1024
    lr: float = 0.05
    decay: float = 2e-6
    dropout: float = 0.3
    held_out: int = 12
    false_alarms: float = 0.02
    false_triggers: float = 0.06
    false_data: float = 0.02
    mix: Mix = field(default_factory=Mix)
    seed: int = 3


@dataclass(frozen=True, slots=True)
class InjectionReport:
    """Figures on groups that calibration held out of training.

    Attributes:
        attacks: how many.
        recall: share of them at or over the threshold.
        harmless: how many texts that are no attack.
        false_alarms: share of them at or over the threshold.
        threshold: the probability.
        data_threshold: the probability for texts that are data.
        bytes: size of the file.
    """

    attacks: int
    recall: float
    harmless: int
    false_alarms: float
    threshold: float
    data_threshold: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Corpus:
    """Texts with their windows, made once for several trainings.

    Attributes:
        texts: N of them.
        attack: (N,) bool.
        windows: of all texts.
    """

    texts: Sequence[Text]
    attack: Booleans
    windows: Windows

    @classmethod
    def of(cls, texts: Sequence[Text], progress: Progress = silent) -> Corpus:
        """Cut the texts into windows."""
        return cls(texts, np.array([t.attack for t in texts]), Windows.of([t.text for t in texts], progress))

    def where(self, test: Callable[[Text], bool]) -> Booleans:
        """Of which texts something is true: (N,) bool."""
        return np.array([test(text) for text in self.texts])

    def calibration(self, share: int) -> Booleans:
        """Of which texts the group is kept out of training; a mixture never is, its parts may be anybody's."""
        return self.where(lambda t: not t.parts and share_of(t.group) < share)


def train_injection(
    data: Path, out: Path, options: InjectionOptions | None = None, progress: Progress = silent
) -> InjectionReport:
    """Train, calibrate on held-out groups, train again on everything, and write ``out/injection.npz``.

    Args:
        data: folder with ``injection/``, ``support/`` and ``toxicity/``.
        out: folder for the result.
        options: how to train; None takes the defaults.
        progress: told after every step of the work.

    Returns:
        Figures on the groups held out.

    Raises:
        InputError: a file is missing or malformed, or there is nothing to calibrate on.
    """
    options = options or InjectionOptions()
    corpus = Corpus.of(read_texts(data, options.mix), progress)
    kept = corpus.calibration(options.held_out)
    scores, first = fitted(corpus, ~kept, kept, options, _staged(progress, "to calibrate"))
    everyone = np.ones(len(kept), bool)
    weights, bias = fit(corpus, everyone, options, _staged(progress, "on everything"))
    classifier = packed(weights, bias, first.threshold, first.data_threshold)
    out.mkdir(parents=True, exist_ok=True)
    classifier.save(out / INJECTION)
    caught = scores >= _logit(first.threshold)
    report = InjectionReport(
        attacks=int((kept & corpus.attack).sum()),
        recall=float(caught[kept & corpus.attack].mean()),
        harmless=int((kept & ~corpus.attack).sum()),
        false_alarms=float(caught[kept & ~corpus.attack].mean()),
        threshold=first.threshold,
        data_threshold=first.data_threshold,
        bytes=(out / INJECTION).stat().st_size,
    )
    log.info("%s", report)
    return report


def fitted(
    corpus: Corpus, train: Booleans, calibrate: Booleans, options: InjectionOptions, progress: Progress = silent
) -> tuple[Floats, NgramClassifier]:
    """The logit of every text, (N,) float32, and the calibrated classifier.

    Raises:
        InputError: there is nothing to calibrate on.
    """
    weights, bias = fit(corpus, train, options, progress)
    scores = corpus.windows.highest(weights, bias)
    calm = calibrate & ~corpus.attack
    kinds: tuple[tuple[Callable[[Text], bool], float], ...] = (
        (lambda t: t.source in ORDINARY, options.false_alarms),
        (lambda t: t.source.startswith("own.harmless"), options.false_triggers),
    )
    limit = max(_limit(scores, calm & corpus.where(test), share) for test, share in kinds)
    data = _limit(scores, calm & corpus.where(lambda t: t.source in {"answers", "bipia-mails"}), options.false_data)
    return scores, packed(weights, bias, _probability(limit), _probability(min(limit, data)))


def fit(
    corpus: Corpus, train: Booleans, options: InjectionOptions, progress: Progress = silent
) -> tuple[Floats, float]:
    """Weights (BUCKETS,) float32 and bias.

    Long texts teach by their long windows first. Then short windows are added: those of harmless texts that come near
    an attack, and of every attack the one that looks most like one, because nobody says which sentence of it is
    the attack.
    """
    windows = corpus.windows
    long = np.flatnonzero(train[windows.owners] & ~windows.short)
    weights, bias = _regression(corpus, long, options, _staged(progress, "long windows"))
    logits = windows.logits(weights, bias)
    best = np.full(len(train), -np.inf, np.float32)
    np.maximum.at(best, windows.owners[windows.short], logits[windows.short])
    attack = corpus.attack[windows.owners]
    wanted = np.where(attack, (logits >= best[windows.owners]) & (logits > 0), logits > NEAR)
    chosen = np.flatnonzero(train[windows.owners] & (~windows.short | wanted))
    return _regression(corpus, chosen, options, _staged(progress, "all windows"))


def _regression(
    corpus: Corpus, chosen: NDArray[np.int64], options: InjectionOptions, progress: Progress
) -> tuple[Floats, float]:
    """Weights and bias from the windows ``chosen`` (K,)."""
    windows = corpus.windows
    owners = windows.owners[chosen]
    targets = corpus.attack[owners].astype(np.float32)
    shares = (1 / np.sqrt(np.bincount(owners, minlength=len(corpus.texts))[owners])).astype(np.float32)
    attacks, rest = float(shares[targets == 1].sum()), float(shares[targets == 0].sum())
    if not attacks or not rest:
        raise InputError("the training texts hold only one class; expected attacks and harmless texts")
    shares *= np.where(targets == 1, rest / attacks, 1.0).astype(np.float32)
    shares /= shares.mean()
    torch.manual_seed(options.seed)
    bag = torch.nn.EmbeddingBag(BUCKETS, 1, mode="sum")
    torch.nn.init.zeros_(bag.weight)
    bias = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.Adam([bag.weight, bias], lr=options.lr, weight_decay=options.decay, fused=True)
    steps = options.epochs * -(-len(chosen) // options.batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 - step / steps)
    rng = np.random.default_rng(options.seed)
    for epoch in range(options.epochs):
        order = rng.permutation(len(chosen))
        for start in range(0, len(order), options.batch):
            part = order[start : start + options.batch]
            ids, values, offsets = (torch.from_numpy(array) for array in windows.bag(chosen[part]))
            values = torch.nn.functional.dropout(values, options.dropout)
            logits = bag(ids, offsets, per_sample_weights=values)[:, 0] + bias
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                logits, torch.from_numpy(targets[part]), torch.from_numpy(shares[part])
            )
            torch.autograd.backward(loss)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            schedule.step()
        progress("train injection", epoch + 1, options.epochs)
    return bag.weight.detach().numpy()[:, 0].copy(), float(bias.detach())


def packed(weights: Floats, bias: float, threshold: float, data_threshold: float) -> NgramClassifier:
    """The classifier with int8 weights; the largest fiftieth of a per cent are cut off, so others keep their steps."""
    top = float(np.quantile(np.abs(weights), 0.9998)) or 1.0
    scale = top / 127
    rounded = np.clip(np.rint(weights / scale), -127, 127).astype(np.int8)
    return NgramClassifier(rounded, scale, bias, threshold, data_threshold)


def _staged(progress: Progress, part: str) -> Progress:
    """The same, with the part named: a stage must not begin again."""
    return lambda stage, done, total: progress(f"{stage}, {part}", done, total)


def _limit(scores: Floats, texts: Booleans, share: float) -> float:
    """The logit that only ``share`` of the texts reach."""
    if not texts.any():
        raise InputError("no harmless text to calibrate on; expected some hundred in the data folder")
    return float(np.quantile(scores[texts], 1 - share))


def _probability(logit: float) -> float:
    return float(min(max(1 / (1 + np.exp(-logit)), 1e-6), 1 - 1e-6))


def _logit(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))
