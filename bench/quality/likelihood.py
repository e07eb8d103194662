"""Perplexity of reference answers under a model, and how far its predictions are from a reference model's.

perplexity  ``exp(sum(-log q(x_t)) / T)`` over all answer tokens ``x_t`` of all texts, given what stands before them
            (Jelinek, Mercer, Bahl, Baker 1977, "Perplexity: a measure of the difficulty of speech recognition tasks").
KLD         mean over the same positions of ``sum_v p(v) (log p(v) - log q(v))``, nats: ``p`` is the reference, ``q``
            the model (Kullback, Leibler 1951, "On Information and Sufficiency"). The direction asks: what does the
            model lose of what the reference says?
same top-1  share of positions at which both find the same token likeliest.

Intervals are bootstrap intervals over texts, not positions, because the tokens of one answer hang together. Both models
read the same tokens in the same chunks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.errors import UsageError
from bench.metrics import Estimate, Floats, interval, ratio_draws
from bench.quality.reader import Reader, documents
from bench.quality.texts import QualityText
from models.manifest import Chat

_SEED = 17


@dataclass(frozen=True, slots=True)
class Divergence:
    """A model against a reference.

    Attributes:
        reference: the reference's file name.
        reference_perplexity: of the same answers under the reference.
        mean_kld: nats.
        p99_kld: its 99th percentile over positions, nats.
        same_top1: share of positions, 0 to 1.
    """

    reference: str
    reference_perplexity: Estimate
    mean_kld: Estimate
    p99_kld: float
    same_top1: Estimate


@dataclass(frozen=True, slots=True)
class Likelihood:
    """What a model thinks of the reference answers.

    Attributes:
        language: of the texts.
        texts: how many.
        tokens: of the answers together.
        perplexity: of the answers.
        against: the reference model; None if there was none.
    """

    language: str
    texts: int
    tokens: int
    perplexity: Estimate
    against: Divergence | None = None


@dataclass(frozen=True, slots=True)
class TextFigures:
    """One text of T answer tokens.

    Attributes:
        losses: -log q of each token, nats, shape (T,).
        reference_losses: -log p of each, shape (T,); empty without a reference.
        klds: KL(p || q) at each, nats, shape (T,); empty without a reference.
        same: whether both find the same token likeliest, 0.0 or 1.0, shape (T,); empty without a reference.
    """

    losses: Floats
    reference_losses: Floats
    klds: Floats
    same: Floats


def measure_likelihood(
    model: Path,
    chat: Chat,
    texts: Sequence[QualityText],
    reference: Path | None,
    observe: Callable[[float], None],
    threads: int = 0,
) -> tuple[Likelihood, ...]:
    """Read every text with the model and, side by side, with the reference; one entry a language.

    ``threads`` 0 takes the physical cores. Memory: both models, and log-probabilities of one text of each: 8 bytes a
    vocabulary entry and token.

    Raises:
        UsageError: a file cannot be loaded, the vocabularies differ, or a text is too long.
    """
    with ExitStack() as stack:
        ours = stack.enter_context(Reader(model, threads))
        theirs = stack.enter_context(Reader(reference, threads)) if reference else None
        found: dict[str, list[TextFigures]] = {}
        read = documents(ours, chat, texts)
        if theirs is not None and documents(theirs, chat, texts) != read:
            raise UsageError(
                f"{reference}: splits the texts into other tokens than {model}; expected the same vocabulary; name the "
                "GGUF that the bundle's model was quantised from"
            )
        for number, (text, document) in enumerate(zip(texts, read, strict=True), start=1):
            p = theirs.log_probabilities(document) if theirs else None
            figures = text_figures(document.ids[document.first :], ours.log_probabilities(document), p)
            found.setdefault(text.language, []).append(figures)
            observe(number / len(texts))
    return tuple(summarise(language, rows, reference.name if reference else "") for language, rows in found.items())


def text_figures(ids: Sequence[int], model: Floats, reference: Floats | None) -> TextFigures:
    """Figures of one text.

    Args:
        ids: the T tokens of the answer.
        model: their log-probabilities (T, V) under the model.
        reference: the same under the reference; None if there is none.

    Raises:
        UsageError: the shapes disagree.
    """
    if reference is not None and reference.shape != model.shape:
        raise UsageError(
            f"log-probabilities of shapes {reference.shape} and {model.shape}; expected the same vocabulary; name the "
            "GGUF that the bundle's model was quantised from"
        )
    places, tokens = np.arange(len(ids)), np.asarray(ids, dtype=np.int64)
    if reference is None:
        return TextFigures(-model[places, tokens], np.empty(0), np.empty(0), np.empty(0))
    return TextFigures(
        losses=-model[places, tokens],
        reference_losses=-reference[places, tokens],
        klds=(np.exp(reference) * (reference - model)).sum(axis=-1),
        same=(reference.argmax(axis=-1) == model.argmax(axis=-1)).astype(np.float64),
    )


def summarise(language: str, rows: Sequence[TextFigures], reference: str) -> Likelihood:
    """All texts of a language together."""
    tokens = [len(row.losses) for row in rows]
    against = None
    if reference:
        klds = np.concatenate([row.klds for row in rows])
        against = Divergence(
            reference=reference,
            reference_perplexity=_perplexity([row.reference_losses for row in rows], tokens),
            mean_kld=_mean([row.klds for row in rows], tokens),
            p99_kld=max(0.0, float(np.percentile(klds, 99))),
            same_top1=_mean([row.same for row in rows], tokens),
        )
    return Likelihood(language, len(rows), sum(tokens), _perplexity([row.losses for row in rows], tokens), against)


def _perplexity(losses: Sequence[Floats], tokens: Sequence[int]) -> Estimate:
    mean = _mean(losses, tokens)
    low, high = (None if end is None else math.exp(end) for end in (mean.low, mean.high))
    return Estimate(math.exp(mean.value), low, high, mean.requests)


def _mean(values: Sequence[Floats], tokens: Sequence[int]) -> Estimate:
    """Mean over positions, its interval by drawing texts. Rounding can bring a divergence of 0 to -1e-17: 0 then."""
    sums = [max(0.0, float(one.sum())) for one in values]
    value = sum(sums) / sum(tokens)
    if len(sums) < 2:
        return Estimate(value, None, None, len(sums))
    return Estimate(value, *interval(ratio_draws(sums, tokens, _SEED)), len(sums))
