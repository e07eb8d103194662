"""An answer from another machine: the engine's event loop writes pieces into it, one reader takes them out."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator

from runtime.engine.face import FinishReason, GenerationRequest, Piece, Usage


class RemoteGeneration:
    """See ``runtime.engine.face.Generation``. Whoever ends it first (answer, error, cancel) settles it."""

    def __init__(
        self,
        request: GenerationRequest,
        encode: Callable[[str], tuple[int, ...]],
        on_cancel: Callable[[RemoteGeneration], None],
    ) -> None:
        self.request = request
        self.cached_tokens = 0
        self.completion_tokens = 0
        #: The answer's token ids, where the server gives them.
        self.ids: list[int] | None = None
        self.given_out = False
        self._text: list[str] = []
        self._encode = encode
        self._on_cancel = on_cancel
        self._events: queue.SimpleQueue[Piece | BaseException | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._settled = self._given_up = self._read = False
        self._finish = FinishReason.CANCELLED
        self._submitted = time.monotonic()
        self._started = self._first = self._ended = 0.0

    @property
    def settled(self) -> bool:
        """Whether it has ended."""
        return self._settled

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
            queue_ms=self._since(self._started),
            ttft_ms=self._since(self._first),
            total_ms=self._since(self._ended or time.monotonic()),
        )

    def _since(self, moment: float) -> float:
        return (moment - self._submitted) * 1000 if moment else 0.0

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

    def start(self) -> None:
        """A place among the running ones is free."""
        self._started = time.monotonic()

    def begin_attempt(self) -> None:
        """Another try: nothing of the one before has been given out, and nothing of it counts."""
        self.cached_tokens = self.completion_tokens = 0
        self.ids = None

    @property
    def answering(self) -> bool:
        """Whether a token has come."""
        return self._first > 0

    def first_token(self) -> None:
        """The first token has come."""
        self._first = self._first or time.monotonic()

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
            self._finish = reason
            self._ended = time.monotonic()
            self._events.put(error)
