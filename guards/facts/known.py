"""The facts that an answer may state: those of the texts that the shop or the customer has given."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from guards.facts.claim import Claim, Fact, FactKind
from guards.facts.extract import claims_in
from guards.views.normal import normalised

_SPACE = re.compile(r"\s+")
#: What of a claim looks like more of the same if it stands right behind it.
_GOES_ON = re.compile(r"\w|[.,:/]\d", re.ASCII)


class KnownFacts:
    """What trusted texts support. Each text is read once; texts seen lately are remembered."""

    def __init__(self, texts: Iterable[str]) -> None:
        """``texts``: passages, templates, the customer's messages, values of slots; in any number of pieces."""
        given = tuple(texts)
        self._facts = frozenset[Fact]().union(*(_facts_of(text) for text in given))
        self._texts = tuple(_plain(text) for text in given)

    def supports(self, claim: Claim, said: str) -> bool:
        """Whether a trusted text holds the claim's value, or the very words ``said`` of the claim.

        Words around a claim may change how it is read, so what stands there digit by digit is supported, too. That does
        not hold for number words ("twenty-five days" says nothing of five) and for addresses.
        """
        if not claim.asks or not self._facts.isdisjoint(claim.asks):
            return True
        words = _folded(said)
        spelt = claim.kind not in (FactKind.URL, FactKind.EMAIL) and any(char.isdigit() for char in words)
        return spelt and any(_stands_in(text, words) for text in self._texts)


def _stands_in(text: str, words: str) -> bool:
    """Whether the words stand in the text and are not part of a longer number or word there."""
    at = text.find(words)
    while at >= 0:
        end = at + len(words)
        before = text[at - 1] if at else " "
        joined = (
            words[0].isalnum()
            and before.isascii()
            and (before.isalnum() or (before in ".,:/-" and text[at - 2 : at - 1].isdigit()))
        )
        if not joined and not _GOES_ON.match(text, end):
            return True
        at = text.find(words, at + 1)
    return False


@lru_cache(maxsize=128)
def _facts_of(text: str) -> frozenset[Fact]:
    return frozenset[Fact]().union(*(one.gives for one in claims_in(text)))


@lru_cache(maxsize=128)
def _plain(text: str) -> str:
    return _folded(normalised(text).text)


def _folded(text: str) -> str:
    return _SPACE.sub(" ", text.casefold()).strip()
