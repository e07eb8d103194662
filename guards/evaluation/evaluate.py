"""How good the guards are on labelled texts: recall, false positives, area under the curve, latency; each alone too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from guards.evaluation.bootstrap import Bootstrap, Interval, auc
from guards.evaluation.speed_latency import Latency
from guards.guard import Guard
from guards.policy import Direction
from guards.verdict import Action, Verdict

__all__ = ["Alone", "Evaluation", "LabelledText", "Outcome", "Rates", "auc", "evaluate", "judge", "lone_guards"]


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text, whether it should be caught, and where it comes from."""

    text: str
    attack: bool
    source: str = ""


@dataclass(frozen=True, slots=True)
class Alone:
    """What one guard by itself made of a text: whether it acted on it, also by redacting; and its own time."""

    acted: bool
    took_ms: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one labelled text.

    Attributes:
        attack: whether it should be caught.
        source: where it comes from.
        caught: whether it was blocked or sent to a person.
        rule: the rule that decided; empty if none did.
        risk: 0 to 1.
        took_ms: milliseconds of all guards together.
        alone: what each guard said by itself, if that was asked for.
    """

    attack: bool
    source: str
    caught: bool
    rule: str
    risk: float
    took_ms: float
    alone: Mapping[str, Alone] = field(default_factory=dict)


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
class Intervals:
    """95 % intervals of a group's figures; None where there is no figure."""

    recall: Interval | None
    false_positive_rate: Interval | None
    auc: Interval | None


@dataclass(frozen=True, slots=True)
class LoneGuard:
    """One guard by itself: a text counts as caught if the guard acted on it in any way, also by redacting."""

    rates: Rates
    latency: Latency


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures for a whole file.

    Attributes:
        total: over all texts.
        auc: probability that an attack has a higher risk than a harmless text, ties counted half; None without both.
        intervals: of the figures over all texts.
        latency: of all guards together, per text.
        rules: how often each rule decided, per rule.
        sources: rates per source, if the file names any.
        source_intervals: their intervals; the area's too, where a source has both labels.
        guards: each guard by itself, if that was asked for.
        mode: the guard's mode.
        policy_version: the policy that was applied.
    """

    total: Rates
    auc: float | None
    intervals: Intervals
    latency: Latency
    rules: Mapping[str, int]
    sources: Mapping[str, Rates]
    source_intervals: Mapping[str, Intervals]
    guards: Mapping[str, LoneGuard]
    mode: str
    policy_version: str

    @property
    def latency_p50_ms(self) -> float:
        """Median of the time per text."""
        return self.latency.p50_ms

    @property
    def latency_p95_ms(self) -> float:
        """95th percentile of it."""
        return self.latency.p95_ms

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def lone_guards(guard: Guard) -> dict[str, Guard]:
    """For each guard that judges messages, one that has no other beside it (but the encoding check)."""
    families = [family for family, direction in guard.policy.actions if direction is Direction.INPUT]
    return {family: guard.under(guard.policy.only(family)) for family in families}


def judge(guard: Guard, row: LabelledText, alone: Mapping[str, Guard] | None = None) -> Outcome:
    """Run the input guards over one text, and each of ``alone`` by itself."""
    verdict = guard.check_input(row.text)
    caught = verdict.action in (Action.BLOCK, Action.REVIEW)
    risk = _risk(verdict, caught, guard.policy.toxicity.ignored_labels)
    said = {}
    for family, lone in (alone or {}).items():
        own = lone.check_input(row.text)
        said[family] = Alone(own.action is not Action.ALLOW, own.stages_ms.get(family, 0.0))
    return Outcome(row.attack, row.source, caught, verdict.rule if caught else "", risk, verdict.took_ms, said)


def evaluate(guard: Guard, outcomes: Iterable[Outcome], bootstrap: Bootstrap | None = None) -> Evaluation:
    """The figures for the outcomes.

    Raises:
        ValueError: there are none.
    """
    rows = list(outcomes)
    if not rows:
        raise ValueError("no texts to evaluate; expected at least one")
    bootstrap = bootstrap or Bootstrap()
    groups = {
        name: [row for row in rows if row.source == name] for name in sorted({row.source for row in rows}) if name
    }
    return Evaluation(
        total=_rates(rows),
        auc=auc(*_risks(rows)),
        intervals=_intervals(rows, bootstrap),
        latency=Latency.of([row.took_ms for row in rows]),
        rules=dict(Counter(row.rule for row in rows if row.rule).most_common()),
        sources={name: _rates(group) for name, group in groups.items()},
        source_intervals={name: _intervals(group, bootstrap) for name, group in groups.items()},
        guards={family: _lone(rows, family) for family in rows[0].alone},
        mode=guard.mode.value,
        policy_version=guard.policy.stamp,
    )


def _lone(rows: Sequence[Outcome], family: str) -> LoneGuard:
    attacks = [row.alone[family].acted for row in rows if row.attack]
    harmless = [row.alone[family].acted for row in rows if not row.attack]
    rates = Rates(len(attacks), len(harmless), _share(attacks), _share(harmless))
    return LoneGuard(rates, Latency.of([row.alone[family].took_ms for row in rows]))


def _rates(rows: Sequence[Outcome]) -> Rates:
    attacks, harmless = _caught(rows)
    return Rates(len(attacks), len(harmless), _share(attacks), _share(harmless))


def _intervals(rows: Sequence[Outcome], bootstrap: Bootstrap) -> Intervals:
    attacks, harmless = _caught(rows)
    return Intervals(bootstrap.share(attacks), bootstrap.share(harmless), bootstrap.area(*_risks(rows)))


def _caught(rows: Sequence[Outcome]) -> tuple[list[bool], list[bool]]:
    return [row.caught for row in rows if row.attack], [row.caught for row in rows if not row.attack]


def _risks(rows: Sequence[Outcome]) -> tuple[list[float], list[float]]:
    return [row.risk for row in rows if row.attack], [row.risk for row in rows if not row.attack]


def _share(caught: Sequence[bool]) -> float | None:
    return sum(caught) / len(caught) if caught else None


def _risk(verdict: Verdict, caught: bool, ignored_labels: Sequence[str]) -> float:
    """The highest probability of a label that counts; 1 if a rule that is no label of a classifier caught the text."""
    if caught and verdict.rule.partition(".")[2] not in verdict.scores:
        return 1.0
    return max((score for label, score in verdict.scores.items() if label not in ignored_labels), default=0.0)
