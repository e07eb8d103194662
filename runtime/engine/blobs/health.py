"""How a disk fares: its faults are counted, logged now and then, and followed by a rest."""

from __future__ import annotations

import logging
import threading
import time

log = logging.getLogger(__name__)

#: One warning in that time; a disk that fails, fails often.
WARN_EVERY_S = 60.0


class DiskHealth:
    """Faults so far, and until when the disk is left alone. Safe from any thread.

    Attributes:
        faults: how many there were.
        rest_until_s: on the clock ``time.monotonic``.
    """

    def __init__(self, rest_s: float) -> None:
        self.faults = 0
        self.rest_until_s = 0.0
        self._rest_s = rest_s
        self._warn_at_s = 0.0
        self._lock = threading.Lock()

    @property
    def resting(self) -> bool:
        """Whether to leave it alone."""
        return time.monotonic() < self.rest_until_s

    def fault(self, problem: str, *, rest: bool) -> None:
        """Count and log a fault; ``rest`` says whether the disk rather than one file is to blame."""
        now_s = time.monotonic()
        with self._lock:
            self.faults += 1
            if rest:
                self.rest_until_s = now_s + self._rest_s
            warn = now_s >= self._warn_at_s
            if warn:
                self._warn_at_s = now_s + WARN_EVERY_S
        if warn:
            log.warning("%s; what is lost is computed anew; faults so far: %d", problem, self.faults)
