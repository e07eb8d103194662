"""Whether an answer is about what was asked: by its intent and by its placeholders. No text is judged by its wording.

**Intent accuracy.** The question's intent is known. A multinomial naive Bayes classifier (McCallum and Nigam 1998, "A
comparison of event models for naive Bayes text classification") over the answers' words and word pairs is trained on
the reference answers of the training half alone; a generated answer is right if the classifier gives it the question's
intent. The split keeps templates apart, so the classifier has seen no template of the references that the answers are
compared with. It errs: ``ceiling`` is the share of the *reference* answers that it gives their own intent, and an
accuracy near it is as good as this judge can tell.

**Placeholders.** Those such as ``{{Order Number}}`` in an answer against those in its reference, as sets, summed over
all answers: precision is the share of the written ones that the reference has too, recall the share of the reference's
that were written.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from convert.training.corpus import Pair, canonical_slots
from models.slots import slots_in

#: Added to every count, so that an unseen word decides nothing alone.
SMOOTHING = 0.1


@dataclass(frozen=True, slots=True)
class PlaceholderFigures:
    """Placeholders of answers against their references.

    Attributes:
        expected: in the references.
        written: in the answers.
        precision: 0 to 1; None if none was written.
        recall: 0 to 1; None if none was expected.
    """

    expected: int
    written: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class IntentFigures:
    """Answers against the intents of their questions.

    Attributes:
        intents: intents that the judge knows.
        judged: answers whose question's intent is one of them.
        accuracy: share of those that belong to it, 0 to 1.
        ceiling: the same share of the reference answers.
    """

    intents: int
    judged: int
    accuracy: float
    ceiling: float


class IntentJudge:
    """Naive Bayes over answers."""

    def __init__(self, train: Sequence[Pair]) -> None:
        """Count the words of the answers of each intent; pairs without an intent are passed over."""
        self._counts: dict[str, Counter[str]] = {}
        self._rows: Counter[str] = Counter()
        for pair in train:
            if pair.intent:
                self._counts.setdefault(pair.intent, Counter()).update(_terms(pair.answer))
                self._rows[pair.intent] += 1
        words = len({term for counts in self._counts.values() for term in counts})
        self._totals = {name: sum(counts.values()) + SMOOTHING * words for name, counts in self._counts.items()}

    @property
    def intents(self) -> frozenset[str]:
        """Those that it can tell apart."""
        return frozenset(self._counts)

    def intent(self, answer: str) -> str:
        """The most likely intent; of equally likely ones the first in alphabetical order."""
        terms = _terms(answer)

        def score(name: str) -> float:
            counts, total = self._counts[name], self._totals[name]
            return math.log(self._rows[name]) + sum(
                times * math.log((counts[term] + SMOOTHING) / total) for term, times in terms.items()
            )

        return max(sorted(self._counts), key=score)


def judge_intents(train: Sequence[Pair], asked: Sequence[Pair], answers: Sequence[str]) -> IntentFigures | None:
    """Judge answers by intent, or None if fewer than two intents are known or none of the questions' is.

    Args:
        train: the training half, with reference answers.
        asked: held-out pairs.
        answers: what was generated to each of them.
    """
    judge = IntentJudge(train)
    known = [(pair, answer) for pair, answer in zip(asked, answers, strict=True) if pair.intent in judge.intents]
    if len(judge.intents) < 2 or not known:
        return None
    right = sum(judge.intent(answer) == pair.intent for pair, answer in known)
    able = sum(judge.intent(pair.answer) == pair.intent for pair, _ in known)
    return IntentFigures(len(judge.intents), len(known), right / len(known), able / len(known))


def judge_placeholders(answers: Sequence[str], references: Sequence[str]) -> PlaceholderFigures:
    """Compare the placeholders of answers with those of their references."""
    written = expected = both = 0
    for answer, reference in zip(answers, references, strict=True):
        mine, theirs = slots_in(canonical_slots(answer)), slots_in(canonical_slots(reference))
        written, expected, both = written + len(mine), expected + len(theirs), both + len(mine & theirs)
    return PlaceholderFigures(
        expected, written, both / written if written else None, both / expected if expected else None
    )


def _terms(text: str) -> Counter[str]:
    words = re.findall(r"[a-z']+|[^\W\d_a-z]", text.lower())
    return Counter([*words, *(f"{one} {two}" for one, two in pairwise(words))])
