"""Closed loops: a fixed number of chats, each asking its next question as soon as the last one is answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from bench.chat import ChatAnswer, ChatMessage, ChatRequest
from bench.client import Client
from bench.journal import Journal
from bench.plans import LoopPlan
from bench.records import Kind, LoopResult
from bench.workload import Conversation, Traffic, WorkloadOptions

_POLL_S = 0.1

#: Called now and then with the share that is done, 0 to 1, and the requests made.
Observe = Callable[[float, int], None]


def run_loop(
    client: Client, plan: LoopPlan, traffic: Traffic, options: WorkloadOptions, observe: Observe
) -> LoopResult:
    """Run one closed loop. What goes wrong is recorded, not raised."""
    loop = _Loop(client, plan, traffic, options)
    journal = loop.journal
    threads = [threading.Thread(target=loop.chat, name=f"chat-{n}", daemon=True) for n in range(plan.chats)]
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():
                thread.join(_POLL_S)
                observe(loop.share, loop.started)
    finally:
        journal.stop.set()
    if loop.defect:
        raise loop.defect
    return LoopResult(plan, time.perf_counter() - journal.began_s, journal.sorted_records, aborted=journal.aborted)


class _Loop:
    """What the chats of a loop share."""

    def __init__(self, client: Client, plan: LoopPlan, traffic: Traffic, options: WorkloadOptions) -> None:
        self._plan, self._traffic, self._options = plan, traffic, options
        self._lock = threading.Lock()
        self._next = 0
        self.started = 0
        self.defect: Exception | None = None
        self.journal = Journal(client)

    @property
    def share(self) -> float:
        """How far the loop is, 0 to 1."""
        by_count = self.started / max(1, self._plan.min_requests)
        by_time = self.journal.now_ms / (1000.0 * self._plan.seconds) if self._plan.seconds else 1.0
        return min(1.0, by_count, by_time)

    def chat(self) -> None:
        """One customer after another, until there is no more to ask."""
        try:
            while self._go_on(claim=False):
                self._talk(self._next_conversation())
        except Exception as error:  # a defect of ours must reach the main thread, not vanish with this one
            self.defect = error
            self.journal.stop.set()

    def _go_on(self, claim: bool) -> bool:
        with self._lock:
            enough = self.started >= self._plan.min_requests
            late = self.journal.now_ms >= 1000.0 * self._plan.seconds
            if self.journal.stop.is_set() or (enough and late):
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
        answer, rest_s = self.journal.ask(ChatRequest(messages, self._options.max_tokens), conversation, turn, kind)
        if rest_s:
            self.journal.stop.wait(rest_s)
        return answer
