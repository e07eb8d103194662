"""The store's thread: it brings states from memory to the folder, deletes files, and leaves a failing disk alone."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial

from runtime.engine.blobs.folder import BlobFolder
from runtime.engine.blobs.health import DiskHealth
from runtime.engine.blobs.index import BlobIndex, Entry
from runtime.engine.blobs.options import BlobOptions

log = logging.getLogger(__name__)


class BlobWriter:
    """Does to the folder what the index decides. Safe from any thread."""

    def __init__(
        self, disk: BlobFolder, index: BlobIndex, changed: threading.Condition, health: DiskHealth, options: BlobOptions
    ) -> None:
        """Look what is in the folder, and start.

        Args:
            disk: the folder.
            index: of the store, still empty.
            changed: guards the index and this writer; told of every change.
            health: of the disk.
            options: of the store.
        """
        self._disk = disk
        self._index = index
        self._changed = changed
        self._health = health
        self._options = options
        self._write_at_s = 0.0  # 0: nothing to write
        self._hurried = self._closing = False
        self._load()
        self._delete()
        self._thread = threading.Thread(target=self._work, name="blobs", daemon=True)
        self._thread.start()

    def write_soon(self) -> None:
        """There is something to write or delete. The caller holds the lock."""
        self._write_at_s = self._write_at_s or time.monotonic() + self._options.settle_s
        self._changed.notify_all()

    def flush(self, timeout_s: float) -> bool:
        """See ``BlobStore.flush``."""
        with self._changed:
            if self._closing:
                return False
            self._hurried = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._hurried or self._closing or self._health.resting, timeout_s)
            return not self._hurried and not self._health.resting

    def close(self) -> None:
        """Write what is left, the most recently used first, unless the disk takes too long for that."""
        with self._changed:
            self._closing = True
            self._health.rest_until_s = 0.0  # one last try
            self._changed.notify_all()
        self._thread.join(self._options.close_s)
        if self._thread.is_alive():
            log.warning("%s: busy for %.0f s; left alone", self._disk.path, self._options.close_s)

    def _load(self) -> None:
        try:
            found = self._disk.scan()
        except OSError as error:
            self._health.fault(f"{self._disk.path}: cannot be read ({error.strerror})", rest=True)
            return
        for file in found:
            if file.problem:
                self._health.fault(file.problem, rest=False)
            if file.name is None:
                self._index.doomed[file.key] = file.file_bytes
                self._index.disk_bytes += file.file_bytes
            else:
                self._index.add_file(Entry(file.key, file.name, file.file_bytes, file.used_ns, file.used_ns))
        self._index.trim_disk()

    def _work(self) -> None:
        while True:
            with self._changed:
                while (job := self._plan()) is None and not self._closing:
                    self._changed.wait(self._pause_s())
            if job is None:
                return
            job()

    def _plan(self) -> Callable[[], None] | None:
        """What the disk should do now, if anything. The caller holds the lock."""
        now_s = time.monotonic()
        if self._health.resting:
            return None
        if self._index.doomed:
            return self._delete
        full = self._index.unwritten_bytes * 2 > self._options.ram_bytes
        if not (full or self._closing or self._hurried or 0 < self._write_at_s <= now_s):
            return None
        entry = self._index.pick(newest_first=self._closing)
        if entry is None:
            self._write_at_s = 0.0
            self._hurried = False
            self._changed.notify_all()
            return None
        if self._index.doomed:  # in its way
            return self._delete
        return partial(self._write, entry, self._index.begin(entry), entry.used_ns)

    def _pause_s(self) -> float | None:
        """How long there is nothing to do; None until something is put or dropped. The caller holds the lock."""
        if not (self._index.doomed or self._hurried or self._write_at_s):
            return None
        waiting = not (self._index.doomed or self._hurried)
        at_s = max(self._write_at_s if waiting else 0.0, self._health.rest_until_s)
        return max(at_s - time.monotonic(), 0.0)

    def _write(self, entry: Entry, data: bytes, used_ns: int) -> None:
        written = False
        try:
            self._disk.write(entry.name, data, used_ns)
            written = True
        except OSError as error:
            self._health.fault(f"{self._disk.path}: cannot write {len(data)} bytes ({error.strerror})", rest=True)
        with self._changed:
            self._index.end(written=written)
            self._changed.notify_all()

    def _delete(self) -> None:
        with self._changed:
            keys = list(self._index.doomed)
        for key in keys:
            try:
                self._disk.delete(key)
            except OSError as error:
                self._health.fault(f"{self._disk.path}: cannot delete {key} ({error.strerror})", rest=True)
                break
            with self._changed:
                self._index.deleted(key)
        with self._changed:
            self._changed.notify_all()
