"""The face that every detector shows: a view of a text in, what it found out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from guards.views.normal import View


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that a detector found.

    Attributes:
        rule: ``family.name``; the policy says what the family's hits lead to.
        start: first character, in the whole text as given.
        end: one past the last character.
        replacement: what stands in its place if it is redacted.
    """

    rule: str
    start: int
    end: int
    replacement: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """Hits in order of position, and a probability per label from detectors that give any."""

    hits: tuple[Hit, ...] = ()
    scores: Mapping[str, float] = field(default_factory=dict)


class Detector(Protocol):
    """Looks at one stretch of text by itself. Safe to call from several threads."""

    @property
    def family(self) -> str:
        """Its row in the policy, and the first half of its rules' names."""

    def scan(self, view: View) -> Report:
        """What the stretch holds."""


class SpanDetector(Detector, Protocol):
    """Finds things of bounded length, and can say where one may just be beginning: it can follow a stream."""

    def pending(self, view: View) -> int:
        """Index in ``view.text`` before which no hit can begin that more text would complete.

        Everything from there to the end of the view has to be held back; ``len(view.text)`` if nothing has.
        """


class TextTooLongError(Exception):
    """The text is longer than a detector reads. Never leaves the guards: the text is refused as too long."""
