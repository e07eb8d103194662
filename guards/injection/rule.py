"""One row of the table of injection rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from guards.injection.required import required

#: ``any`` rules are tried on every text, the others only on texts with letters of that language.
RuleLanguage = Literal["en", "zh", "any"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of attempt.

    Attributes:
        name: stands in verdicts.
        language: that its patterns are written for.
        patterns: they see normalised text in lower case; each with the literals that it requires (``required``).
    """

    name: str
    language: RuleLanguage
    patterns: tuple[tuple[frozenset[str], re.Pattern[str]], ...]

    def search(self, text: str) -> re.Match[str] | None:
        """The first match of any pattern."""
        found = (pattern.search(text) for pattern in self._able(text))
        return min((match for match in found if match), key=lambda match: match.start(), default=None)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """All matches of all patterns, pattern by pattern."""
        for pattern in self._able(text):
            yield from pattern.finditer(text)

    def _able(self, text: str) -> Iterator[re.Pattern[str]]:
        """The patterns that may match the text."""
        for literals, pattern in self.patterns:
            if not literals or any(literal in text for literal in literals):
                yield pattern


def rule(name: str, language: RuleLanguage, *alternatives: str) -> Rule:
    """A rule that matches where any alternative does; a space in an alternative stands for any white space."""
    spaced = [alternative.replace(" ", r"\s+") for alternative in alternatives]
    return Rule(name, language, tuple((required(pattern), re.compile(pattern)) for pattern in spaced))
