"""One row of the table of injection rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

#: ``any`` rules are tried on every text, the others only on texts with letters of that language.
RuleLanguage = Literal["en", "zh", "any"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Its name, the language its pattern is written for, and the pattern, which sees normalised text in lower case."""

    name: str
    language: RuleLanguage
    pattern: re.Pattern[str]


def rule(name: str, language: RuleLanguage, *alternatives: str) -> Rule:
    """A rule that matches where any alternative does; a space in an alternative stands for any white space."""
    return Rule(name, language, re.compile("|".join(alternatives).replace(" ", r"\s+")))
