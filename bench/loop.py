"""Closed loops: a fixed number of chats, each asking its next question as soon as the last one is answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from bench.chat import ChatAnswer, ChatMessage, ChatRequest
from bench.client import Client
from bench.errors import ProtocolError, RefusedError, TargetError
from bench.metrics import Timeline
from bench.records import Kind, LoopResult, Outcome, Record
from bench.workload import Conversation, LoopPlan, Traffic, WorkloadOptions

#: After so many failures in a row the target is taken to be gone, and the run ends with what was measured.
FAILURES_IN_A_ROW = 3
_MAX_RETRY_S = 2.0
_POLL_S = 0.1

#: Called now and then with the share that is done, 0 to 1, and the requests made.
Observe = Callable[[float, int], None]


def run_loop(
    client: Client, plan: LoopPlan, traffic: Traffic, options: WorkloadOptions, observe: Observe
) -> LoopResult:
    """Run one closed loop. What goes wrong is recorded, not raised."""
    loop = _Loop(client, plan, traffic, options)
    threads = [threading.Thread(target=loop.chat, name=f"chat-{n}", daemon=True) for n in range(plan.chats)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(_POLL_S)
                observe(loop.share, loop.started)
    finally:
        loop.stop.set()
    if loop.defect:
        raise loop.defect
    records = tuple(sorted(loop.records, key=lambda record: record.started_ms))
    return LoopResult(plan, (time.perf_counter() - loop.began_s), records, aborted=loop.aborted)


class _Loop:
    """What the chats of a loop share."""

    def __init__(self, client: Client, plan: LoopPlan, traffic: Traffic, options: WorkloadOptions) -> None:
        self._client, self._plan, self._traffic, self._options = client, plan, traffic, options
        self._lock = threading.Lock()
        self._next = 0
        self._failures = 0
        self.started = 0
        self.records: list[Record] = []
        self.aborted = ""
        self.defect: Exception | None = None
        self.stop = threading.Event()
        self.began_s = time.perf_counter()

    @property
    def share(self) -> float:
        """How far the loop is, 0 to 1."""
        by_count = self.started / max(1, self._plan.min_requests)
        by_time = (time.perf_counter() - self.began_s) / self._plan.seconds if self._plan.seconds else 1.0
        return min(1.0, by_count, by_time)

    def chat(self) -> None:
        """One customer after another, until there is no more to ask."""
        try:
            while self._go_on(claim=False):
                self._talk(self._next_conversation())
        except Exception as error:  # a defect of ours must reach the main thread, not vanish with this one
            self.defect = error
            self.stop.set()

    def _go_on(self, claim: bool) -> bool:
        with self._lock:
            enough = self.started >= self._plan.min_requests
            late = time.perf_counter() - self.began_s >= self._plan.seconds
            if self.stop.is_set() or (enough and late):
                return False
            self.started += claim
            return True

    def _next_conversation(self) -> Conversation:
        with self._lock:
            index, self._next = self._next, self._next + 1
        make = self._traffic.attack if self._plan.attacks else self._traffic.conversation
        return make(self._options.seed, self._plan.name, index)

    def _talk(self, conversation: Conversation) -> None:
        history: list[ChatMessage] = []
        if self._options.system_prompt:
            history.append(ChatMessage("system", self._options.system_prompt))
        for turn, text in enumerate(conversation.turns):
            if not self._go_on(claim=True):
                return
            history.append(ChatMessage("user", text))
            answer = self._ask(conversation.index, turn, tuple(history))
            if answer is None or answer.is_blocked:
                return
            history.append(ChatMessage("assistant", answer.text))

    def _ask(self, conversation: int, turn: int, messages: tuple[ChatMessage, ...]) -> ChatAnswer | None:
        kind = Kind.ATTACK if self._plan.attacks else Kind.RETURNING if turn else Kind.NEW
        began_s = time.perf_counter()
        place = (conversation, turn, kind, round((began_s - self.began_s) * 1000.0, 3))
        try:
            answer = self._client.chat(ChatRequest(messages, self._options.max_tokens))
            if not answer.text and not answer.is_blocked:
                raise ProtocolError(f"an answer without text, finish_reason {answer.finish_reason!r}")
        except TargetError as error:
            took = Timeline((), (time.perf_counter() - began_s) * 1000.0, 0)
            busy = isinstance(error, RefusedError) and error.is_overload
            outcome = Outcome.REFUSED if busy else Outcome.FAILED
            self._keep(Record(*place, outcome, _rounded(took), error=f"{error.kind}: {error}"))
            if isinstance(error, RefusedError) and busy:
                self.stop.wait(min(error.retry_after_s or 0.5, _MAX_RETRY_S))
            return None
        outcome = Outcome.BLOCKED if answer.is_blocked else Outcome.OK
        spent = (answer.prompt_tokens, answer.cached_tokens, answer.from_cache)
        self._keep(Record(*place, outcome, _rounded(answer.timeline), *spent))
        return answer

    def _keep(self, record: Record) -> None:
        with self._lock:
            self.records.append(record)
            self._failures = self._failures + 1 if record.outcome is Outcome.FAILED else 0
            if self._failures >= FAILURES_IN_A_ROW and not self.aborted:
                self.aborted = f"{self._failures} failures in a row; the last: {record.error}"
                self.stop.set()


def _rounded(timeline: Timeline) -> Timeline:
    arrivals = tuple(round(arrival, 3) for arrival in timeline.arrivals_ms)
    return Timeline(arrivals, round(timeline.end_ms, 3), timeline.tokens)
