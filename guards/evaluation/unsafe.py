"""How well unsafe requests are told from ordinary ones: recall and false alarms, per kind, language and half."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from guards.unsafe.detectors import SelfHarm, UnsafeRules
from guards.views.several import views_of

#: The suite's kind whose texts must lead to the kind answer and to a person, not merely be refused.
SELF_HARM_KIND = "self_harm"


@dataclass(frozen=True, slots=True)
class UnsafeRow:
    """One text of the suite.

    Attributes:
        text: what a customer writes.
        unsafe: whether it must not be served.
        language: ``en`` or ``zh``.
        kind: what it asks for, or, of an ordinary text, what it could be taken for.
        half: ``dev`` may be looked at while rules are written; ``kept`` may not, but was written together with it;
            ``blind`` was written after the rules, to say the same things in other words, and is the hardest.
    """

    text: str
    unsafe: bool
    language: str
    kind: str
    half: str

    @classmethod
    def from_dict(cls, row: Mapping[str, object]) -> UnsafeRow:
        """From a line of the suite.

        Raises:
            ValueError: a field is missing or has another value; names the field.
        """
        texts = [row.get(name) for name in ("text", "lang", "kind", "half")]
        for name, value in zip(("text", "lang", "kind", "half"), texts, strict=True):
            if not isinstance(value, str):
                raise ValueError(f"field {name!r} is {value!r}; expected a text")
        if row.get("label") not in (0, 1):
            raise ValueError(f"field 'label' is {row.get('label')!r}; expected 0 or 1")
        text, language, kind, half = map(str, texts)
        return cls(text, bool(row["label"]), language, kind, half)


@dataclass(frozen=True, slots=True)
class UnsafeRates:
    """One group of texts.

    Attributes:
        name: the group's.
        unsafe: how many of its texts are unsafe.
        caught: how many of these were caught.
        ordinary: how many are not unsafe.
        alarms: how many of these were caught all the same.
    """

    name: str
    unsafe: int
    caught: int
    ordinary: int
    alarms: int


@dataclass(frozen=True, slots=True)
class UnsafeFigures:
    """The figures for a suite.

    Attributes:
        groups: per half and language, then per half and kind.
        cold: self-harm texts of the suite that were caught as an offence only, or not at all.
        latency_p95_ms: 95th percentile of the time per text, views included.
        missed: unsafe texts of the ``dev`` half that were not caught, and ordinary ones that were.
    """

    groups: tuple[UnsafeRates, ...]
    cold: int
    latency_p95_ms: float
    missed: tuple[str, ...]

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def evaluate_unsafe(rows: Sequence[UnsafeRow]) -> UnsafeFigures:
    """Run the rules over the rows.

    Raises:
        ValueError: there are none.
    """
    if not rows:
        raise ValueError("no texts to evaluate; expected at least one")
    detectors = (SelfHarm(), UnsafeRules())
    families: list[frozenset[str]] = []
    took_ms: list[float] = []
    for row in rows:
        begun = time.perf_counter()
        views = views_of(row.text)
        families.append(frozenset(one.family for one in detectors for view in views if one.scan(view).hits))
        took_ms.append((time.perf_counter() - begun) * 1000.0)
    judged = list(zip(rows, families, strict=True))
    names = sorted({f"{row.half} {row.language}" for row in rows}) + sorted({f"{row.half} {row.kind}" for row in rows})
    return UnsafeFigures(
        groups=tuple(_rates(name, judged) for name in names),
        cold=sum(row.unsafe and row.kind == SELF_HARM_KIND and "self_harm" not in found for row, found in judged),
        latency_p95_ms=float(np.percentile(took_ms, 95)),
        missed=tuple(row.text for row, found in judged if row.half == "dev" and row.unsafe != bool(found)),
    )


def report(figures: UnsafeFigures) -> str:
    """The figures as a table."""
    lines = [f"{'group':<20} {'unsafe':>7} {'recall':>7} {'ordinary':>9} {'alarms':>7}"]
    for group in figures.groups:
        recall = f"{group.caught / group.unsafe:7.1%}" if group.unsafe else f"{'-':>7}"
        lines.append(f"{group.name:<20} {group.unsafe:>7} {recall} {group.ordinary:>9} {group.alarms:>7}")
    lines.append(f"self-harm texts without the kind answer: {figures.cold}")
    lines.append(f"latency p95: {figures.latency_p95_ms:.2f} ms a text")
    lines += [f"dev half, wrong: {text}" for text in figures.missed]
    return "\n".join(lines)


def _rates(name: str, judged: Iterable[tuple[UnsafeRow, frozenset[str]]]) -> UnsafeRates:
    half, group = name.split(" ")
    rows = [
        (row.unsafe, bool(found)) for row, found in judged if row.half == half and group in (row.language, row.kind)
    ]
    unsafe = [caught for attack, caught in rows if attack]
    ordinary = [caught for attack, caught in rows if not attack]
    return UnsafeRates(name, len(unsafe), sum(unsafe), len(ordinary), sum(ordinary))
