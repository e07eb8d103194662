"""Loops with a schedule: customers come when they come (Poisson), all at once (burst) or as in a trace (replay).

Nobody waits for anybody: a request is sent at its moment whether the ones before it are answered or not, and its
latency counts from that moment, also if bench itself was late. A closed loop asks less when the target is slow and so
leaves out the very waits that customers would have had: coordinated omission (G. Tene 2013, "How NOT to Measure
Latency"; his wrk2 corrects it in the same way).
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from bench.chat import ChatMessage, ChatRequest
from bench.client import Client
from bench.journal import Journal
from bench.loop import Observe
from bench.plans import LoopPlan
from bench.records import Kind, LoopResult
from bench.workload import Conversation, Traffic, WorkloadOptions

#: What the customers of an open loop ask. A returning customer needs an earlier answer; without one it is a new one.
MIX = {
    Kind.NEW: 0.30,
    Kind.KNOWN: 0.20,
    Kind.RETURNING: 0.25,
    Kind.FREQUENT: 0.15,
    Kind.PASTE: 0.05,
    Kind.ATTACK: 0.05,
}

#: More requests than this are not held open; those that come then are late, and their latency counts it.
MOST_OPEN = 256
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request of a schedule.

    Attributes:
        at_s: since the loop began.
        kind: what is asked.
        conversation: its turns; of a replayed request, empty.
        messages: of a replayed request, and what stands before the question of any other.
        max_tokens: of the answer; None takes the workload's.
    """

    at_s: float
    kind: Kind
    conversation: Conversation
    messages: tuple[ChatMessage, ...] = ()
    max_tokens: int | None = None


def poisson(plan: LoopPlan, traffic: Traffic, seed: int) -> tuple[Arrival, ...]:
    """Arrivals of an open loop: exponential gaps of mean ``1 / rate``, kinds drawn from ``MIX``.

    Raises:
        ValueError: the plan has no rate above 0.
    """
    if not plan.rate_per_s or plan.rate_per_s < 0.0:
        raise ValueError(f"rate {plan.rate_per_s} of loop {plan.name!r}; expected arrivals a second above 0")
    rng = random.Random(f"{seed}/{plan.name}/arrivals")
    found: list[Arrival] = []
    at_s = rng.expovariate(plan.rate_per_s)
    while at_s < plan.seconds:
        kind = rng.choices(list(MIX), list(MIX.values()))[0]
        found.append(_arrival(at_s, kind, traffic, seed, plan.name, len(found)))
        at_s += rng.expovariate(plan.rate_per_s)
    return tuple(found)


def burst(plan: LoopPlan, traffic: Traffic, seed: int) -> tuple[Arrival, ...]:
    """New customers, ``plan.chats`` of them, in the same instant."""
    return tuple(_arrival(0.0, Kind.NEW, traffic, seed, plan.name, index) for index in range(plan.chats))


def _arrival(at_s: float, kind: Kind, traffic: Traffic, seed: int, stage: str, index: int) -> Arrival:
    if kind is Kind.KNOWN:
        before = (ChatMessage("system", traffic.known(seed, stage, index)),)
        return Arrival(at_s, kind, traffic.conversation(seed, stage, index), before)
    make = {Kind.FREQUENT: traffic.frequent, Kind.PASTE: traffic.paste, Kind.ATTACK: traffic.attack}
    return Arrival(at_s, kind, make.get(kind, traffic.conversation)(seed, stage, index))


def run_arrivals(
    client: Client, plan: LoopPlan, arrivals: Sequence[Arrival], options: WorkloadOptions, observe: Observe
) -> LoopResult:
    """Send every request at its moment and wait for all answers. What goes wrong is recorded, not raised."""
    schedule = _Schedule(client, options)
    journal, threads = schedule.journal, list[threading.Thread]()
    try:
        for number, arrival in enumerate(arrivals):
            while (left_s := arrival.at_s - journal.now_ms / 1000.0) > 0.0 and not journal.stop.is_set():
                observe(number / len(arrivals), number)
                journal.stop.wait(min(left_s, _POLL_S))
            schedule.slots.acquire()
            if journal.stop.is_set():
                break
            threads.append(threading.Thread(target=schedule.come, args=(arrival,), daemon=True))
            threads[-1].start()
        for thread in threads:
            while thread.is_alive():
                thread.join(_POLL_S)
                observe(1.0, len(threads))
    finally:
        journal.stop.set()
    if schedule.defect:
        raise schedule.defect
    return LoopResult(plan, time.perf_counter() - journal.began_s, journal.sorted_records, aborted=journal.aborted)


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A customer who was answered and has more to ask."""

    conversation: Conversation
    turn: int
    history: tuple[ChatMessage, ...]


class _Schedule:
    """What the requests of a schedule share."""

    def __init__(self, client: Client, options: WorkloadOptions) -> None:
        self._options = options
        self._answered: deque[_Waiting] = deque()
        self.slots = threading.Semaphore(MOST_OPEN)
        self.defect: Exception | None = None
        self.journal = Journal(client)

    def come(self, arrival: Arrival) -> None:
        """One customer, one question."""
        try:
            self._ask(arrival)
        except Exception as error:  # a defect of ours must reach the main thread, not vanish with this one
            self.defect = error
            self.journal.stop.set()
        finally:
            self.slots.release()

    def _ask(self, arrival: Arrival) -> None:
        kind, waiting = arrival.kind, self._customer(arrival)
        if kind is Kind.RETURNING and not waiting.turn:
            kind = Kind.NEW
        request = ChatRequest(waiting.history, arrival.max_tokens or self._options.max_tokens)
        at_ms = round(1000.0 * arrival.at_s, 3)
        answer, _ = self.journal.ask(request, waiting.conversation.index, waiting.turn, kind, at_ms)
        turns, later = waiting.conversation.turns, waiting.turn + 1
        if answer is not None and not answer.is_blocked and later < len(turns):
            history = (*waiting.history, ChatMessage("assistant", answer.text), ChatMessage("user", turns[later]))
            self._answered.append(_Waiting(waiting.conversation, later, history))

    def _customer(self, arrival: Arrival) -> _Waiting:
        if arrival.kind is Kind.RETURNING:
            try:
                return self._answered.popleft()
            except IndexError:  # nobody has been answered yet who would have more to ask
                pass
        before = arrival.messages
        if not before and self._options.system_prompt:
            before = (ChatMessage("system", self._options.system_prompt),)
        first = tuple(ChatMessage("user", text) for text in arrival.conversation.turns[:1])
        return _Waiting(arrival.conversation, 0, (*before, *first))
