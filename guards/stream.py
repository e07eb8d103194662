"""The output guard: an answer goes in as it is generated, and comes out as far as it has been judged.

Whole texts are checked through the same stream, so the two cannot disagree.
"""

from __future__ import annotations

import time

from guards.decision import LENGTH_RULE, log_fault
from guards.steps import OutputGuards, Steps
from guards.verdict import Action, Verdict
from guards.watch import Watch


class OutputStream:
    """One answer on its way out. Not for use by two threads at once."""

    def __init__(self, guards: OutputGuards, watch: Watch) -> None:
        self._watch = watch
        self._steps = Steps(guards)
        self._decision = self._steps.decision
        self._released = 0
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
        """How many characters of the answer were given out, or replaced, so far."""
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
            self._steps.add(piece)
            while not self.blocked and (cut := self._steps.next_cut(final=final)) is not None:
                out.append(self._step(cut, final=final))
            if self._steps.overflows and not self.blocked:
                self._decision.add(LENGTH_RULE, None, Action.BLOCK)
        except Exception as error:
            log_fault(error)
            # A copy: whoever is out of time may still be at work on the steps.
            self._decision = self._decision.failed(error)
        self._finished = final
        self._took_s += time.perf_counter() - begun
        return "".join(out)

    def _step(self, cut: int, *, final: bool) -> str:
        steps = self._steps
        text = self._watch.run(lambda: steps.step(cut, final=final))
        self._released = steps.released_chars
        return text
