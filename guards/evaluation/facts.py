"""How good the fact guard is: false alarms on answers that keep to their texts, recall on those that invent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass

from guards.errors import InputFileError
from guards.facts.detector import FactDetector
from guards.segments import next_cut
from guards.views.normal import normalised


@dataclass(frozen=True, slots=True)
class FactRow:
    """An answer, the texts it rests on, whether it states anything that they do not hold, and of what kind."""

    answer: str
    trusted: tuple[str, ...]
    invented: bool
    kind: str = ""


@dataclass(frozen=True, slots=True)
class FactRates:
    """Shares of one kind of rows; None where there is no such row.

    Attributes:
        honest: answers that keep to their texts.
        invented: answers that do not.
        false_alarms: share of the honest answers of which a sentence was replaced.
        recall: share of the inventing answers of which a sentence was replaced.
    """

    honest: int
    invented: int
    false_alarms: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class FactFigures:
    """Over all rows and per kind. ``missed`` and ``alarms`` hold the first few answers that were judged wrongly."""

    total: FactRates
    kinds: Mapping[str, FactRates]
    missed: tuple[str, ...]
    alarms: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


_EXAMPLES = 5


def read_facts(lines: Iterable[str], file: str) -> Iterator[FactRow]:
    """Rows ``{"answer": text, "trusted": [texts], "invented": true or false, "kind": text}``; ``kind`` may be missing.

    Raises:
        InputFileError: a line is not such an object.
    """
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputFileError(file, number, f"is not JSON ({error})") from error
        if not isinstance(row, dict):
            raise InputFileError(file, number, f"is {type(row).__name__}; expected an object")
        answer, trusted, kind = row.get("answer"), row.get("trusted"), row.get("kind", "")
        if not isinstance(answer, str) or not isinstance(kind, str):
            raise InputFileError(file, number, "fields 'answer' and 'kind' must be texts")
        if not isinstance(trusted, list) or not all(isinstance(text, str) for text in trusted):
            raise InputFileError(file, number, f"field 'trusted' is {trusted!r}; expected a list of texts")
        if row.get("invented") not in (0, 1):
            raise InputFileError(file, number, f"field 'invented' is {row.get('invented')!r}; expected true or false")
        yield FactRow(answer, tuple(trusted), bool(row["invented"]), kind)


def is_caught(answer: str, trusted: Iterable[str]) -> bool:
    """Whether the guard replaces any sentence of the answer, cut as its stream cuts it."""
    detector = FactDetector(lambda: trusted, "-")
    at = 0
    while (cut := next_cut(answer, at, final=True)) is not None:
        if detector.scan(normalised(answer[at:cut], at)).hits:
            return True
        at = cut
    return False


def evaluate_facts(rows: Iterable[FactRow]) -> FactFigures:
    """The figures.

    Raises:
        ValueError: there are no rows.
    """
    judged = [(row, is_caught(row.answer, row.trusted)) for row in rows]
    if not judged:
        raise ValueError("no answers to evaluate; expected at least one")
    kinds = sorted({row.kind for row, _ in judged if row.kind})
    return FactFigures(
        _rates(judged),
        {kind: _rates([entry for entry in judged if entry[0].kind == kind]) for kind in kinds},
        tuple(row.answer for row, caught in judged if row.invented and not caught)[:_EXAMPLES],
        tuple(row.answer for row, caught in judged if not row.invented and caught)[:_EXAMPLES],
    )


def report(figures: FactFigures) -> str:
    """A table for people."""
    lines = [f"{'kind':<12}{'honest':>8}{'false alarms':>14}{'invented':>10}{'recall':>9}"]
    for name, rates in (("all", figures.total), *figures.kinds.items()):
        alarms, recall = _percent(rates.false_alarms), _percent(rates.recall)
        lines.append(f"{name:<12}{rates.honest:>8}{alarms:>14}{rates.invented:>10}{recall:>9}")
    lines += [f"missed: {answer!r}" for answer in figures.missed]
    lines += [f"false alarm: {answer!r}" for answer in figures.alarms]
    return "\n".join(lines)


def _rates(judged: list[tuple[FactRow, bool]]) -> FactRates:
    honest = [caught for row, caught in judged if not row.invented]
    invented = [caught for row, caught in judged if row.invented]
    return FactRates(len(honest), len(invented), _share(honest), _share(invented))


def _share(caught: list[bool]) -> float | None:
    return sum(caught) / len(caught) if caught else None


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
