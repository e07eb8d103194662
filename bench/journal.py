"""The records of a loop while it runs: requests are asked, timed and kept, from any thread."""

from __future__ import annotations

import threading
import time

from bench.chat import ChatAnswer, ChatRequest
from bench.client import Client
from bench.errors import ProtocolError, RefusedError, TargetError
from bench.metrics import Timeline
from bench.records import Kind, Outcome, Record

#: After so many failures in a row the target is taken to be gone, and the run ends with what was measured.
FAILURES_IN_A_ROW = 3
_MAX_RETRY_S = 2.0
_RETRY_S = 0.5


class Journal:
    """What the customers of a loop share. What goes wrong with the target is recorded, not raised.

    Attributes:
        records: of all requests that ended, in that order.
        aborted: why the loop has to end early; empty if it has not.
        stop: set when no new requests are to be made.
        began_s: perf_counter when the loop began.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._failures = 0
        self.records: list[Record] = []
        self.aborted = ""
        self.stop = threading.Event()
        self.began_s = time.perf_counter()

    @property
    def now_ms(self) -> float:
        """Since the loop began."""
        return (time.perf_counter() - self.began_s) * 1000.0

    @property
    def sorted_records(self) -> tuple[Record, ...]:
        """All records by their start."""
        with self._lock:
            return tuple(sorted(self.records, key=lambda record: record.started_ms))

    def ask(
        self, request: ChatRequest, conversation: int, turn: int, kind: Kind, scheduled_ms: float | None = None
    ) -> tuple[ChatAnswer | None, float]:
        """Ask and keep the record; the answer, None if there is none, and seconds for which the target wants rest."""
        began_s = time.perf_counter()
        place = (conversation, turn, kind, round((began_s - self.began_s) * 1000.0, 3))
        try:
            answer = self._client.chat(request)
            if not answer.text and not answer.is_blocked:
                raise ProtocolError(f"an answer without text, finish_reason {answer.finish_reason!r}")
        except TargetError as error:
            took = _rounded(Timeline((), (time.perf_counter() - began_s) * 1000.0, 0))
            busy = isinstance(error, RefusedError) and error.is_overload
            outcome = Outcome.REFUSED if busy else Outcome.FAILED
            self._keep(Record(*place, outcome, took, error=f"{error.kind}: {error}", scheduled_ms=scheduled_ms))
            wanted_s = error.retry_after_s if isinstance(error, RefusedError) else 0.0
            return None, min(wanted_s or _RETRY_S, _MAX_RETRY_S) if busy else 0.0
        outcome = Outcome.BLOCKED if answer.is_blocked else Outcome.OK
        spent = (answer.prompt_tokens, answer.cached_tokens, answer.from_cache)
        self._keep(Record(*place, outcome, _rounded(answer.timeline), *spent, scheduled_ms=scheduled_ms))
        return answer, 0.0

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
