"""A turn under way: raw text becomes an answer through slots, the output guard and the customer's own data."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from guards.guard import Guard, OutputContext
from guards.vault import Vault
from guards.verdict import Verdict
from runtime.assistant.slots import SlotFiller
from runtime.assistant.sources import TextSource
from runtime.assistant.turn import TurnEnd, TurnResult
from runtime.engine.face import FinishReason

_ENDS = {
    FinishReason.STOP: TurnEnd.STOP,
    FinishReason.LENGTH: TurnEnd.LENGTH,
    FinishReason.CANCELLED: TurnEnd.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class TurnPlan:
    """What is known of a turn before its answer.

    Attributes:
        started: monotonic seconds when the message came.
        session_id: of the conversation; empty if the caller carries it.
        message: what the customer wrote; fixed texts are in its language.
        intent: what the customer wants.
        language: ``en`` or ``zh``, for fixed texts.
        verdict: on the message.
        guard_in_ms: time that guarding and understanding the message took.
        context: what the answer is judged against.
        vault: the customer's personal data.
        slots: values for the answer's slots.
        sources: what the answer rests on.
        handoff: whether a person should take over.
        end: the turn's end if that is settled already (a refusal).
    """

    started: float
    session_id: str
    message: str
    intent: str
    language: str
    verdict: Verdict
    guard_in_ms: float
    context: OutputContext
    vault: Vault
    slots: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    handoff: bool = False
    end: TurnEnd | None = None


class GuardedTurn:
    """See ``runtime.assistant.turn.Turn``. ``done`` is called once, with the raw answer and the end."""

    def __init__(self, plan: TurnPlan, source: TextSource, guard: Guard, done: Callable[[str, TurnEnd], None]) -> None:
        self._plan = plan
        self._source = source
        self._guard = guard
        self._done: Callable[[str, TurnEnd], None] | None = done
        self._lock = threading.Lock()
        self._cancelled = False
        self._started = False
        self._raw: list[str] = []
        self._given: list[str] = []
        self._guard_out_ms = 0.0
        self._ttft_ms = 0.0
        self._verdict = plan.verdict
        self._settled = plan.end
        self._result: TurnResult | None = None

    @property
    def session_id(self) -> str:
        """The conversation's id."""
        return self._plan.session_id

    @property
    def result(self) -> TurnResult:
        """The outcome; there once the pieces are exhausted."""
        if self._result is None:
            raise RuntimeError("the turn is still under way; read its pieces first")
        return self._result

    def cancel(self) -> None:
        """Stop computing at once."""
        with self._lock:
            self._cancelled = True
            started = self._started
        self._source.cancel()
        if not started:
            self._finish(TurnEnd.CANCELLED)

    def __iter__(self) -> Iterator[str]:
        """The guarded pieces."""
        with self._lock:
            self._started = True
        end = TurnEnd.CANCELLED
        try:
            for text in self._answer():
                if not self._given:
                    self._ttft_ms = (time.monotonic() - self._plan.started) * 1000
                self._given.append(text)
                yield text
            end = self._end()
        finally:
            if end is TurnEnd.CANCELLED:
                self._source.cancel()
            self._finish(end)

    def _end(self) -> TurnEnd:
        if self._cancelled:
            return TurnEnd.CANCELLED
        return self._settled or _ENDS[self._source.finish]

    def _answer(self) -> Iterator[str]:
        filler = SlotFiller(self._plan.slots, self._plan.language)
        restorer = self._plan.vault.restorer()
        if self._source.fixed:
            for text in self._source:
                self._raw.append(text)
                yield filler.feed(text) + filler.finish()
            return
        output = self._guard.output_stream(self._plan.context)

        def guarded(text: str, *, last: bool = False) -> str:
            began = time.perf_counter()
            released = output.feed(text)
            if last:
                released += output.finish()
            self._guard_out_ms += (time.perf_counter() - began) * 1000
            return restorer.feed(released) + (restorer.finish() if last else "")

        for piece in self._source:
            self._raw.append(piece)
            if text := guarded(filler.feed(piece)):
                yield text
            if output.blocked or self._cancelled:
                break
        if not output.blocked and (text := guarded(filler.finish(), last=True)):
            yield text
        self._verdict = max(self._verdict, output.verdict, key=lambda verdict: verdict.action.severity)
        if output.blocked:
            self._source.cancel()
            self._settled = TurnEnd.CONTENT_FILTER
            yield ("\n" if self._given else "") + self._guard.refusal(output.verdict, self._plan.message)

    def _finish(self, end: TurnEnd) -> None:
        with self._lock:
            done, self._done = self._done, None
        if done is None:
            return
        total_ms = (time.monotonic() - self._plan.started) * 1000
        self._result = TurnResult(
            answer="".join(self._given),
            end=end,
            session_id=self._plan.session_id,
            intent=self._plan.intent,
            sources=self._plan.sources,
            handoff=self._plan.handoff,
            cached=self._source.cached,
            verdict=self._verdict,
            usage=self._source.usage,
            timing_ms={
                "guard_in": self._plan.guard_in_ms,
                "queue": self._source.usage.queue_ms,
                "engine": self._source.usage.total_ms,
                "guard_out": self._guard_out_ms,
                "ttft": self._ttft_ms,
                "total": total_ms,
            },
        )
        done("".join(self._raw), end)
