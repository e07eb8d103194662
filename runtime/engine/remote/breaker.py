"""A circuit breaker: after repeated failures a server is left alone for a while, then tried with one request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class CircuitBreaker:
    """Closed, open or half-open (M. Nygard, Release It!, 2007). Safe from any thread.

    Every attempt calls ``enter`` and, if that let it in, later exactly one of ``succeeded``, ``failed`` and ``left``.
    """

    def __init__(self, failures: int, cooldown_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin closed; ``failures`` in a row open it for ``cooldown_s``."""
        self._limit = failures
        self._cooldown_s = cooldown_s
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._opened = 0.0
        self._open = False
        self._probing = False
        self._why = ""

    def blocked_s(self) -> float:
        """Seconds until an attempt is let in; 0 if one would be now."""
        with self._lock:
            return self._blocked_s()

    def _blocked_s(self) -> float:
        if not self._open:
            return 0.0
        left = self._opened + self._cooldown_s - self._clock()
        if left > 0:
            return left
        return min(1.0, self._cooldown_s) if self._probing else 0.0

    def enter(self) -> float:
        """Begin an attempt; the first one after the cool-down is the probe.

        Returns:
            0 if it is let in, else the seconds to wait.
        """
        with self._lock:
            blocked = self._blocked_s()
            if self._open and not blocked:
                self._probing = True
            return blocked

    def alive(self) -> None:
        """An attempt under way has brought something: others may come; the next failure opens again."""
        with self._lock:
            if self._open:
                self._close(self._limit - 1)

    def succeeded(self) -> None:
        """An attempt went well to its end."""
        with self._lock:
            self._close(0)
            self._why = ""

    def _close(self, failures: int) -> None:
        self._open = self._probing = False
        self._failures = failures

    def failed(self, why: str) -> None:
        """An attempt failed, and ``why``."""
        with self._lock:
            self._failures += 1
            self._why = why
            if self._probing or self._failures >= self._limit:
                self._open, self._probing = True, False
                self._opened = self._clock()

    def left(self) -> None:
        """An attempt was given up and says nothing about the server."""
        with self._lock:
            self._probing = False

    @property
    def why(self) -> str:
        """What went wrong the last time; empty if nothing did."""
        with self._lock:
            return self._why
