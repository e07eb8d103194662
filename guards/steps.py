"""An answer judged step by step: one step per sentence, with what is held back before it.

A step sees the sentence, what is still held back before it and one character after it, so it depends on the text alone
and not on how it was cut into pieces. Detectors of bounded spans say where one may be open at the step's end; from
there on the text is held back for the next step. That is why no character of a blocked span has been given out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from guards.decision import Decision, DetectorFailedError, scan
from guards.detector import Detector, Hit, SpanDetector
from guards.policy import FAULT_FAMILY
from guards.segments import next_cut
from guards.verdict import Action
from guards.views.normal import View
from guards.views.several import views_of

#: Released text that a step looks at again: borders and the words before a number.
CONTEXT_CHARS = 64
#: An address takes 320 characters at most. Only invisible filling can make more be held back, and that is refused.
MAX_HOLD_CHARS = 1024
HOLD_RULE = f"{FAULT_FAMILY}.hold"

#: A run without spaces that the next characters may still complete to something encoded.
_OPEN_CODE = re.compile(r"[A-Za-z0-9+/=_%\\&#;\-]{12,512}\Z")


@dataclass(frozen=True, slots=True)
class OutputGuards:
    """Who judges an answer.

    Attributes:
        spans: detectors of bounded spans, which see across sentences, and what their hits lead to.
        sentences: detectors that judge each sentence by itself, and what their hits lead to.
        max_chars: longest answer.
        stamp: the policy's.
    """

    spans: tuple[tuple[SpanDetector, Action], ...]
    sentences: tuple[tuple[Detector, Action], ...]
    max_chars: int
    stamp: str


@dataclass(frozen=True, slots=True)
class _Replaced:
    """A stretch that does not go out as it is."""

    start: int
    end: int
    text: str
    rule: str
    action: Action


class Steps:
    """One answer's text and how far it has been judged and released. Not for use by two threads at once."""

    def __init__(self, guards: OutputGuards) -> None:
        self.decision = Decision(guards.stamp)
        self._guards = guards
        self._text = ""
        self._judged = 0  # characters that belong to finished steps
        self._released = 0  # characters given out (or replaced), never more than judged
        self._kept: list[_Replaced] = []  # sentences to replace that are not out yet
        self._said: set[str] = set()  # replacements of sentences that went out: nobody needs to read one twice

    @property
    def released_chars(self) -> int:
        """How many characters were given out, or replaced, so far."""
        return self._released

    def add(self, piece: str) -> None:
        """Take in a piece; what is beyond the longest answer is dropped and remembered by ``overflows``."""
        self._text += piece[: self._guards.max_chars + 1 - len(self._text)]

    @property
    def overflows(self) -> bool:
        """Whether there is more than the longest answer."""
        return len(self._text) > self._guards.max_chars

    def next_cut(self, *, final: bool) -> int | None:
        """Where the next step ends; None if that cannot be said yet."""
        return next_cut(self._text[: self._guards.max_chars], self._judged, final=final and not self.overflows)

    def step(self, cut: int, *, final: bool) -> str:
        """Judge up to ``cut``; the text that this releases."""
        last = final and cut == len(self._text)
        begin = max(0, self._released - CONTEXT_CHARS)
        views = views_of(self._text[begin : cut + (not last)], begin)
        spans = self._span_hits(views)
        sentences = self._sentence_hits(views_of(self._text[self._judged : cut], self._judged))
        self._judged = cut
        replaced = [_replaced(hit, action) for hit, action in spans if _replaces(hit, action)]
        self._kept = [kept for kept in self._kept if kept.end > self._released]
        self._kept += [_replaced(hit, action) for hit, action in sentences if _replaces(hit, action)]
        for hit, action in (*spans, *sentences):
            if not _replaces(hit, action):
                self.decision.add(hit.rule, (hit.start, hit.end), action)
        if self.decision.blocked:
            return ""
        replaced = _apart([*self._kept, *replaced])
        return self._release(cut if last else self._safe(cut, views, replaced), replaced)

    def _span_hits(self, views: tuple[View, ...]) -> list[tuple[Hit, Action]]:
        """Hits in text that is not out yet, in order of position."""
        found = [
            (hit, action)
            for detector, action in self._guards.spans
            for view in views
            for hit in scan(detector, view).hits
            if hit.end > self._released
        ]
        return sorted(found, key=lambda entry: entry[0].start)

    def _sentence_hits(self, views: tuple[View, ...]) -> list[tuple[Hit, Action]]:
        found: list[tuple[Hit, Action]] = []
        for detector, action in self._guards.sentences:
            for view in views:
                report = scan(detector, view)
                self.decision.score(report)
                found += [(hit, action) for hit in report.hits]
        return found

    def _safe(self, cut: int, views: tuple[View, ...], replaced: list[_Replaced]) -> int:
        """Up to where nothing is open and no replacement is cut in two."""
        safe = min([cut, *(_open_from(detector, view) for detector, _ in self._guards.spans for view in views)])
        if (code := _OPEN_CODE.search(self._text, max(self._released, cut - 512), cut)) is not None:
            safe = min(safe, code.start())
        for stretch in sorted(replaced, key=lambda stretch: -stretch.start):
            if stretch.start < safe < stretch.end:
                safe = stretch.start
        safe = max(safe, self._released)
        if cut - safe > MAX_HOLD_CHARS:
            self.decision.add(HOLD_RULE, (safe, cut), Action.BLOCK)
        return safe

    def _release(self, end: int, replaced: list[_Replaced]) -> str:
        """The text up to ``end`` with replacements, which count from now on."""
        if self.decision.blocked:
            return ""
        pieces: list[str] = []
        for stretch in replaced:
            if stretch.end <= self._released or stretch.end > end:
                continue
            self.decision.add(stretch.rule, (stretch.start, stretch.end), stretch.action)
            pieces += [self._text[self._released : stretch.start], self._instead(stretch)]
            self._released = stretch.end
        pieces.append(self._text[self._released : end])
        self._released = max(self._released, end)
        return "".join(pieces)

    def _instead(self, stretch: _Replaced) -> str:
        """What is said in its place: the fixed text for a sentence only once."""
        if stretch.action is Action.REDACT:
            return stretch.text
        if stretch.text in self._said:
            return ""
        self._said.add(stretch.text)
        space = self._text[stretch.start : stretch.end]
        return stretch.text + space[len(space.rstrip()) :]


def _replaces(hit: Hit, action: Action) -> bool:
    """Whether the hit takes the place of text: redactions do, and reviews that say what to put there."""
    return action is Action.REDACT or (action is Action.REVIEW and bool(hit.replacement))


def _replaced(hit: Hit, action: Action) -> _Replaced:
    return _Replaced(hit.start, hit.end, hit.replacement, hit.rule, action)


def _apart(stretches: list[_Replaced]) -> list[_Replaced]:
    """In order; what overlaps becomes one stretch, and the severest of it says what stands there."""
    apart: list[_Replaced] = []
    for stretch in sorted(stretches, key=lambda stretch: (stretch.start, -stretch.end)):
        if not apart or stretch.start >= apart[-1].end:
            apart.append(stretch)
            continue
        before = apart.pop()
        severest = max(before, stretch, key=lambda one: one.action.severity)
        apart.append(replace(severest, start=before.start, end=max(before.end, stretch.end)))
    return apart


def _open_from(detector: SpanDetector, view: View) -> int:
    try:
        return view.origin(detector.pending(view))
    except Exception as error:
        raise DetectorFailedError(detector.family) from error
