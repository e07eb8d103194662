"""Prefixes computed in idle time: prompts to come that begin with them find their cells there."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Mapping

from runtime.engine.cache import PrefixCache
from runtime.engine.llama import BATCH_ROWS, DecodeAbortedError, Llama, Row

log = logging.getLogger(__name__)

#: Prefixes that may wait; the oldest is given up for one more.
CAPACITY = 64


class Preparation:
    """Prefixes that wait for an idle moment. ``ask`` may be called from any thread, the rest by the engine's.

    Attributes:
        computed_tokens: so far.
        faults: prefixes that were given up because computing them failed.
    """

    def __init__(self, llama: Llama, cache: PrefixCache, identities: Mapping[str, str]) -> None:
        """Nothing waits. ``identities`` are the adapters' by name, as the cache tells them apart."""
        self._llama = llama
        self._cache = cache
        self._identities = identities
        self._lock = threading.Lock()
        self._waiting: OrderedDict[tuple[str, tuple[int, ...], bool], None] = OrderedDict()
        self.computed_tokens = 0
        self.faults = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def ask(self, adapter: str, prefix: tuple[int, ...], *, lasting: bool) -> None:
        """Let a prefix be prepared; a ``lasting`` one is written to disk at once."""
        with self._lock:
            self._waiting[adapter, prefix, lasting] = None
            self._waiting.move_to_end((adapter, prefix, lasting))
            while len(self._waiting) > CAPACITY:
                self._waiting.popitem(last=False)

    def work(self) -> None:
        """Compute one prefix, or as much of it as there is time for until ``abort``; the rest waits for the next call.

        A prefix for which running answers leave no room is given up, and so is one that fails: it would fail again,
        and nothing else would be prepared.
        """
        with self._lock:
            if not self._waiting:
                return
            adapter, prefix, lasting = key = next(iter(self._waiting))
        try:
            done = self._compute(adapter, prefix, lasting=lasting)
        except Exception:
            done = True
            self.faults += 1
            log.exception("a prefix of %d tokens for adapter %r cannot be prepared; given up", len(prefix), adapter)
        if done:
            with self._lock:
                self._waiting.pop(key, None)

    def _compute(self, adapter: str, prefix: tuple[int, ...], *, lasting: bool) -> bool:
        """Compute and keep what is missing of a prefix; False if a customer came in between."""
        lease = self._cache.admit(self._identities[adapter], prefix, len(prefix))
        if lease is None:
            return True
        at = lease.shared
        try:
            self._llama.use_adapter(adapter)
            while at < len(prefix):
                part = prefix[at : at + BATCH_ROWS]
                self._llama.compute([Row(token, at + i, lease.sequence, False) for i, token in enumerate(part)])
                at += len(part)
                self.computed_tokens += len(part)
        except DecodeAbortedError:
            return False
        finally:
            try:
                self._cache.keep(lease, prefix[:at])
                if lasting and at == len(prefix):
                    self._cache.persist(lease)
            finally:
                self._cache.release(lease)
        return True
