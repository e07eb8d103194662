"""Runs of words of a protected text, all of one weight, and where an answer says one of them.

Case, punctuation and spaces do not count. A word weighs 2 and a Chinese character 1: a word of Chinese has about two.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache

from guards.injection.rules import lowered
from guards.views.normal import View, normalised

_WORD_WEIGHT = 2

#: Words, numbers and single Chinese characters: what is glued to a word, or redacted beside it, does not hide it.
_TOKEN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]|\d+|[^\W\d_\u3400-\u4dbf\u4e00-\u9fff]+")

Gram = tuple[str, ...]


class Grams:
    """The runs of one protected text that weigh just enough.

    Attributes:
        count: how many different ones there are; 0 for a text that weighs less.
    """

    def __init__(self, protected: str, weight: int) -> None:
        self._weight = weight
        self._words = tuple(match.group() for match in _TOKEN.finditer(lowered(normalised(protected).text)))
        self._places: dict[str, list[int]] = {}
        for place, word in enumerate(self._words):
            self._places.setdefault(word, []).append(place)
        self._grams = frozenset(gram for _, _, gram in _runs(self._words, weight))
        self._longest = max(map(len, self._grams), default=0)
        self.count = len(self._grams)

    def said(self, view: View) -> Iterator[tuple[int, int, Gram]]:
        """Start and end in ``view.text`` of every run that the view holds, and the run."""
        tokens = list(_TOKEN.finditer(lowered(view.text)))
        for first, end, gram in _runs([token.group() for token in tokens], self._weight):
            if gram in self._grams:
                yield tokens[first].start(), tokens[end - 1].end(), gram

    def pending(self, view: View) -> int:
        """Where the longest beginning of a run stands that reaches the end of ``view.text``; its length if none does.

        The last word may be cut; then it counts as any word that begins so.
        """
        if not self._grams:
            return len(view.text)
        text = lowered(view.text)
        tokens = list(_TOKEN.finditer(text))
        words = [token.group() for token in tokens]
        cut = words.pop() if tokens and tokens[-1].end() == len(text) else ""
        for first in range(max(0, len(words) - self._longest), len(words)):
            if self._goes_on(words[first:], cut):
                return tokens[first].start()
        if cut and any(word.startswith(cut) for word in self._places):
            return tokens[-1].start()
        return len(text)

    def _goes_on(self, words: Sequence[str], cut: str) -> bool:
        """Whether the protected text has the words at some place, and after them one that begins with ``cut``."""
        run = tuple(words)
        return any(
            self._words[place : place + len(run)] == run
            and place + len(run) < len(self._words)
            and self._words[place + len(run)].startswith(cut)
            for place in self._places.get(run[0], ())
        )


@lru_cache(maxsize=64)
def grams_of(protected: str, weight: int) -> Grams:
    """The runs of a protected text. Kept: the same few texts are protected in every answer."""
    return Grams(protected, weight)


def _runs(words: Sequence[str], weight: int) -> Iterator[tuple[int, int, Gram]]:
    """For every word, the shortest run from it that has the weight: its first word, one past its last, and itself."""
    end = total = 0
    for first, word in enumerate(words):
        while total < weight and end < len(words):
            total += _weight_of(words[end])
            end += 1
        if total < weight:
            return
        yield first, end, tuple(words[first:end])
        total -= _weight_of(word)


def _weight_of(word: str) -> int:
    return 1 if len(word) == 1 and not word.isascii() else _WORD_WEIGHT
