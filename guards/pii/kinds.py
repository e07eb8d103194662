"""The kinds of personal data, what of them to look for, and what a finding is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

Span = tuple[int, int]


class PiiKind(StrEnum):
    """Kinds of personal data in the order in which they are looked for; the value is the word in a placeholder."""

    EMAIL = "EMAIL"
    IBAN = "IBAN"
    ID = "ID"
    CARD = "CARD"
    PHONE = "PHONE"
    ADDRESS = "ADDRESS"
    NAME = "NAME"


@dataclass(frozen=True, slots=True)
class Finding:
    """Personal data at ``text[start:end]`` of the text as given."""

    kind: PiiKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PiiOptions:
    """What to look for.

    Attributes:
        kinds: which kinds.
        regions: ISO 3166 codes; numbers are tried as national numbers of each. International ones (+…) always count.
    """

    kinds: tuple[PiiKind, ...] = tuple(PiiKind)
    regions: tuple[str, ...] = ("CN", "US", "GB")


DEFAULT = PiiOptions()

#: Stands where something has been found. A normalised text holds no NUL, and no piece of data reaches over it.
BLANK = "\x00"

#: What redaction and the vault put in place of data: there is nothing in it to be found.
_MARK = re.compile(r"\[(?:" + "|".join(PiiKind) + r"|TEXT)(?:_\d{1,6})?\]", re.ASCII)


def blanked(text: str, spans: Iterable[Span]) -> str:
    """The text, as long as before, with the spans blanked. They are in order and do not overlap."""
    pieces, at = [], 0
    for start, end in spans:
        pieces += [text[at:start], BLANK * (end - start)]
        at = end
    return "".join([*pieces, text[at:]]) if pieces else text


def without_marks(text: str) -> str:
    """The text with placeholders and redaction marks blanked."""
    return blanked(text, (mark.span() for mark in _MARK.finditer(text))) if "[" in text else text


def disjoint(spans: Iterable[Span]) -> list[Span]:
    """The spans in order; of two that overlap the earlier stays, of two that begin together the longer."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept
