"""The output guard: an answer goes in as it is generated, and comes out as far as it has been judged.

The text is judged in steps, one per sentence (``segments``). A step sees the sentence, what is still held back before
it and one character after it, so it depends on the text alone and not on how it was cut into pieces. Detectors of
bounded spans say where one may be open at the step's end; from there on the text is held back for the next step. That
is why no character of a blocked span has been given out, and why whole texts are checked through the same stream.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from guards.decision import Decision, DetectorFailedError, log_fault, scan
from guards.detector import Detector, Hit, SpanDetector
from guards.policy import FAULT_FAMILY
from guards.segments import next_cut
from guards.verdict import Action, Verdict
from guards.views.normal import View, normalised

#: Released text that a step looks at again: borders and the words before a number.
CONTEXT_CHARS = 64
#: An address takes 320 characters at most. Only invisible filling can make more be held back, and that is refused.
MAX_HOLD_CHARS = 1024
HOLD_RULE = f"{FAULT_FAMILY}.hold"


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


class OutputStream:
    """One answer on its way out. Not for use by two threads at once."""

    def __init__(self, guards: OutputGuards) -> None:
        self._guards = guards
        self._decision = Decision(guards.stamp)
        self._text = ""
        self._judged = 0  # characters that belong to finished steps
        self._released = 0  # characters given out (or redacted), never more than judged
        self._took_s = 0.0
        self._finished = False

    @property
    def blocked(self) -> bool:
        """Whether the answer is refused; then nothing more comes out."""
        return self._decision.blocked

    @property
    def verdict(self) -> Verdict:
        """The verdict on what was judged so far; final after ``finish`` or once blocked."""
        return self._decision.verdict(self._took_s * 1000.0)

    @property
    def released_chars(self) -> int:
        """How many characters of the answer were given out, or redacted, so far."""
        return self._released

    def feed(self, piece: str) -> str:
        """Take in a piece; the text that is released by it, often none."""
        return self._advance(piece, final=False)

    def finish(self) -> str:
        """End the answer; the rest of the text, if it may go out."""
        return self._advance("", final=True)

    def _advance(self, piece: str, *, final: bool) -> str:
        if self.blocked or self._finished:
            return ""
        begun = time.perf_counter()
        out: list[str] = []
        try:
            self._take(piece, out, final=final)
        except Exception as error:
            log_fault(error)
            self._decision.fail()
        self._finished = final
        self._took_s += time.perf_counter() - begun
        return "".join(out)

    def _take(self, piece: str, out: list[str], *, final: bool) -> None:
        room = self._guards.max_chars - len(self._text)
        self._text += piece[:room]
        while not self.blocked and (cut := next_cut(self._text, self._judged, final=final)) is not None:
            out.append(self._step(cut, last=final and cut == len(self._text)))
        if len(piece) > room:
            self._decision.add("size.too_long", None, Action.BLOCK)

    def _step(self, cut: int, *, last: bool) -> str:
        """Judge up to ``cut``; the text that this releases."""
        begin = max(0, self._released - CONTEXT_CHARS)
        view = normalised(self._text[begin : cut + (not last)], begin)
        hits = self._span_hits(view) + self._sentence_hits(normalised(self._text[self._judged : cut], self._judged))
        self._judged = cut
        for hit, action in hits:
            if action is not Action.REDACT:
                self._decision.add(hit.rule, (hit.start, hit.end), action)
        if self.blocked:
            return ""
        redactions = [hit for hit, action in hits if action is Action.REDACT]
        return self._release(cut if last else self._safe(cut, view, redactions), redactions)

    def _span_hits(self, view: View) -> list[tuple[Hit, Action]]:
        """Hits in text that is not out yet, in order of position."""
        found = [
            (hit, action)
            for detector, action in self._guards.spans
            for hit in scan(detector, view).hits
            if hit.end > self._released
        ]
        return sorted(found, key=lambda entry: entry[0].start)

    def _sentence_hits(self, view: View) -> list[tuple[Hit, Action]]:
        found: list[tuple[Hit, Action]] = []
        for detector, action in self._guards.sentences:
            report = scan(detector, view)
            self._decision.score(report)
            found += [(hit, action) for hit in report.hits]
        return found

    def _safe(self, cut: int, view: View, redactions: list[Hit]) -> int:
        """Up to where nothing is open and no redaction is cut in two."""
        safe = cut
        for detector, _ in self._guards.spans:
            try:
                safe = min(safe, view.origin(detector.pending(view)))
            except Exception as error:
                raise DetectorFailedError(detector.family) from error
        for hit in sorted(redactions, key=lambda hit: -hit.start):
            if hit.start < safe < hit.end:
                safe = hit.start
        safe = max(safe, self._released)
        if cut - safe > MAX_HOLD_CHARS:
            self._decision.add(HOLD_RULE, (safe, cut), Action.BLOCK)
        return safe

    def _release(self, end: int, redactions: list[Hit]) -> str:
        """The text up to ``end`` with replacements; the redactions in it count from now on."""
        if self.blocked:
            return ""
        pieces: list[str] = []
        for hit in redactions:
            if hit.end <= self._released or hit.end > end:
                continue
            self._decision.add(hit.rule, (hit.start, hit.end), Action.REDACT)
            pieces += [self._text[self._released : hit.start], hit.replacement]
            self._released = hit.end
        pieces.append(self._text[self._released : end])
        self._released = max(self._released, end)
        return "".join(pieces)
