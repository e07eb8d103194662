"""A claim: a place in a text that states a checkable fact, what would support it, and what it supports itself."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

#: Stands where a claim was found or a number claims nothing, so that nothing else reads it. No view holds a NUL.
BLANK = "\x00"


class FactKind(StrEnum):
    """Kinds of facts; the value is the second half of a rule's name."""

    AMOUNT = "amount"
    DATE = "date"
    TIME = "time"
    DURATION = "duration"
    PERCENTAGE = "percentage"
    NUMBER = "number"
    URL = "url"
    PHONE = "phone"
    EMAIL = "email"


#: A kind and a value in canonical form: two spellings of one fact agree in it.
Fact = tuple[FactKind, str]


@dataclass(frozen=True, slots=True)
class Claim:
    """A fact as it stands at ``start:end`` of a text.

    A spelling may mean several things (``1.299``, ``05/06/2024``) and may be less exact than its source (``May 1``), so
    a claim is supported if any of the facts that it ``asks`` for is among those that trusted texts give.

    Attributes:
        kind: what kind of fact.
        start: first character.
        end: one past the last character.
        asks: facts any of which supports it; none if there is nothing to support, as in "one of our agents".
        gives: facts that it supports where it stands in a trusted text.
    """

    kind: FactKind
    start: int
    end: int
    asks: frozenset[Fact]
    gives: frozenset[Fact]


def claim(
    kind: FactKind, span: tuple[int, int], asks: Iterable[str], gives: Iterable[str], more: Iterable[Fact] = ()
) -> Claim:
    """A claim that asks for and gives values of its own kind, and gives ``more``."""
    asked = frozenset((kind, value) for value in asks)
    given = frozenset((kind, value) for value in gives)
    return Claim(kind, *span, asked, given.union(more))


def numbers(values: Iterable[str]) -> frozenset[Fact]:
    """Bare numbers as facts: a number without a unit may be repeated from anything that holds it."""
    return frozenset((FactKind.NUMBER, value) for value in values)


def blanked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text, equally long, with the spans filled with ``BLANK``."""
    pieces: list[str] = []
    at = 0
    for start, end in spans:
        if start < at:
            raise ValueError(f"span {start}:{end} begins before {at}; expected spans in order and apart")
        pieces += [text[at:start], BLANK * (end - start)]
        at = end
    return "".join([*pieces, text[at:]])
