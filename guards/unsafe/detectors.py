"""The detectors of unsafe requests: the tables applied to each sentence of a message."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from guards.detector import Hit, Report
from guards.injection.rules import lowered
from guards.language import LANGUAGES, has_han
from guards.unsafe.rule import Row
from guards.unsafe.table import SELF_HARM, UNSAFE
from guards.views.normal import View

_LATIN = re.compile("[a-z]")
_SENTENCE = re.compile(r"(?:[^.!?;\n。]|\.(?=\w))+")

_Sentences = list[tuple[int, int]]


class _Rows:
    """The first hit of every rule, in order of position."""

    def __init__(self, family: str, rows: Sequence[Row]) -> None:
        self._family = family
        self._rows = {language: [row for row in rows if row.language == language] for language in LANGUAGES}

    @property
    def family(self) -> str:
        """Its row in the policy."""
        return self._family

    def scan(self, view: View) -> Report:
        """Where each rule first matches a sentence that nothing excuses."""
        text = lowered(view.text).replace("’", "'")
        candidates = (self._rows["en"] if _LATIN.search(text) else []) + (self._rows["zh"] if has_han(text) else [])
        words = " ".join(["", *text.split()])
        rows = [row for row in candidates if any(cue in words for cue in row.cues)]
        if not rows:
            return Report()
        sentences = [match.span() for match in _SENTENCE.finditer(text)]
        hits: dict[str, Hit] = {}
        for row in rows:
            span = _first(row, text, sentences)
            rule = f"{self._family}.{row.name}"
            if span is not None:
                hit = Hit(rule, *view.span(*span))
                hits[rule] = min(hit, hits.get(rule, hit), key=lambda one: one.start)
        return Report(tuple(sorted(hits.values(), key=lambda hit: hit.start)))


class UnsafeRules(_Rows):
    """Hits ``unsafe.…``: help with crimes, other people's data, secrets of the shop. Stateless."""

    def __init__(self, rules_off: Collection[str] = ()) -> None:
        """Apply all rules but those named (names of ``UNSAFE_NAMES``)."""
        super().__init__("unsafe", [row for row in UNSAFE if row.name not in rules_off])


class SelfHarm(_Rows):
    """Hits ``self_harm.intent`` and ``self_harm.means``: somebody may take their life or hurt themselves.

    A family of its own, because it is no offence: the answer is a kind one, and a person takes over. It belongs before
    every guard that blocks, so that nobody in need is turned away for an insult in the same message. Stateless.
    """

    def __init__(self) -> None:
        super().__init__("self_harm", SELF_HARM)


def _first(row: Row, text: str, sentences: _Sentences) -> tuple[int, int] | None:
    for start, end in sentences:
        match = row.pattern.search(text, start, end)
        if match and match.start() < match.end() and not (row.unless and row.unless.search(text, start, end)):
            return match.span()
    return None
