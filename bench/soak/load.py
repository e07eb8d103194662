"""Mixed load: customers who talk, think, come back, attack, and hang up in the middle of an answer."""

from __future__ import annotations

import json
import random
import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum

from bench.chat import ChatMessage, ChatRequest
from bench.client import Client
from bench.errors import RefusedError, TargetError
from bench.wire import connect
from bench.workload import Conversation, Traffic

_STAGE = "soak"
_MAX_RETRY_S = 5.0
#: A target that is gone refuses a thousand times a second: nobody is served by asking at once again.
_AFTER_FAILURE_S = 1.0


class Deed(StrEnum):
    """What became of a request."""

    ANSWERED = "answered"
    BLOCKED = "blocked"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Mix:
    """What customers do.

    Attributes:
        customers: at once.
        think_s: mean pause between an answer and the next question; the pauses are exponential.
        attacks: share of conversations that are an attack.
        cancellations: share of conversations whose customer hangs up during the first answer.
        max_tokens: length of every answer in tokens.
        seed: of what is asked, in which order.
    """

    customers: int = 4
    think_s: float = 0.5
    attacks: float = 0.1
    cancellations: float = 0.15
    max_tokens: int = 48
    seed: int = 1


@dataclass(slots=True)
class Tally:
    """What happened since the last look.

    Attributes:
        deeds: requests by what became of them.
        ttft_ms: time to first token of answered first questions, in the order in which the answers ended.
        error: the last failure, in words; empty if there was none.
    """

    deeds: dict[Deed, int] = field(default_factory=lambda: dict.fromkeys(Deed, 0))
    ttft_ms: list[float] = field(default_factory=list)
    error: str = ""


class Load:
    """Customers, each a thread, from ``start`` to ``stop``. What goes wrong is counted, not raised."""

    def __init__(self, client: Client, traffic: Traffic, mix: Mix) -> None:
        self._client, self._traffic, self._mix = client, traffic, mix
        self._lock = threading.Lock()
        self._tally = Tally()
        self._next = 0
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._customer, args=(number,), name=f"soak-{number}", daemon=True)
            for number in range(mix.customers)
        ]
        self._defect: Exception | None = None

    def start(self) -> None:
        """Let the customers in."""
        for thread in self._threads:
            thread.start()

    def stop(self, wait_s: float) -> None:
        """Let nobody ask again, and wait so long for running answers."""
        self._stop.set()
        until_s = time.perf_counter() + wait_s
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.perf_counter()))

    def take(self) -> Tally:
        """What happened since the last call. Raises what went wrong in our own code."""
        if self._defect:
            raise self._defect
        with self._lock:
            taken, self._tally = self._tally, Tally()
        return taken

    def _customer(self, number: int) -> None:
        rng = random.Random(f"{self._mix.seed}/{_STAGE}/{number}")
        try:
            while not self._stop.is_set():
                with self._lock:
                    index, self._next = self._next, self._next + 1
                self._come(index, rng)
        except Exception as error:  # a defect of ours must reach the main thread, not vanish with this one
            self._defect = error

    def _come(self, index: int, rng: random.Random) -> None:
        draw = rng.random()
        if draw < self._mix.attacks:
            self._talk(self._traffic.attack(self._mix.seed, _STAGE, index), rng)
        elif draw < self._mix.attacks + self._mix.cancellations:
            self._hang_up(self._traffic.conversation(self._mix.seed, _STAGE, index).turns[0])
            self._think(rng)
        else:
            self._talk(self._traffic.conversation(self._mix.seed, _STAGE, index), rng)

    def _talk(self, conversation: Conversation, rng: random.Random) -> None:
        history: list[ChatMessage] = []
        for turn, text in enumerate(conversation.turns):
            history.append(ChatMessage("user", text))
            try:
                answer = self._client.chat(ChatRequest(tuple(history), self._mix.max_tokens))
            except TargetError as error:
                self._failed(error)
                return
            self._note(
                Deed.BLOCKED if answer.is_blocked else Deed.ANSWERED,
                answer.timeline.ttft_ms if not turn and not answer.is_blocked else None,
            )
            if answer.is_blocked:
                return
            history.append(ChatMessage("assistant", answer.text))
            if not self._think(rng):
                return

    def _hang_up(self, question: str) -> None:
        """Ask, read the beginning of the answer, close the connection."""
        client = self._client
        body = ChatRequest((ChatMessage("user", question),), self._mix.max_tokens).body(client.model)
        headers = {"Content-Type": "application/json", "Accept": "text/event-stream", "Connection": "close"}
        if client.api_key:
            headers["Authorization"] = f"Bearer {client.api_key}"
        try:
            connection = connect(client.address, client.limits)
        except OSError as error:
            self._failed(TargetError(f"no connection to {client.address} ({error})"))
            return
        try:
            path = client.address.prefix + "/v1/chat/completions"
            connection.http.request("POST", path, json.dumps(body).encode(), headers)
            response = connection.http.getresponse()
            if response.status != 200:
                self._failed(RefusedError(response.status, "to a customer who would have hung up"))
                return
            response.read1(1)
            self._note(Deed.CANCELLED, None)
        except (OSError, ValueError) as error:  # HTTPException of http.client is neither: it would be a defect
            self._failed(TargetError(f"{client.address}: {error!r}"))
        finally:
            connection.close()

    def _think(self, rng: random.Random) -> bool:
        """Pause; whether the customer may go on."""
        pause_s = rng.expovariate(1.0 / self._mix.think_s) if self._mix.think_s else 0.0
        return not self._stop.wait(pause_s)

    def _failed(self, error: TargetError) -> None:
        busy = isinstance(error, RefusedError) and error.is_overload
        if not self._stop.is_set():
            self._note(Deed.REFUSED if busy else Deed.FAILED, None, "" if busy else f"{error.kind}: {error}")
        wait_s = error.retry_after_s if isinstance(error, RefusedError) and error.retry_after_s else _AFTER_FAILURE_S
        self._stop.wait(min(wait_s, _MAX_RETRY_S))

    def _note(self, deed: Deed, ttft_ms: float | None, error: str = "") -> None:
        with self._lock:
            self._tally.deeds[deed] += 1
            self._tally.error = error or self._tally.error
            if ttft_ms is not None:
                self._tally.ttft_ms.append(ttft_ms)
