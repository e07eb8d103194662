"""What every running answer notes, whoever computes it: its request, its moments, its counts, and how it ended."""

from __future__ import annotations

import queue
import time

from runtime.engine.face import FinishReason, GenerationRequest, Piece, Usage


class GenerationRecord:
    """The part that all generations share. The engine writes, one reader reads.

    Attributes:
        request: what was asked for.
        cached_tokens: prompt tokens that were not computed again.
        completion_tokens: of the answer so far.
    """

    def __init__(self, request: GenerationRequest) -> None:
        """It is submitted now."""
        self.request = request
        self.cached_tokens = 0
        self.completion_tokens = 0
        #: Pieces for the reader; then None or the error that ended it.
        self._events: queue.SimpleQueue[Piece | BaseException | None] = queue.SimpleQueue()
        self._finish = FinishReason.CANCELLED
        self._submitted_s = time.monotonic()
        self._started_s = self._first_s = self._ended_s = 0.0  # 0: not yet

    @property
    def finish_reason(self) -> FinishReason:
        """Why it ended; CANCELLED until then."""
        return self._finish

    @property
    def usage(self) -> Usage:
        """Costs so far."""
        return Usage(
            prompt_tokens=len(self.request.prompt),
            cached_tokens=min(self.cached_tokens, len(self.request.prompt)),
            completion_tokens=self.completion_tokens,
            queue_ms=self._ms_until(self._started_s),
            ttft_ms=self._ms_until(self._first_s),
            total_ms=self._ms_until(self._ended_s or time.monotonic()),
        )

    def _ms_until(self, moment_s: float) -> float:
        return (moment_s - self._submitted_s) * 1000 if moment_s else 0.0

    @property
    def answering(self) -> bool:
        """Whether the first token has come."""
        return self._first_s > 0

    def start(self) -> None:
        """Its turn has come: it waits no longer."""
        self._started_s = time.monotonic()

    def first_token(self) -> None:
        """The first token has come; further calls do nothing."""
        self._first_s = self._first_s or time.monotonic()

    def _finished(self, reason: FinishReason, error: BaseException | None) -> None:
        """Note the end, then tell the reader; it gets ``error`` raised, if there is one."""
        self._finish = reason
        self._ended_s = time.monotonic()
        self._events.put(error)
