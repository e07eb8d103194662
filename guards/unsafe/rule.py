"""One row of the tables of unsafe requests: cheap cues, the pattern, and what excuses the sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass

from guards.language import Language

#: Up to n words of English, up to n characters of the same Chinese sentence: bounded, so no pattern takes more than
#: linear time.
W2 = r"(?:[\w'$%-]{1,24}[\s,]+){0,2}"
W4 = r"(?:[\w'$%-]{1,24}[\s,]+){0,4}"
W6 = r"(?:[\w'$%-]{1,24}[\s,]+){0,6}"
W9 = r"(?:[\w'$%-]{1,24}[\s,]+){0,9}"
G4 = r".{0,4}?"
G8 = r".{0,8}?"
G14 = r".{0,14}?"
G24 = r".{0,24}?"

#: What introduces one's own plan or a request for help, as opposed to a report of what others did.
HOW = (
    r"\b(?:how (?:do|can|could|would|should|might) (?:i|we|one)|how to|how i (?:can|could)|(?:help|teach|tell"
    r"|show|let) "
    r"(?:me|us)(?: how)?(?: to)?|ways? (?:to|of|for)|(?:trick|method|guide|tutorial|instructions|steps) (?:to|for"
    r"|on|of)"
    r"|(?:want|wanna|like|need|plan|planning|going|about|trying|try|intend|ready) to|gonna|i'll|i will|we will|we'll) "
)


@dataclass(frozen=True, slots=True)
class Row:
    """A pattern for one sentence of normalised text in lower case, with straight apostrophes.

    Attributes:
        name: the rule's; several rows may share it.
        language: ``zh`` rows are tried on texts with Chinese characters, ``en`` rows on those with Latin letters.
        cues: one of them stands in every sentence that the pattern matches; a substring search is all that an ordinary
            text costs.
        pattern: what makes the sentence unsafe.
        unless: what excuses the sentence, such as a report of a crime; None if nothing does.
    """

    name: str
    language: Language
    cues: tuple[str, ...]
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None


def row(name: str, cues: str, *alternatives: str, unless: str = "") -> Row:
    """A row that matches where any alternative does; ``cues`` are parted by ``|``.

    A space in an alternative or in ``unless`` stands for any white space, and `` ?`` for at most one such character.
    """
    language: Language = "en" if cues.isascii() else "zh"
    return Row(name, language, tuple(cues.split("|")), _compiled(*alternatives), _compiled(unless) if unless else None)


def _compiled(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives).replace(" ?", r"\s?").replace(" ", r"\s+"))
