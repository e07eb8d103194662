"""Text written in invisible characters: tag characters that spell ASCII, variation selectors that spell bytes."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from guards.views.normal import KEPT, View, normalised
from guards.views.rewriting import Edit, rewritten

_TAGS = "\U000e0020-\U000e007e"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
#: A variation selector belongs to one character: three in a row select nothing.
_HIDDEN = re.compile(
    f"(?P<kept>{KEPT})|(?P<tags>[{_TAGS}][{_TAGS}\U000e0001\U000e007f]*)|(?P<bytes>[{_SELECTORS}]{{3,}})"
)
_ANY = re.compile(f"[{_TAGS}{_SELECTORS}]")
_PRINTABLE = 0.9
#: Shorter runs may be letters of a word whose other letters are visible; longer ones are words by themselves.
_WORDS_FROM = 4


@dataclass(frozen=True, slots=True)
class HiddenText:
    """What a run of invisible characters says; the span is in the source as given."""

    start: int
    end: int
    text: str


def hidden_in(source: str) -> tuple[HiddenText, ...]:
    """Text spelt in tag characters outside flags, or as UTF-8 bytes in variation selectors (VS1 is 0, VS256 is 255)."""
    if source.isascii() or not _ANY.search(source):
        return ()
    return tuple(_read(source))


def revealed(view: View) -> View:
    """The view with hidden text read where it stands, in normal form; the view itself if there is none."""
    found = hidden_in(view.source)
    return rewritten(view, [_edit(view, hidden) for hidden in found]) if found else view


def _read(source: str) -> Iterator[HiddenText]:
    for match in _HIDDEN.finditer(source):
        if match.lastgroup == "tags":
            text = "".join(chr(ord(char) - 0xE0000) for char in match.group() if "\U000e0020" <= char <= "\U000e007e")
        elif match.lastgroup == "bytes":
            text = bytes(map(_byte, match.group())).decode("utf-8", "replace")
        else:
            continue
        if sum(map(str.isprintable, text)) - text.count("\ufffd") >= _PRINTABLE * len(text):
            yield HiddenText(match.start(), match.end(), text)


def _byte(selector: str) -> int:
    return ord(selector) - (0xFE00 if selector <= "\ufe0f" else 0xE0100 - 16)


def _edit(view: View, hidden: HiddenText) -> Edit:
    at = bisect_left(view.starts, hidden.start)
    text = normalised(hidden.text).text
    if len(text) >= _WORDS_FROM:
        text = f" {text} "
    return Edit(at, at, text, (hidden.start, hidden.end))
