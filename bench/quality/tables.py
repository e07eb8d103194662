"""The quality of a bundle as tables."""

from __future__ import annotations

from bench.cells import NOTHING, Row, Table
from bench.metrics import Estimate
from bench.quality.likelihood import Likelihood
from bench.quality.run import Quality

_NAMES = {"en": "English", "zh": "Chinese", "all": "all"}


def found_tables(quality: Quality) -> tuple[Table, ...]:
    """Every table that has rows, in order."""
    tables = (_likelihood(quality.likelihood), _overlap(quality), _conduct(quality))
    return tuple(table for table in tables if table.rows)


def _likelihood(found: tuple[Likelihood, ...]) -> Table:
    rows: list[Row] = []
    reference = ""
    for one in found:
        cells = [_NAMES[one.language], f"{one.texts} / {one.tokens}", _value(one.perplexity, "{:,.1f}")]
        if one.against is None:
            cells += [NOTHING] * 4
        else:
            reference = one.against.reference
            cells += [
                _value(one.against.reference_perplexity, "{:,.1f}"),
                _value(one.against.mean_kld, "{:.2g}"),
                f"{one.against.p99_kld:.2g}",
                _value(one.against.same_top1, "{:.1%}"),
            ]
        rows.append(tuple(cells))
    head = ("language", "texts / tokens", "perplexity", "reference's", "mean KLD, nats", "p99 KLD", "same top-1")
    note = f"Reference: {reference}. " if reference else "No --reference was given, so there is no divergence. "
    return Table("Reference answers under the model", head, tuple(rows), note + "In brackets: 95 % intervals.")


def _overlap(quality: Quality) -> Table:
    rows = tuple(
        (
            _NAMES[one.language],
            str(one.answers),
            _value(one.bleu, "{:.1f}"),
            _value(one.rouge_l, "{:.3f}"),
            one.bleu_signature,
        )
        for one in quality.overlap
    )
    head = ("language", "answers", "BLEU-4", "ROUGE-L", "sacrebleu")
    return Table("Answers against reference answers", head, rows, "Common words, not right answers: compare bundles.")


def _conduct(quality: Quality) -> Table:
    rows = tuple(
        (
            _NAMES[name],
            *(_of(share) for share in (found.intent, found.grounded, found.replaced, found.abstained, found.answered)),
        )
        for name, found in quality.conduct.items()
    )
    head = ("language", "intent right", "grounded", "invention taken out", "hands over if it must", "answers if it can")
    note = "Grounded and taken out: of the answers that the model wrote. In brackets: 95 % intervals, then how many."
    return Table("Conduct", head, rows, note)


def _value(estimate: Estimate, form: str) -> str:
    text = form.format(estimate.value)
    if estimate.low is None or estimate.high is None:
        return text
    return f"{text} ({form.format(estimate.low)}–{form.format(estimate.high)})"


def _of(share: Estimate | None) -> str:
    return NOTHING if share is None else f"{_value(share, '{:.0%}')} of {share.requests}"
