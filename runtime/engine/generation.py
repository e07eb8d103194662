"""A running answer: the engine's thread writes pieces into it, one reader takes them out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from runtime.engine.face import FinishReason, GenerationRequest, Piece
from runtime.engine.record import GenerationRecord
from runtime.engine.sampler import Sampler


class LocalGeneration(GenerationRecord):
    """See ``runtime.engine.face.Generation``. The engine calls ``emit``, ``end`` and ``fail``; the reader the rest."""

    def __init__(
        self, request: GenerationRequest, sampler: Sampler, on_cancel: Callable[[LocalGeneration], None]
    ) -> None:
        super().__init__(request)
        self.sampler = sampler
        self.cancelled = False
        self.is_whole = True  # whether the text that was given out is all that the tokens spell
        self._answer: list[int] = []
        self._on_cancel = on_cancel

    @property
    def answer_ids(self) -> tuple[int, ...]:
        """The tokens generated so far; none if a stop text or a limit cut what they spell."""
        return tuple(self._answer) if self.is_whole else ()

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
        return deadline_s > 0 and time.monotonic() - self._submitted_s > deadline_s

    def answered(self, token: int) -> None:
        """A token of the answer has been chosen."""
        self._answer.append(token)
        self.completion_tokens += 1

    def emit(self, piece: Piece) -> None:
        """Give a piece out."""
        self._events.put(piece)

    def end(self, reason: FinishReason) -> None:
        """No more pieces come."""
        self.sampler.close()
        self._finished(reason, None)

    def fail(self, error: BaseException) -> None:
        """The reader gets ``error`` raised."""
        self.sampler.close()
        self._finished(FinishReason.CANCELLED, error)
