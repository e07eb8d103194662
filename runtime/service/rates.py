"""How often a client may ask: one token bucket a client, in bounded memory."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

_CLIENTS_MAX = 4096


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_s: float


class RateLimiter:
    """Lets each client ask ``burst`` times at once and ``per_minute`` times a minute in the long run."""

    def __init__(self, per_minute: int, burst: int, now_s: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_minute / 60
        self._burst = max(1, burst)
        self._now_s = now_s
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, client: str) -> float:
        """Count one question of a client: 0 if it may be asked, else the seconds until it may."""
        if self._per_second <= 0:
            return 0.0
        with self._lock:
            now_s = self._now_s()
            bucket = self._buckets.pop(client, None) or _Bucket(self._burst, now_s)
            bucket.tokens = min(self._burst, bucket.tokens + (now_s - bucket.filled_s) * self._per_second)
            bucket.filled_s = now_s
            self._buckets[client] = bucket  # the least recent stand first, and are forgotten first
            while len(self._buckets) > _CLIENTS_MAX:
                self._buckets.popitem(last=False)
            if bucket.tokens < 1:
                return (1 - bucket.tokens) / self._per_second
            bucket.tokens -= 1
            return 0.0
