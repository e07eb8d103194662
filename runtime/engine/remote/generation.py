"""An answer from another machine: the engine's event loop writes pieces into it, one reader takes them out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from runtime.engine.face import FinishReason, GenerationRequest, Piece
from runtime.engine.record import GenerationRecord


class RemoteGeneration(GenerationRecord):
    """See ``runtime.engine.face.Generation``. Whoever ends it first (answer, error, cancel) settles it."""

    def __init__(
        self,
        request: GenerationRequest,
        encode: Callable[[str], tuple[int, ...]],
        on_cancel: Callable[[RemoteGeneration], None],
    ) -> None:
        super().__init__(request)
        #: The answer's token ids, where the server gives them.
        self.ids: list[int] | None = None
        self.given_out = False
        self._text: list[str] = []
        self._encode = encode
        self._on_cancel = on_cancel
        self._lock = threading.Lock()
        self._settled = self._given_up = self._read = False

    @property
    def settled(self) -> bool:
        """Whether it has ended."""
        return self._settled

    @property
    def answer_ids(self) -> tuple[int, ...]:
        """The answer's token ids as the server gives them (vLLM does).

        Of any other server they are the text's as our vocabulary cuts it, which need not be the cut that was generated.

        Raises:
            EngineClosedError: it was cancelled, its text would have to be cut, and the engine is closed.
        """
        return tuple(self.ids) if self.ids is not None else self._encode("".join(self._text))

    def __iter__(self) -> Iterator[Piece]:
        """The pieces as they come. Raises EngineError if the server fails."""
        while not self._read:
            event = self._events.get()
            if event is None or isinstance(event, BaseException):
                self._read = True
            if isinstance(event, BaseException):
                raise event
            if event is None or self._given_up:
                self._read = True
                return
            yield event

    def cancel(self) -> None:
        """Give up: the reader is free at once, and the connection is closed."""
        self._given_up = True
        self._settle(FinishReason.CANCELLED, None)
        self._on_cancel(self)

    def begin_attempt(self) -> None:
        """Another try: nothing of the one before has been given out, and nothing of it counts."""
        self.cached_tokens = self.completion_tokens = 0
        self.ids = None

    def emit(self, piece: Piece) -> None:
        """Give a piece out."""
        with self._lock:
            if not self._settled:
                self.given_out = True
                self._text.append(piece.text)
                self._events.put(piece)

    def end(self, reason: FinishReason) -> None:
        """No more pieces come. Called by the engine, whose vocabulary is open: later it may not be."""
        if reason is not FinishReason.CANCELLED and self.ids is None:
            self.ids = list(self._encode("".join(self._text)))
        self._settle(reason, None)

    def fail(self, error: BaseException) -> None:
        """The reader gets ``error`` raised."""
        self._settle(FinishReason.CANCELLED, error)

    def _settle(self, reason: FinishReason, error: BaseException | None) -> None:
        with self._lock:
            if self._settled:
                return
            self._settled = True
            self._finished(reason, error)
