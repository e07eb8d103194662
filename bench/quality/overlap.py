"""How much of the reference answers' words the answers have: BLEU-4 and ROUGE-L, with intervals.

BLEU-4    corpus BLEU by sacrebleu, 0 to 100 (Papineni and others 2002; Post 2018, "A Call for Clarity in Reporting
          BLEU Scores", which is why its signature stands beside the figure).
ROUGE-L   mean F-measure of the longest common subsequence, 0 to 1, by rouge_score without stemming (Lin 2004). Its own
          tokenizer knows only Latin letters and digits; here every Chinese character is a word of its own.

Both count common words, not right answers: a good answer in other words scores low. Compare bundles with them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenizers import Tokenizer

from bench.metrics import DRAWS, Estimate, interval, ratio_draws

_SEED = 17
_WORD = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]")

#: sacrebleu's tokenizer by language.
_TOKENIZERS = {"en": "13a", "zh": "zh"}


@dataclass(frozen=True, slots=True)
class Overlap:
    """Figures of one language.

    Attributes:
        language: of the texts.
        answers: how many were compared.
        bleu: corpus BLEU-4, 0 to 100.
        bleu_signature: sacrebleu's statement of how it was computed.
        rouge_l: mean ROUGE-L F-measure, 0 to 1.
    """

    language: str
    answers: int
    bleu: Estimate
    bleu_signature: str
    rouge_l: Estimate


class _Words(Tokenizer):  # type: ignore[misc]
    """Latin words and numbers in lower case, Chinese characters one by one."""

    def tokenize(self, text: str) -> list[str]:
        return _WORD.findall(text.lower())


def measure_overlap(language: str, answers: Sequence[str], references: Sequence[str]) -> Overlap:
    """Compare answers with their references, in order.

    Raises:
        ValueError: no answers, or not as many references.
    """
    if not answers or len(answers) != len(references):
        raise ValueError(f"{len(answers)} answers and {len(references)} references; expected as many, at least one")
    scorer = RougeScorer(["rougeL"], tokenizer=_Words())
    scores = [scorer.score(good, said)["rougeL"].fmeasure for said, good in zip(answers, references, strict=True)]
    rouge = _mean([float(score) for score in scores])
    metric = sacrebleu.metrics.BLEU(tokenize=_TOKENIZERS[language])
    total = metric.corpus_score(list(answers), [list(references)])
    bleu = Estimate(float(total.score), *_bleu_interval(metric, answers, references), len(answers))
    return Overlap(language, len(answers), bleu, str(metric.get_signature()), rouge)


def _mean(values: Sequence[float]) -> Estimate:
    value = sum(values) / len(values)
    if len(values) < 2:
        return Estimate(value, None, None, len(values))
    return Estimate(value, *interval(ratio_draws(values, [1.0] * len(values), _SEED)), len(values))


def _bleu_interval(
    metric: sacrebleu.metrics.BLEU, answers: Sequence[str], references: Sequence[str]
) -> tuple[float | None, float | None]:
    """Interval of corpus BLEU by drawing answers: counts add up over answers, so one look at each is enough."""
    if len(answers) < 2:
        return None, None
    single = [metric.corpus_score([said], [[good]]) for said, good in zip(answers, references, strict=True)]
    counts = np.asarray([[*one.counts, *one.totals, one.sys_len, one.ref_len] for one in single])  # (answers, 10)
    chosen = np.random.default_rng(_SEED).integers(0, len(single), (DRAWS, len(single)))
    drawn = [
        metric.compute_bleu(
            correct=[*map(int, row[:4])],
            total=[*map(int, row[4:8])],
            sys_len=int(row[8]),
            ref_len=int(row[9]),
            smooth_method=metric.smooth_method,
            smooth_value=metric.smooth_value,
        ).score
        for row in counts[chosen].sum(axis=1)
    ]
    return interval(np.asarray(drawn, dtype=np.float64))
