"""How good the guards are on labelled texts: recall, false positives, area under the curve, latency."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from guards.guard import Guard
from guards.verdict import Action, Verdict


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text, whether it should be caught, and where it comes from."""

    text: str
    attack: bool
    source: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one labelled text."""

    attack: bool
    source: str
    caught: bool
    rule: str
    risk: float
    took_ms: float


@dataclass(frozen=True, slots=True)
class Rates:
    """Shares of one group of texts; None where the group has no text of that label.

    Attributes:
        attacks: texts that should be caught.
        harmless: texts that should not.
        recall: share of the attacks that were caught.
        false_positive_rate: share of the harmless texts that were caught.
    """

    attacks: int
    harmless: int
    recall: float | None
    false_positive_rate: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures for a whole file.

    Attributes:
        total: over all texts.
        auc: probability that an attack has a higher risk than a harmless text, ties counted half; None without both.
        latency_p50_ms: median of the time per text.
        latency_p95_ms: 95th percentile of it.
        rules: how often each rule decided, per rule.
        sources: rates per source, if the file names any.
        mode: the guard's mode.
        policy_version: the policy that was applied.
    """

    total: Rates
    auc: float | None
    latency_p50_ms: float
    latency_p95_ms: float
    rules: Mapping[str, int]
    sources: Mapping[str, Rates]
    mode: str
    policy_version: str

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def judge(guard: Guard, row: LabelledText) -> Outcome:
    """Run the input guards over one text; a text is caught if it is blocked or sent to a person."""
    verdict = guard.check_input(row.text)
    caught = verdict.action in (Action.BLOCK, Action.REVIEW)
    risk = _risk(verdict, caught, guard.policy.toxicity.ignored_labels)
    return Outcome(row.attack, row.source, caught, verdict.rule if caught else "", risk, verdict.took_ms)


def evaluate(guard: Guard, outcomes: Iterable[Outcome]) -> Evaluation:
    """The figures for the outcomes.

    Raises:
        ValueError: there are none.
    """
    rows = list(outcomes)
    if not rows:
        raise ValueError("no texts to evaluate; expected at least one")
    took_ms = [row.took_ms for row in rows]
    sources = sorted({row.source for row in rows if row.source})
    return Evaluation(
        total=_rates(rows),
        auc=auc([row.risk for row in rows if row.attack], [row.risk for row in rows if not row.attack]),
        latency_p50_ms=float(np.percentile(took_ms, 50)),
        latency_p95_ms=float(np.percentile(took_ms, 95)),
        rules=dict(Counter(row.rule for row in rows if row.rule).most_common()),
        sources={source: _rates([row for row in rows if row.source == source]) for source in sources},
        mode=guard.mode.value,
        policy_version=guard.policy.stamp,
    )


def auc(positive: Sequence[float], negative: Sequence[float]) -> float | None:
    """Area under the ROC curve by the rank sum (Mann and Whitney 1947), ties counted half."""
    if not positive or not negative:
        return None
    low = np.sort(np.asarray(negative))
    below = np.searchsorted(low, positive, side="left")
    up_to = np.searchsorted(low, positive, side="right")
    return float((below + up_to).sum() / (2.0 * len(positive) * len(negative)))


def _rates(rows: Sequence[Outcome]) -> Rates:
    attacks = [row.caught for row in rows if row.attack]
    harmless = [row.caught for row in rows if not row.attack]
    return Rates(len(attacks), len(harmless), _share(attacks), _share(harmless))


def _share(caught: Sequence[bool]) -> float | None:
    return sum(caught) / len(caught) if caught else None


def _risk(verdict: Verdict, caught: bool, ignored_labels: Sequence[str]) -> float:
    """The highest probability of a label that counts; 1 if a rule without probabilities caught the text."""
    if caught and not verdict.scores:
        return 1.0
    return max((score for label, score in verdict.scores.items() if label not in ignored_labels), default=0.0)
