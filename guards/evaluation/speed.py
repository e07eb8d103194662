"""What a judgement costs: the limits that this project sets itself, and how far below them the guards stay."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from guards.evaluation.evaluate_report import table
from guards.evaluation.speed_latency import Latency
from guards.evaluation.speed_texts import CHINESE, ENGLISH, texts
from guards.guard import Guard
from guards.policy import Direction
from guards.verdict import Action
from guards.views.normal import normalised

#: Largest resident size of a process with nothing but the guards.
RSS_LIMIT_BYTES = 250 * 1000 * 1000

_WARM_UP = 5
_CLASSIFIER = "toxicity"


@dataclass(frozen=True, slots=True)
class SpeedCase:
    """One kind of text.

    Attributes:
        name: what was judged.
        chars: characters of the longest text.
        wall: time that a caller waits.
        cpu: processor time of the whole process: what the guards cost if other work takes the cores from them.
        limit_ms: what the 95th percentile of ``wall`` may be; None if the case has no limit.
        stages: per guard, the time that it takes of this.
        blocked: texts that were blocked, and are not part of the figures: they cost less.
    """

    name: str
    chars: int
    wall: Latency
    cpu: Latency
    limit_ms: float | None
    stages: Mapping[str, Latency]
    blocked: int

    @property
    def within(self) -> bool:
        """Whether the limit is kept."""
        return self.limit_ms is None or self.wall.p95_ms <= self.limit_ms


@dataclass(frozen=True, slots=True)
class SpeedFigures:
    """All cases, and the memory.

    Attributes:
        cases: the texts.
        peak_rss_bytes: of a process with nothing but the guards; None if it was not measured.
        mode: the guard's mode.
        policy_version: the policy that was applied.
        load: runnable processes over the last minute, at the end: above ``cores``, waiting times hold others' work.
        cores: processor cores of the machine.
    """

    cases: tuple[SpeedCase, ...]
    peak_rss_bytes: int | None
    mode: str
    policy_version: str
    load: float
    cores: int

    @property
    def good(self) -> bool:
        """Whether every limit is kept; a degraded guard keeps none."""
        small = self.peak_rss_bytes is None or self.peak_rss_bytes <= RSS_LIMIT_BYTES
        return small and self.mode == "on" and all(case.within for case in self.cases)

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"good": self.good, **asdict(self)}

    def report(self) -> str:
        """For people."""
        rows = [
            (case.name, str(case.chars), str(case.wall), f"{case.cpu.p95_ms:.3f}", _limit(case), str(case.blocked))
            for case in self.cases
        ]
        lines = table(("text", "chars", "waiting time", "CPU p95", "p95 limit", "blocked"), rows)
        stages = [(case.name, guard, str(latency)) for case in self.cases for guard, latency in case.stages.items()]
        lines += ["", *table(("text", "guard", "its part"), stages), ""]
        if self.peak_rss_bytes is not None:
            kept = "kept" if self.peak_rss_bytes <= RSS_LIMIT_BYTES else "MISSED"
            lines.append(f"peak RSS  {self.peak_rss_bytes / 1e6:.1f} MB, limit {RSS_LIMIT_BYTES / 1e6:.0f} MB, {kept}")
        lines.append(f"guards    {self.mode}, policy {self.policy_version}")
        busy = "; waiting times hold other work" if self.load > self.cores else ""
        lines.append(f"machine   {self.cores} cores, load {self.load:.1f}{busy}")
        return "\n".join(lines)


def measure_speed(
    guard: Guard,
    tokens_in: Callable[[str], int] | None = None,
    peak_rss_bytes: int | None = None,
    rounds: int = 200,
    done: Callable[[], object] = lambda: None,
) -> SpeedFigures:
    """Judge ordinary messages, each another, one at a time.

    Args:
        guard: whose policy decides which guards run; the classifier's cases need it to be there.
        tokens_in: tokens of a text by the classifier's tokenizer, special ones included; without it there is no
            case with the classifier.
        peak_rss_bytes: from ``speed_memory``, for the report.
        rounds: texts of each case.
        done: called after every text.

    Raises:
        ValueError: all texts of a case are blocked, so there is nothing to measure.
    """
    rules = guard.under(replace(guard.policy, actions=_without_classifier(guard)))
    languages = (("English", ENGLISH, " "), ("Chinese", CHINESE, ""))
    cases = []
    for language, sentences, separator in languages:
        made = texts(sentences, separator, rounds, lambda text: len(text) <= 1000)
        cases.append(_measure(rules, f"rules, 1,000 characters, {language}", made, 5.0, done))
    for tokens, limit_ms in ((32, 15.0), (128, 40.0)) if tokens_in and guard.policy.wants(_CLASSIFIER) else ():
        for language, sentences, separator in languages:
            made = texts(sentences, separator, rounds, _token_limit(tokens_in, tokens))
            cases.append(_measure(guard, f"with toxicity, {tokens} tokens, {language}", made, limit_ms, done))
    return SpeedFigures(
        cases=tuple(cases),
        peak_rss_bytes=peak_rss_bytes,
        mode=guard.mode.value,
        policy_version=guard.policy.stamp,
        load=os.getloadavg()[0],
        cores=os.cpu_count() or 1,
    )


def _token_limit(tokens_in: Callable[[str], int] | None, tokens: int) -> Callable[[str], bool]:
    """In the normal form that the classifier reads: full-width digits are other tokens than plain ones."""
    return lambda text: tokens_in is not None and tokens_in(normalised(text).text) <= tokens


def _without_classifier(guard: Guard) -> dict[tuple[str, Direction], Action]:
    return {key: action for key, action in guard.policy.actions.items() if key[0] != _CLASSIFIER}


def _measure(guard: Guard, name: str, made: Sequence[str], limit_ms: float, done: Callable[[], object]) -> SpeedCase:
    for text in made[:_WARM_UP]:
        guard.check_input(text)
    wall, cpu, stages = [], [], dict[str, list[float]]()
    for text in made:
        began, began_cpu = time.perf_counter(), time.process_time()
        verdict = guard.check_input(text)
        took, took_cpu = time.perf_counter() - began, time.process_time() - began_cpu
        done()
        if verdict.action is Action.BLOCK:
            continue
        wall.append(took * 1000.0)
        cpu.append(took_cpu * 1000.0)
        for family, took_ms in verdict.stages_ms.items():
            stages.setdefault(family, []).append(took_ms)
    if not wall:
        raise ValueError(
            f"{name}: all {len(made)} harmless texts are blocked; look at the policy's thresholds and rules"
        )
    return SpeedCase(
        name=name,
        chars=max(map(len, made)),
        wall=Latency.of(wall),
        cpu=Latency.of(cpu),
        limit_ms=limit_ms,
        stages={family: Latency.of(took_ms) for family, took_ms in stages.items()},
        blocked=len(made) - len(wall),
    )


def _limit(case: SpeedCase) -> str:
    return "-" if case.limit_ms is None else f"{case.limit_ms:g} ms, {'kept' if case.within else 'MISSED'}"
