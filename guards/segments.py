"""Cutting a growing text into sentences, so that the cuts never depend on how the text arrived."""

from __future__ import annotations

import re

#: Shorter sentences are judged together with the next one: a word by itself says little.
MIN_SEGMENT_CHARS = 24
#: Longer ones are cut at white space, or anywhere: the classifier's window and the customer's patience are finite.
MAX_SEGMENT_CHARS = 200

_FULL_STOP = "[\u3002\uff01\uff1f\uff1b\u2026]"
_CLOSING = r"[\"'”’」』）)\]]"
#: What a full stop ends without ending the sentence: "no. 4417", "Dec. 5", "tel. 030".
_ABBREVIATED = r"(?<!\b(?:no|nr))(?<!\b(?:jan|feb|mar|apr|jun|jul|aug|sep|oct|nov|dec|tel|ext|ref))(?<!\b(?:sept|appr))"
#: A sentence's end with the white space after it, once the next sentence has begun; none begins with a small letter.
_END = re.compile(
    rf"{_ABBREVIATED}[.!?]+{_CLOSING}*\s+(?=(?-i:[^\sa-z]))"
    rf"|{_FULL_STOP}+{_CLOSING}*\s*(?=\S)(?!{_FULL_STOP}|{_CLOSING})|\n\s*(?=\S)",
    re.IGNORECASE,
)
#: Where a long sentence may be cut; Chinese has no white space.
_SPACE = re.compile(r"\s+(?=\S)|[，、：](?=\S)")


def next_cut(text: str, start: int, *, final: bool) -> int | None:
    """Where the segment that begins at ``start`` ends; None if that cannot be said before more text is there.

    A cut depends only on ``text[start:cut + 1]``, on ``MAX_SEGMENT_CHARS + 1`` characters at most, and, for the last
    one, on whether the text is ``final``.
    """
    limit = start + MAX_SEGMENT_CHARS
    window_end = min(len(text), limit + 1)
    for match in _END.finditer(text, start, window_end):
        if match.end() - start >= MIN_SEGMENT_CHARS:
            return match.end()
    if len(text) > limit:
        spaces = [match.end() for match in _SPACE.finditer(text, start + MIN_SEGMENT_CHARS, window_end)]
        return spaces[-1] if spaces else limit
    return len(text) if final and len(text) > start else None
