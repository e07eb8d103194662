"""Bytes of tokens become text: characters are never split, and a stop text never shows, not even its beginning."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class StopFilter:
    """Lets text through up to the first stop text; what could be the beginning of one waits until that is clear."""

    def __init__(self, stop: Sequence[str]) -> None:
        self._stop = tuple(text for text in stop if text)
        self._held = ""
        self.stopped = False

    @property
    def holds(self) -> bool:
        """Whether something waits to become certain."""
        return bool(self._held)

    def feed(self, text: str) -> str:
        """The text that is certain now. After a stop text: always empty."""
        if self.stopped:
            return ""
        text = self._held + text
        found = [at for at in (text.find(stop) for stop in self._stop) if at >= 0]
        if found:
            self.stopped = True
            self._held = ""
            return text[: min(found)]
        keep = max((_overlap(text, stop) for stop in self._stop), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def finish(self, *, cut: bool = False) -> str:
        """What still waits, at the end of the text; nothing if the text was ``cut`` where it might have gone on."""
        rest, self._held = self._held, ""
        return "" if cut else rest


class TextAssembler:
    """Turns the byte pieces of tokens into text that may be given out.

    A character that several tokens spell waits until it is whole; bytes that never become one turn into U+FFFD.
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._filter = StopFilter(stop)

    @property
    def stopped(self) -> bool:
        """Whether a stop text has come."""
        return self._filter.stopped

    @property
    def holds(self) -> bool:
        """Whether something waits to become certain."""
        return self._filter.holds or bool(self._decoder.getstate()[0])

    def feed(self, data: bytes) -> str:
        """Take a token's bytes; return the text that is now certain. After a stop text: always empty."""
        return self._filter.feed(self._decoder.decode(data))

    def finish(self, *, cut: bool = False) -> str:
        """The rest, at the end; half a character or half a stop text is left out if the answer was ``cut``."""
        if cut:
            return self._filter.finish(cut=True)
        return self._filter.feed(self._decoder.decode(b"", final=True)) + self._filter.finish()


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of ``text`` with which ``stop`` begins."""
    for size in range(min(len(text), len(stop) - 1), 0, -1):
        if stop.startswith(text[-size:]):
            return size
    return 0
