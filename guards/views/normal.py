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

#: Pictures that emoji sequences are made of. Enclosed letters (U+24B6, U+1F130 ...) are left out: they are letters.
_EMOJI = "\u203c\u2049\u2190-\u2426\u2500-\u2bff\u3030\u303d\U0001f000-\U0001f0ff\U0001f300-\U0001faff"
_ARABIC = "\u0620-\u065f\u066e-\u06d3\u06d5-\u06dc\u06fa-\u06ff\u0750-\u077f\u08a0-\u08c9"
_INDIC = (
    "\u0900-\u0963\u0971-\u09e5\u0a00-\u0a65\u0a80-\u0ae5\u0b00-\u0b65\u0c00-\u0c65\u0c80-\u0ce5"
    "\u0d00-\u0d65\u0d80-\u0de5"
)
_VIRAMA = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u1039\u17d2"
#: Invisible characters where a script or an emoji needs them: UAX #31 (contexts A1, A2 and B, Arabic joining types
#: taken as "a letter or mark of the script"), UTS #51 (ZWJ, keycap, presentation and flag sequences).
KEPT = (
    f"(?<=[{_EMOJI}])\u200d(?=[{_EMOJI}])|(?<=[{_EMOJI}]\ufe0f)\u200d(?=[{_EMOJI}])"
    f"|(?<=[{_EMOJI}\u00a9\u00ae])[\ufe0e\ufe0f]|(?<=[0-9#*])\ufe0f(?=\u20e3)"
    "|(?<=\U0001f3f4)[\U000e0061-\U000e007a]{2}[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,3}\U000e007f"
    f"|(?<=[{_ARABIC}])[\u200c\u200d](?=[{_ARABIC}])|(?<=[{_ARABIC}])\u200d(?![A-Za-z])"
    f"|(?<=[{_VIRAMA}])[\u200c\u200d](?![A-Za-z])|(?<=[{_INDIC}])[\u200c\u200d](?=[{_INDIC}])"
)

#: Characters of which NFKC makes one character each and none joins the one before it: most of what people write.
_ONE_TO_ONE = (
    "\t-\r -~\u00bf-\u0131\u014a-\u017e\u0180-\u01c3\u01cd-\u01f0\u01f4-\u02af\u0386-\u0482\u048a-\u0556"
    "\u0561-\u0586\u05d0-\u05ea\u0620-\u064a\u0660-\u066f\u0679-\u06d3\u0904-\u0939\u0960\u0961"
    "\u2010\u2012-\u2016\u2018-\u2023\u20a9-\u20c0\u2190-\u222b\u2231-\u2468\u2500-\u2a0b\u3001-\u3029"
    "\u3041-\u3096\u30a0-\u30fe\u3105-\u312f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff01-\uff9d"
    "\U0001f300-\U0001faff\U00020000-\U0002a6df"
)

_DAMAGE = {
    "encoding.surrogate": re.compile(f"[{_SURROGATE}]+"),
    "encoding.nul": re.compile(f"{_NUL}+"),
    "encoding.control": re.compile(f"[{_CONTROL}]+"),
}
_ANY_DAMAGE = re.compile(f"[{_NUL}{_CONTROL}{_SURROGATE}]")
_REMOVED = f"[{_NUL}{_CONTROL}{_SURROGATE}{_INVISIBLE}]"
_KEPT_OR_REMOVED = re.compile(f"(?P<kept>{KEPT})|{_REMOVED}")
_SIMPLE = re.compile(f"[{_ONE_TO_ONE}]*")
_PIECE = re.compile(f"(?P<run>[{_ONE_TO_ONE}]+)|(?P<kept>{KEPT})|(?P<removed>{_REMOVED})|(?P<other>.)", re.DOTALL)

#: No writing system puts more marks on a letter (UAX #15, Stream-Safe Text); sorting them takes quadratic time.
MAX_MARKS = 30

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
    """The view in NFKC (UAX #15) without control, surrogate and stray invisible characters.

    ``view.text`` equals ``unicodedata.normalize("NFKC", visible(source))`` as long as no letter carries more than
    ``MAX_MARKS`` marks; what comes after that is normalised by itself, so that the time stays linear. Full-width
    letters and digits become plain ones, ligatures their letters. Letters compose with the marks after them, so
    offsets are those of such clusters.
    """
    if _SIMPLE.fullmatch(source):
        text = source if source.isascii() else unicodedata.normalize("NFKC", source)
        return View(source, base, text, range(len(source)), range(1, len(source) + 1))
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

    for match in _PIECE.finditer(source):
        kind, start, end = match.lastgroup, match.start(), match.end()
        if kind == "removed":
            continue
        if cluster and (kind == "run" or len(cluster) > MAX_MARKS or not _joins_previous(source[start])):
            flush()
            cluster = ""
        if end - start > 1:  # all but the last character stand by themselves; a mark may follow the last one
            pieces.append(unicodedata.normalize("NFKC", source[start : end - 1]))
            starts.extend(range(start, end - 1))
            ends.extend(range(start + 1, end))
        if not cluster:
            first = end - 1
        cluster += source[end - 1]
        last = end - 1
    if cluster:
        flush()
    return View(source, base, "".join(pieces), starts, ends)


def visible(text: str) -> str:
    """The text without the characters that ``normalised`` leaves out."""
    return _KEPT_OR_REMOVED.sub(lambda match: match.group("kept") or "", text)


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
