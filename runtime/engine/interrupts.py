"""When a computation is stopped at once: the only one who wanted it cancels, a customer comes, or the engine closes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from runtime.engine.generation import LocalGeneration
from runtime.engine.llama import Llama


class Interrupts:
    """Who is computed for, and hence when ``Llama.abort`` is on. The lock is the engine's; it must be reentrant.

    Attributes:
        closing: whether the engine closes: from then on nothing is computed any more.
    """

    def __init__(self, llama: Llama, lock: AbstractContextManager[bool]) -> None:
        self.closing = False
        self._llama = llama
        self._lock = lock
        self._sole: LocalGeneration | None = None  # for whom alone a computation runs
        self._in_advance = False

    @contextmanager
    def computing(self, sole: LocalGeneration | None) -> Iterator[None]:
        """Around a computation: if it is for one generation only, cancelling that stops it at once."""
        with self._lock:
            self._sole = sole
            self._llama.abort(self.closing or (sole is not None and sole.cancelled))
        try:
            yield
        finally:
            with self._lock:
                self._sole = None
                self._llama.abort(self.closing)

    @contextmanager
    def in_advance(self) -> Iterator[None]:
        """Around a computation that nobody waits for: the next customer stops it."""
        with self._lock:
            self._in_advance = True
        try:
            yield
        finally:
            with self._lock:
                self._in_advance = False
                self._llama.abort(self.closing)

    def customer_came(self) -> None:
        """Somebody waits now."""
        with self._lock:
            if self._in_advance:
                self._llama.abort(True)

    def cancelled(self, generation: LocalGeneration) -> None:
        """Nobody waits for a generation any more."""
        with self._lock:
            if self._sole is generation:
                self._llama.abort(True)

    def close(self) -> None:
        """The engine closes."""
        with self._lock:
            self.closing = True
            self._llama.abort(True)
