"""A turn under way: raw text becomes an answer through slots, the output guard and the customer's own data."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from guards.audit.log import AuditLog
from guards.guard import Guard, OutputContext
from guards.language import Language
from guards.pii.vault import Vault
from guards.policy import Direction
from guards.verdict import Action, Verdict
from runtime.assistant.auditing import write_down
from runtime.assistant.slots import SlotFiller
from runtime.assistant.sources import TextSource
from runtime.assistant.turn import TurnEnd, TurnResult
from runtime.engine.face import FinishReason
from runtime.engine.text import StopFilter


@dataclass(frozen=True, slots=True)
class TurnPlan:
    """What is known of a turn before its answer.

    Attributes:
        guard: judges the answer.
        client: whose turn it is.
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
        adapter: the LoRA adapter that answers; empty if the bare model does, or no model at all.
        stop: texts at which the answer ends, looked for once its slots are filled.
        end: the turn's end if that is settled already (a refusal).
    """

    guard: Guard
    client: str
    started: float
    message: str
    intent: str
    language: Language
    verdict: Verdict
    guard_in_ms: float
    context: OutputContext
    vault: Vault
    session_id: str = ""
    slots: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    handoff: bool = False
    adapter: str = ""
    stop: tuple[str, ...] = ()
    end: TurnEnd | None = None


class GuardedTurn:
    """See ``runtime.assistant.turn.Turn``.

    ``done`` is called once, with the answer that the conversation goes on from and the end; then the turn is written
    into ``audit``.
    """

    def __init__(
        self, plan: TurnPlan, source: TextSource, done: Callable[[str, TurnEnd], None], audit: AuditLog | None = None
    ) -> None:
        self._plan = plan
        self._source = source
        self._audit = audit
        self._done: Callable[[str, TurnEnd], None] | None = done
        self._lock = threading.Lock()
        self._cancelled = False
        self._started = False
        self._raw: list[str] = []
        self._released: list[str] = []
        self._given: list[str] = []
        self._guard_out_ms = 0.0
        self._ttft_ms = 0.0
        self._verdict = plan.verdict
        self._output_verdict: Verdict | None = None
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
        end: TurnEnd | None = TurnEnd.CANCELLED
        try:
            for text in self._answer():
                if not self._given:
                    self._ttft_ms = (time.monotonic() - self._plan.started) * 1000
                self._given.append(text)
                yield text
            end = self._end()
        except Exception:
            end = None
            raise
        finally:
            if end in (TurnEnd.CANCELLED, None):
                self._source.cancel()
            self._finish(end)

    def _end(self) -> TurnEnd:
        if self._cancelled:
            return TurnEnd.CANCELLED
        return self._settled or TurnEnd(self._source.finish.value)

    def _answer(self) -> Iterator[str]:
        filler = SlotFiller(self._plan.slots, self._plan.language)
        restorer = self._plan.vault.restorer()
        if self._source.fixed:
            for text in self._source:
                self._raw.append(text)
                yield filler.feed(text) + filler.finish()
            return
        output = self._plan.guard.output_stream(self._plan.context, self._plan.language)
        stop = StopFilter(self._plan.stop)

        def guarded(text: str, *, last: bool = False) -> str:
            text = stop.feed(text)
            if last:
                text += stop.finish(cut=self._source.finish is FinishReason.LENGTH)
            began = time.perf_counter()
            released = output.feed(text)
            if last:
                released += output.finish()
            self._guard_out_ms += (time.perf_counter() - began) * 1000
            self._released.append(released)
            return restorer.feed(released) + (restorer.finish() if last else "")

        for piece in self._source:
            self._raw.append(piece)
            if text := guarded(filler.feed(piece)):
                yield text
            if output.blocked or stop.stopped or self._cancelled:
                break
        if not output.blocked and (text := guarded(filler.finish(), last=True)):
            yield text
        self._output_verdict = output.verdict
        self._verdict = max(self._verdict, output.verdict, key=lambda verdict: verdict.action.severity)
        if stop.stopped:
            self._source.cancel()
            self._settled = TurnEnd.STOP
        if output.blocked:
            self._source.cancel()
            self._settled = TurnEnd.CONTENT_FILTER
            refusal = self._plan.guard.refusal(output.verdict, self._plan.message, Direction.OUTPUT)
            yield ("\n" if self._given else "") + refusal

    def _finish(self, end: TurnEnd | None) -> None:
        """Settle the turn, once; a turn that failed (None) has no result."""
        with self._lock:
            done, self._done = self._done, None
        if done is None:
            return
        result = self._outcome(end or TurnEnd.CANCELLED)
        self._result = result if end else None
        done("".join(self._remembered()) if end else "", result.end)
        if self._audit is not None:
            plan, verdicts = self._plan, (self._plan.verdict, self._output_verdict)
            said = end.value if end else "failed"
            write_down(self._audit, result, client=plan.client, question=plan.message, verdicts=verdicts, end=said)

    def _outcome(self, end: TurnEnd) -> TurnResult:
        return TurnResult(
            answer="".join(self._given),
            end=end,
            session_id=self._plan.session_id,
            intent=self._plan.intent,
            sources=self._plan.sources,
            handoff=self._plan.handoff or self._plan.guard.calls_person(self._verdict),
            cached=self._source.cached,
            adapter=self._plan.adapter,
            verdict=self._verdict,
            usage=self._source.usage,
            timing_ms={
                "guard_in": self._plan.guard_in_ms,
                "queue": self._source.usage.queue_ms,
                "engine": self._source.usage.total_ms,
                "guard_out": self._guard_out_ms,
                "ttft": self._ttft_ms,
                "total": (time.monotonic() - self._plan.started) * 1000,
            },
        )

    def _remembered(self) -> list[str]:
        """What the conversation goes on from: the model's own words, unless the guard replaced some of them."""
        replaced = self._output_verdict is not None and self._output_verdict.action is Action.REVIEW
        return self._released if replaced else self._raw
