"""The words of a protected text, such as the system prompt, in an answer: in one run, or spread over all of it."""

from __future__ import annotations

from collections.abc import Iterable

from guards.detector import Hit, Report
from guards.leak.grams import Gram, grams_of
from guards.views.normal import View

#: A run of this weight counts: eight words, or sixteen Chinese characters. Shorter runs are everyday phrases.
LEAK_WEIGHT = 16

#: Runs of four words, or eight Chinese characters, are counted one by one …
SHARE_WEIGHT = 8
#: … and this share of a protected text's runs is a retelling of it, an everyday phrase or two is not.
SHARE_LIMIT = 0.35
#: A shorter protected text has too few runs for a share of them to say anything.
SHARE_MIN_RUNS = 16


class PromptLeak:
    """Hits ``leak.prompt`` for a run of words that a protected text holds in the same order.

    Case, punctuation and spaces do not count. A protected text below ``LEAK_WEIGHT`` has nothing that could be a hit.
    Stateless.
    """

    family = "leak"

    def __init__(self, protected: Iterable[str]) -> None:
        self._texts = tuple(grams_of(text, LEAK_WEIGHT) for text in protected)

    def scan(self, view: View) -> Report:
        """The first run that is heavy enough."""
        said = (next(grams.said(view), None) for grams in self._texts if grams.count)
        first = min(((start, end) for run in said if run for start, end, _ in [run]), default=None)
        return Report((Hit("leak.prompt", *view.span(*first)),)) if first else Report()

    def pending(self, view: View) -> int:
        """Where the longest run begins that reaches the end of the view and may go on."""
        return min((grams.pending(view) for grams in self._texts), default=len(view.text))


class PromptShare:
    """Hits ``leak.prompt_share`` where an answer has said ``SHARE_LIMIT`` of a protected text's short runs.

    For an answer that gives the text away in pieces, with words of its own between them. What was said before the run
    that breaks the limit is out by then: less than that share of the text. One for each answer, because it remembers
    what was said; looking at the same stretch twice changes nothing. Not for use by two threads at once.
    """

    family = "leak"

    def __init__(self, protected: Iterable[str]) -> None:
        texts = (grams_of(text, SHARE_WEIGHT) for text in protected)
        self._texts = tuple((grams, set[Gram]()) for grams in texts if grams.count >= SHARE_MIN_RUNS)

    def scan(self, view: View) -> Report:
        """The run that breaks the limit, if one does."""
        for grams, heard in self._texts:
            for start, end, gram in grams.said(view):
                heard.add(gram)
                if len(heard) >= SHARE_LIMIT * grams.count:
                    return Report((Hit("leak.prompt_share", *view.span(start, end)),))
        return Report()

    def pending(self, view: View) -> int:
        """Where the longest run begins that reaches the end of the view and may go on."""
        return min((grams.pending(view) for grams, _ in self._texts), default=len(view.text))
