"""What a text is before anyone reads meaning into it: its encoding, and the normalised view that detectors see."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

#: Control characters (Cc) except tab, line feed, vertical tab, form feed, carriage return and next line.
_CONTROL = "\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
_NUL = "\x00"
_SURROGATE = "\ud800-\udfff"

#: Default_Ignorable_Code_Point of Unicode 15.0, DerivedCoreProperties.txt: takes no space on any screen.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)

_DAMAGE = {
    "encoding.surrogate": re.compile(f"[{_SURROGATE}]+"),
    "encoding.nul": re.compile(f"{_NUL}+"),
    "encoding.control": re.compile(f"[{_CONTROL}]+"),
}
_ANY_DAMAGE = re.compile(f"[{_NUL}{_CONTROL}{_SURROGATE}]")
_REMOVED = re.compile(f"[{_NUL}{_CONTROL}{_SURROGATE}{_INVISIBLE}]")

#: Hangul vowel and final jamo: ordinary letters that join the letter before them.
_JAMO = re.compile("[\u1160-\u11ff\ud7b0-\ud7ff]")


@dataclass(frozen=True, slots=True)
class Damage:
    """Characters that no honest text holds: ``rule`` is ``encoding.…``; the span is in the text as given."""

    rule: str
    start: int
    end: int


def damage_in(text: str) -> tuple[Damage, ...]:
    """Lone surrogates, NUL and control characters, in order of position."""
    if not _ANY_DAMAGE.search(text):
        return ()
    found = [Damage(rule, m.start(), m.end()) for rule, pattern in _DAMAGE.items() for m in pattern.finditer(text)]
    return tuple(sorted(found, key=lambda damage: damage.start))


@dataclass(frozen=True, slots=True)
class View:
    """A stretch of a text in one normal form, and the way back.

    Attributes:
        source: the stretch as it was given.
        base: where it begins in the whole text.
        text: its normal form; character ``i`` stands for ``source[starts[i]:ends[i]]``.
        starts: non-decreasing, one per character of ``text``.
        ends: non-decreasing, one per character of ``text``, each greater than its start.
    """

    source: str
    base: int
    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Span in the whole text of the non-empty span ``start:end`` of the view."""
        return self.base + self.starts[start], self.base + self.ends[end - 1]

    def origin(self, index: int) -> int:
        """Position in the whole text at which the view's character ``index`` begins; its end for ``len(text)``."""
        return self.base + (self.starts[index] if index < len(self.text) else len(self.source))


def normalised(source: str, base: int = 0) -> View:
    """The view in NFKC (UAX #15) without invisible, control and surrogate characters.

    ``view.text`` equals ``unicodedata.normalize("NFKC", visible(source))``. Full-width letters and digits become plain
    ones, ligatures their letters. Letters compose with the marks after them, so offsets are those of such clusters.
    """
    if source.isascii() and not _ANY_DAMAGE.search(source):
        return View(source, base, source, range(len(source)), range(1, len(source) + 1))
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    cluster = ""
    first = last = 0

    def flush() -> None:
        piece = _nfkc(cluster) if len(cluster) == 1 else unicodedata.normalize("NFKC", cluster)
        pieces.append(piece)
        starts.extend([first] * len(piece))
        ends.extend([last + 1] * len(piece))

    for position, char in enumerate(source):
        if _is_removed(char):
            continue
        if cluster and not _joins_previous(char):
            flush()
            cluster = ""
        if not cluster:
            first = position
        cluster += char
        last = position
    if cluster:
        flush()
    return View(source, base, "".join(pieces), starts, ends)


def visible(text: str) -> str:
    """The text without the characters that ``normalised`` leaves out."""
    return _REMOVED.sub("", text)


@lru_cache(maxsize=8192)
def _is_removed(char: str) -> bool:
    return _REMOVED.match(char) is not None


@lru_cache(maxsize=8192)
def _nfkc(char: str) -> str:
    return unicodedata.normalize("NFKC", char)


@lru_cache(maxsize=8192)
def _joins_previous(char: str) -> bool:
    """Whether NFKC may move or merge the character with what stands before it. Errs on the side of yes."""
    first = unicodedata.normalize("NFKD", char)[0]
    return (
        unicodedata.combining(first) != 0
        or unicodedata.category(first) in ("Mn", "Mc", "Me")
        or _JAMO.match(first) is not None
    )
