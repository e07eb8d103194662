"""The policy file, followed while the service runs: a good change takes effect at once, a broken one never does."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from guards.errors import GuardFault
from guards.guard import Guard
from guards.policy import Policy, load_policy

log = logging.getLogger(__name__)

#: A file younger than this may change again without its size or time showing it: file systems' clocks tick coarsely.
_SETTLED_S = 2.0

_Signature = tuple[int, int, int]


class GuardSource:
    """Holds the guard under the newest valid policy. A turn asks once for ``current`` and keeps to it until its end.

    Safe from any thread: ``current`` is one reference, and a poll puts another in its place.
    """

    def __init__(self, path: Path, build: Callable[[Policy], Guard]) -> None:
        """Load the policy for the first time.

        Args:
            path: the policy file.
            build: makes a guard for a policy, with the classifier that is loaded already (``Guard.under``). A policy
                that asks for one that was never loaded, because the first policy did without, is refused.

        Raises:
            GuardFault: the policy is broken, or a guard that it asks for is missing.
        """
        self._path = path
        self._build = build
        self._polling = threading.Lock()
        self._stopped = threading.Event()
        self._watcher: threading.Thread | None = None
        self._problem: str | None = None
        self._refused = ""
        self._signature: _Signature | None = None
        self._settled = False
        self._guard = build(load_policy(path))

    def current(self) -> Guard:
        """The guard for a new turn."""
        return self._guard

    @property
    def problem(self) -> str | None:
        """Why the file as it is now is not applied; None if it is."""
        return self._problem

    def poll(self) -> bool:
        """Look at the file; whether another policy holds now. Never raises for a broken file: the old policy stays."""
        with self._polling:
            signature = _signature(self._path)
            if signature == self._signature and self._settled:
                return False
            settled = signature is not None and time.time() - signature[0] / 1e9 > _SETTLED_S
            digest = _digest(self._path)
            changed = self._apply(digest)
            self._signature, self._settled = signature, settled
            return changed

    def watch(self, interval_s: float = 2.0) -> None:
        """Poll from now on in a thread of its own, until ``close``."""
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, args=(interval_s,), name="policy", daemon=True)
            self._watcher.start()

    def close(self) -> None:
        """Stop polling; the last policy stays."""
        self._stopped.set()
        if self._watcher is not None:
            self._watcher.join()
            self._watcher = None

    def _watch(self, interval_s: float) -> None:
        while not self._stopped.wait(interval_s):
            self.poll()

    def _apply(self, digest: str) -> bool:
        """Build a guard from the file unless it is the one that holds, or one that was refused already."""
        if digest.startswith(self._guard.policy.stamp.rpartition("+")[2]):
            self._problem, self._refused = None, ""
            return False
        if digest == self._refused:
            return False
        try:
            guard = self._build(load_policy(self._path))
        except Exception as error:  # whatever it is, the service goes on under the policy that it has
            self._refused = digest
            known = isinstance(error, GuardFault)
            self._problem = (
                str(error) if known else f"{self._path}: cannot be applied ({type(error).__name__}: {error})"
            )
            log.error("the policy is not applied, %s stays in force: %s", self._guard.policy.stamp, self._problem)
            return False
        before, self._guard = self._guard, guard
        self._problem, self._refused = None, ""
        log.warning("policy %s takes the place of %s", guard.policy.stamp, before.policy.stamp)
        return True


def _signature(path: Path) -> _Signature | None:
    """What changes with the file: its time in nanoseconds, its size, its inode; None if it is not there."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _digest(path: Path) -> str:
    """Of the content; of the kind of error if it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        return f"unreadable: {type(error).__name__}"
