"""A running answer: the engine's thread writes pieces into it, one reader takes them out."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator

from runtime.engine.face import FinishReason, GenerationRequest, Piece, Usage
from runtime.engine.sampler import Sampler


class LocalGeneration:
    """See ``runtime.engine.face.Generation``. The engine calls ``emit``, ``end`` and ``fail``; the reader the rest."""

    def __init__(
        self, request: GenerationRequest, sampler: Sampler, on_cancel: Callable[[LocalGeneration], None]
    ) -> None:
        self.request = request
        self.sampler = sampler
        self.cancelled = False
        self.cached_tokens = 0
        self.is_whole = True  # whether the text that was given out is all that the tokens spell
        self.drafted = self.accepted = 0
        self._answer: list[int] = []
        self._on_cancel = on_cancel
        self._events: queue.SimpleQueue[Piece | BaseException | None] = queue.SimpleQueue()
        self._finish = FinishReason.CANCELLED
        self._submitted = time.monotonic()
        self._started = self._first = self._ended = 0.0

    @property
    def finish_reason(self) -> FinishReason:
        """Why it ended; CANCELLED until then."""
        return self._finish

    @property
    def usage(self) -> Usage:
        """Costs so far."""
        return Usage(
            prompt_tokens=len(self.request.prompt),
            cached_tokens=self.cached_tokens,
            completion_tokens=len(self._answer),
            queue_ms=self._since(self._started),
            ttft_ms=self._since(self._first),
            total_ms=self._since(self._ended or time.monotonic()),
        )

    @property
    def answer_ids(self) -> tuple[int, ...]:
        """The tokens generated so far; none if a stop text or a limit cut what they spell."""
        return tuple(self._answer) if self.is_whole else ()

    def _since(self, moment: float) -> float:
        return (moment - self._submitted) * 1000 if moment else 0.0

    def __iter__(self) -> Iterator[Piece]:
        """The pieces as they come."""
        while (event := self._events.get()) is not None:
            if isinstance(event, BaseException):
                raise event
            yield event

    def cancel(self) -> None:
        """Give up; the engine notices after its step, or within a graph node if the step is for nobody else."""
        self.cancelled = True
        self._on_cancel(self)

    @property
    def is_late(self) -> bool:
        """Whether its first token would come too late to be of use."""
        deadline_s = self.request.deadline_s
        return deadline_s > 0 and time.monotonic() - self._submitted > deadline_s

    def start(self) -> None:
        """The engine begins with the prompt."""
        self._started = time.monotonic()

    def first_token(self) -> None:
        """The first token has been chosen."""
        self._first = self._first or time.monotonic()

    def answered(self, token: int) -> None:
        """A token of the answer has been chosen."""
        self._answer.append(token)

    def emit(self, piece: Piece) -> None:
        """Give a piece out."""
        self._events.put(piece)

    def end(self, reason: FinishReason) -> None:
        """No more pieces come."""
        self.sampler.close()
        self._finish = reason
        self._ended = time.monotonic()
        self._events.put(None)

    def fail(self, error: BaseException) -> None:
        """The reader gets ``error`` raised."""
        self.sampler.close()
        self._ended = time.monotonic()
        self._events.put(error)
