"""A word that nobody would say by chance: put into a protected text, it betrays that the text is being read out."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from functools import cache

from guards.detector import Hit, Report
from guards.injection.rules import lowered
from guards.views.normal import View

#: Letters alone, so that numbering, dots and spaces between them can be read over; 20 ** 16 words are 69 bits.
_LETTERS = "bcdfghjkmnpqrstvwxyz"
CANARY_CHARS = 16
#: Most characters between two letters of a spelled-out canary: "b - c - d", "1. b\n2. c\n".
GAP_CHARS = 8
_GAP = f"[^a-z]{{0,{GAP_CHARS}}}"
#: Longest spelled-out canary.
_MAX_CHARS = CANARY_CHARS + (CANARY_CHARS - 1) * GAP_CHARS
_CANARY = re.compile(f"[{_LETTERS}]{{{CANARY_CHARS}}}")
_PLACED = re.compile(rf"(?<!\w){_CANARY.pattern}(?!\w)")


@cache
def canary() -> str:
    """This process's canary, 16 random letters.

    A prompt that has it is another prompt after a restart, and whatever was kept for the old one is lost; where that
    matters, ``canary_from`` a key that stays.
    """
    return "".join(secrets.choice(_LETTERS) for _ in range(CANARY_CHARS))


def canary_from(key: bytes) -> str:
    """The canary of an installation: always the same for a key, and not to be guessed without it (HMAC-SHA-256).

    Raises:
        ValueError: the key has fewer than 16 bytes.
    """
    if len(key) < 16:
        raise ValueError(f"the canary's key has {len(key)} bytes; expected at least 16 random ones")
    number = int.from_bytes(hmac.digest(key, b"canary", hashlib.sha256), "big")
    return "".join(_LETTERS[number // len(_LETTERS) ** place % len(_LETTERS)] for place in range(CANARY_CHARS))


def canaries_in(texts: Iterable[str]) -> tuple[str, ...]:
    """The canaries that stand in protected texts, each once."""
    return tuple(dict.fromkeys(match.group() for text in texts for match in _PLACED.finditer(text)))


class Canaries:
    """Hits ``leak.canary``: a canary, in any case, also spelled out. Stateless.

    Up to ``GAP_CHARS`` signs that are no Latin letters may stand between two of its letters.
    """

    family = "leak"

    def __init__(self, canaries: Iterable[str]) -> None:
        """Watch for these.

        Raises:
            ValueError: one is not a word that ``canary`` or ``canary_from`` gives.
        """
        words = tuple(canaries)
        for word in words:
            if not _CANARY.fullmatch(word):
                raise ValueError(f"{len(word)} characters are no canary; expected {CANARY_CHARS} letters of {_LETTERS}")
        self._whole = tuple(re.compile(_GAP.join(word)) for word in words)
        self._open = tuple(re.compile(_beginnings(word)) for word in words)

    def scan(self, view: View) -> Report:
        """One hit per canary said, in order of position."""
        text = lowered(view.text)
        found = sorted(match.span() for pattern in self._whole for match in pattern.finditer(text))
        return Report(tuple(Hit("leak.canary", *view.span(*span)) for span in found))

    def pending(self, view: View) -> int:
        """Where a canary may have begun."""
        text = lowered(view.text)
        window = max(0, len(text) - _MAX_CHARS)
        found = (pattern.search(text, window) for pattern in self._open)
        return min((match.start() for match in found if match), default=len(text))


def _beginnings(word: str) -> str:
    """A pattern for every beginning of the word at the end of a text, with a gap after it or not."""
    pattern = ""
    for char in reversed(word[:-1]):
        pattern = f"{char}{_GAP}(?:{pattern})?" if pattern else f"{char}{_GAP}"
    return rf"(?:{pattern})\Z"
