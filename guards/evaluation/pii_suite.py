"""How exactly numbers are found in the generated suite: kind and place, per kind, with what went wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass

from guards.evaluation.pii_cases import generate_pii_cases
from guards.pii.find import DEFAULT, PiiKind, PiiOptions, find_pii


@dataclass(frozen=True, slots=True)
class SuiteKind:
    """Counts of one kind over the suite; a finding is right if kind, start and end all agree."""

    cases: int
    right: int
    wrong: int

    @property
    def recall(self) -> float:
        """Share of the cases that were found, exactly."""
        return self.right / self.cases if self.cases else 1.0

    @property
    def precision(self) -> float:
        """Share of the findings that were right."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0


@dataclass(frozen=True, slots=True)
class SuiteFigures:
    """Figures of a run.

    Attributes:
        cases: texts in all.
        lookalikes: of these, those that hold no personal data.
        seed: of the generator.
        kinds: per kind.
        failures: per maker, cases that were not judged right.
        examples: up to five texts that were not.
    """

    cases: int
    lookalikes: int
    seed: int
    kinds: dict[PiiKind, SuiteKind]
    failures: dict[str, int]
    examples: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """For JSON, with recall and precision per kind."""
        kinds = {
            kind.value: {**asdict(row), "recall": row.recall, "precision": row.precision}
            for kind, row in self.kinds.items()
        }
        return {**asdict(self), "kinds": kinds, "examples": list(self.examples)}


def evaluate_pii_suite(count: int = 6000, seed: int = 1, options: PiiOptions = DEFAULT) -> SuiteFigures:
    """Generate the suite, look for personal data, and compare kind and place."""
    cases = generate_pii_cases(count, seed)
    wanted: Counter[PiiKind] = Counter()
    right: Counter[PiiKind] = Counter()
    wrong: Counter[PiiKind] = Counter()
    failures: Counter[str] = Counter()
    examples: list[str] = []
    for case in cases:
        found = [(finding.kind, finding.start, finding.end) for finding in find_pii(case.text, options)]
        expected = [(case.kind, case.start, case.end)] if case.kind else []
        wanted.update(kind for kind, _, _ in expected)
        right.update(kind for kind, start, end in found if (kind, start, end) in expected)
        wrong.update(kind for kind, start, end in found if (kind, start, end) not in expected)
        if found != expected:
            failures[case.source] += 1
            examples.append(f"{case.source}: {case.text!r} {found}")
    kinds = {kind: SuiteKind(wanted[kind], right[kind], wrong[kind]) for kind in PiiKind if kind in options.kinds}
    lookalikes = sum(case.kind is None for case in cases)
    return SuiteFigures(len(cases), lookalikes, seed, kinds, dict(failures.most_common()), tuple(examples[:5]))


def report(figures: SuiteFigures) -> str:
    """A table to read, one kind a line."""
    lines = [
        f"{figures.cases} generated texts, {figures.lookalikes} of them without personal data, seed {figures.seed}",
        f"{'kind':8} {'cases':>6} {'right':>6} {'wrong':>6} {'recall':>7} {'precision':>9}",
    ]
    for kind, row in figures.kinds.items():
        if row.cases or row.wrong:
            lines.append(
                f"{kind.value:8} {row.cases:6} {row.right:6} {row.wrong:6} {row.recall:7.4f} {row.precision:9.4f}"
            )
    lines += [f"failed: {source} {count}" for source, count in figures.failures.items()]
    return "\n".join([*lines, *figures.examples])
