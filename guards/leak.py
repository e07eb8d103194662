"""What an answer must not hold: the marks of the chat template, and long runs of a text that is kept from customers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from guards.detector import Hit, Report
from guards.injection.rules import lowered
from guards.injection.table import ROLE_TOKEN, ROLE_TOKEN_MAX_CHARS
from guards.views.normal import View, normalised

#: A run of this weight counts: eight words, or sixteen Chinese characters. Shorter runs are everyday phrases.
LEAK_WEIGHT = 16
_WORD_WEIGHT = 2

#: Words, numbers and single Chinese characters: what is glued to a word, or redacted beside it, does not hide it.
_TOKEN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]|\d+|[^\W\d_\u3400-\u4dbf\u4e00-\u9fff]+")
_OPEN_MARK = re.compile(rf"[<\[][^\s>\]]{{0,{ROLE_TOKEN_MAX_CHARS - 1}}}\Z")


class RoleTokens:
    """Hits ``leak.role_token`` for chat template marks."""

    family = "leak"

    def scan(self, view: View) -> Report:
        """One hit per mark."""
        found = ROLE_TOKEN.finditer(lowered(view.text))
        return Report(tuple(Hit("leak.role_token", *view.span(*match.span())) for match in found))

    def pending(self, view: View) -> int:
        """Where a bracket stands open that may become a mark."""
        match = _OPEN_MARK.search(view.text, max(0, len(view.text) - ROLE_TOKEN_MAX_CHARS))
        return match.start() if match else len(view.text)


@dataclass(slots=True)
class _Run:
    """Words of the answer that follow each other in the protected text as well, up to ``next`` there."""

    start: int
    weight: int
    next: int


class PromptLeak:
    """Hits ``leak.prompt`` for a run of words that a protected text holds in the same order.

    Case, punctuation and spaces do not count. A protected text below ``LEAK_WEIGHT`` has nothing that could be a hit.
    """

    family = "leak"

    def __init__(self, protected: Iterable[str]) -> None:
        # An empty word ends each text: no word of an answer equals it, so no run crosses from one text to the next.
        self._words = tuple(word for text in protected for word in (*_words(text), ""))
        self._places: dict[str, list[int]] = {}
        for place, word in enumerate(self._words):
            self._places.setdefault(word, []).append(place)

    def scan(self, view: View) -> Report:
        """The first run that is heavy enough, from its first word to its last."""
        runs: list[_Run] = []
        for match in _TOKEN.finditer(lowered(view.text)):
            runs = self._follow(runs, match)
            heaviest = max(runs, key=lambda run: run.weight, default=None)
            if heaviest and heaviest.weight >= LEAK_WEIGHT:
                return Report((Hit("leak.prompt", *view.span(heaviest.start, match.end())),))
        return Report()

    def pending(self, view: View) -> int:
        """Where the longest run begins that reaches the end of the view and may go on."""
        text = lowered(view.text)
        tokens = list(_TOKEN.finditer(text))
        cut = tokens.pop() if tokens and tokens[-1].end() == len(text) else None
        runs: list[_Run] = []
        for match in tokens:
            runs = self._follow(runs, match)
        starts = [run.start for run in runs if self._continues(run, cut)]
        if cut is not None and any(word.startswith(cut.group()) for word in self._places):
            starts.append(cut.start())
        return min(starts, default=len(text))

    def _follow(self, runs: list[_Run], match: re.Match[str]) -> list[_Run]:
        """The runs that the word continues, and those that it begins."""
        word = match.group()
        weight = _weight(word)
        going = [run for run in runs if run.next < len(self._words) and self._words[run.next] == word]
        taken = {run.next for run in going}
        for run in going:
            run.weight += weight
            run.next += 1
        fresh = [_Run(match.start(), weight, place + 1) for place in self._places.get(word, ()) if place not in taken]
        return going + fresh

    def _continues(self, run: _Run, cut: re.Match[str] | None) -> bool:
        """Whether the run goes on with the cut word, as far as that can be seen."""
        return run.next < len(self._words) and (cut is None or self._words[run.next].startswith(cut.group()))


@lru_cache(maxsize=64)
def _words(text: str) -> tuple[str, ...]:
    return tuple(match.group() for match in _TOKEN.finditer(lowered(normalised(text).text)))


def _weight(word: str) -> int:
    return 1 if len(word) == 1 and not word.isascii() else _WORD_WEIGHT
