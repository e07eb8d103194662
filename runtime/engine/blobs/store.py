"""The store of spilled KV states: memory first, a folder behind it, both bounded, the least recently used leave first.

A name says all about its state, so a state that is known already is not stored again. ``put`` and ``drop`` only note
things; one thread of the store writes and deletes. A state in memory is written once it has lain there for a while, or
as soon as half the memory is unwritten; one that is on disk as well leaves memory for free. One read back from disk is
not kept in memory: the operating system's page cache does that.

Nothing here fails for the disk's sake: what cannot be written or read is lost, counted, logged once a minute at most,
and computed anew by whoever needs it. After a failed write or deletion the disk is left alone for a while.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from runtime.engine.blobs.file import BlobFileError, BlobName, file_bytes
from runtime.engine.blobs.folder import BlobFolder
from runtime.engine.blobs.health import DiskHealth
from runtime.engine.blobs.index import BlobIndex, Entry

__all__ = ["BlobName", "BlobOptions", "BlobStats", "BlobStore"]

log = logging.getLogger(__name__)

_TOUCH_EVERY_NS = 60 * 10**9


@dataclass(frozen=True, slots=True)
class BlobOptions:
    """How much is kept, and where.

    Attributes:
        ram_bytes: states in memory, together; a state larger than that is not kept at all.
        folder: where states are written; None for memory alone.
        disk_bytes: the folder's files, together. Files that another process writes are seen at the next start.
        settle_s: how long a state lies in memory before it is written, if memory does not fill up sooner.
        rest_s: how long the disk is left alone after it failed.
        close_s: how long ``close`` waits for a slow disk.
    """

    ram_bytes: int = 64 << 20
    folder: Path | None = None
    disk_bytes: int = 512 << 20
    settle_s: float = 5.0
    rest_s: float = 30.0
    close_s: float = 30.0


@dataclass(frozen=True, slots=True)
class BlobStats:
    """What the store holds.

    Attributes:
        ram_blobs: states in memory.
        ram_bytes: of those; the one that is being written may be above the bound.
        disk_blobs: states on disk.
        disk_bytes: files, those to be deleted included.
        faults: failed writes, reads and deletions, and broken files found.
    """

    ram_blobs: int
    ram_bytes: int
    disk_blobs: int
    disk_bytes: int
    faults: int


class BlobStore:
    """KV states by name. Safe from any thread."""

    def __init__(self, options: BlobOptions, stamp: str) -> None:
        """Look what is on disk and start the writer.

        Args:
            options: bounds and folder.
            stamp: names all that a state depends on besides its name (model, KV type, library version, layout).
                Files of another stamp are deleted, and so are broken ones.
        """
        self._options = options
        self._stamp = stamp
        self._index = BlobIndex(options.ram_bytes, options.disk_bytes)
        self._changed = threading.Condition()  # guards the index and all below
        self._write_at_s = 0.0  # 0: nothing to write
        self._hurried = self._closing = False
        self._health = DiskHealth(options.rest_s)
        self._disk = BlobFolder(options.folder, stamp) if options.folder else None
        self._thread: threading.Thread | None = None
        if self._disk:
            self._load(self._disk)
            self._delete(self._disk)
            self._thread = threading.Thread(target=self._work, args=(self._disk,), name="blobs", daemon=True)
            self._thread.start()

    def known(self) -> tuple[BlobName, ...]:
        """The states on disk, the longest unused first. Asked at the start: what an earlier run left."""
        with self._changed:
            return tuple(entry.name for entry in self._index if entry.on_disk)

    def put(self, name: BlobName, data: bytes) -> None:
        """Keep a state; if it is known already, only note that it was used. Never waits for the disk, never fails."""
        key = name.key
        size = file_bytes(self._stamp, name, len(data))
        with self._changed:
            if entry := self._index.get(key):
                self._index.use(entry, time.time_ns())
            elif self._closing:
                self._index.lost[key] = name
            else:
                self._index.add(Entry(key, name, size, time.time_ns()), data)
                self._write_soon()

    def get(self, name: BlobName) -> bytes | None:
        """A state as it was put, or None if it is not here (any more). Reads the disk if memory does not hold it."""
        key = name.key
        with self._changed:
            entry = self._index.get(key)
            if entry is None:
                return None
            self._index.use(entry, time.time_ns())
            data = self._index.data(entry)
            touch = entry.on_disk and entry.used_ns - entry.touched_ns > _TOUCH_EVERY_NS
            if touch:
                entry.touched_ns = entry.used_ns
        if self._disk and data is None:
            try:
                data = self._disk.read(name)
            except BlobFileError as error:
                self._unreadable(entry, error)
                return None
        if self._disk and touch:
            self._disk.touch(key, entry.used_ns)
        return data

    def drop(self, name: BlobName) -> None:
        """Forget a state; it does not count as lost."""
        key = name.key
        with self._changed:
            self._index.forget(key)
            self._write_soon()

    def take_lost(self) -> tuple[BlobName, ...]:
        """Names that were put or on disk, and went since the last call: pushed out, unwritable or found broken."""
        with self._changed:
            lost = tuple(self._index.lost.values())
            self._index.lost.clear()
            return lost

    def stats(self) -> BlobStats:
        """What it holds now."""
        with self._changed:
            ram_blobs, ram_bytes, disk_blobs = self._index.counts()
            return BlobStats(ram_blobs, ram_bytes, disk_blobs, self._index.disk_bytes, self._health.faults)

    def flush(self, timeout_s: float) -> bool:
        """Wait until all that finds room is on disk; between many ``put`` in a row, none of them is pushed out.

        Returns:
            False if that took longer, the disk fails, there is none, or the store is closed.
        """
        with self._changed:
            if self._thread is None or self._closing:
                return False
            self._hurried = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._hurried or self._closing or self._health.resting, timeout_s)
            return not self._hurried and not self._health.resting

    def close(self) -> None:
        """Write what is not on disk yet, the most recently used first, and stop. Then only reading works."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._health.rest_until_s = 0.0  # one last try
            self._changed.notify_all()
        if self._thread:
            self._thread.join(self._options.close_s)
            if self._thread.is_alive():
                log.warning("%s: busy for %.0f s; left alone", self._options.folder, self._options.close_s)
        with self._changed:
            self._index.clear_ram()
            late = [(entry.key, entry.used_ns) for entry in self._index if entry.used_ns > entry.touched_ns]
        if self._disk:
            for key, used_ns in late:
                self._disk.touch(key, used_ns)

    def _write_soon(self) -> None:
        self._write_at_s = self._write_at_s or time.monotonic() + self._options.settle_s
        self._changed.notify_all()

    def _load(self, disk: BlobFolder) -> None:
        try:
            found = disk.scan()
        except OSError as error:
            self._health.fault(f"{disk.path}: cannot be read ({error.strerror})", rest=True)
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

    def _work(self, disk: BlobFolder) -> None:
        while True:
            with self._changed:
                while (job := self._plan(disk)) is None and not self._closing:
                    self._changed.wait(self._pause_s())
            if job is None:
                return
            job()

    def _plan(self, disk: BlobFolder) -> Callable[[], None] | None:
        """What the disk should do now, if anything. The caller holds the lock."""
        now_s = time.monotonic()
        if self._health.resting:
            return None
        if self._index.doomed:
            return partial(self._delete, disk)
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
            return partial(self._delete, disk)
        return partial(self._write, disk, entry, self._index.begin(entry), entry.used_ns)

    def _pause_s(self) -> float | None:
        """How long there is nothing to do; None until something is put or dropped. The caller holds the lock."""
        if not (self._index.doomed or self._hurried or self._write_at_s):
            return None
        waiting = not (self._index.doomed or self._hurried)
        at_s = max(self._write_at_s if waiting else 0.0, self._health.rest_until_s)
        return max(at_s - time.monotonic(), 0.0)

    def _write(self, disk: BlobFolder, entry: Entry, data: bytes, used_ns: int) -> None:
        written = False
        try:
            disk.write(entry.name, data, used_ns)
            written = True
        except OSError as error:
            self._health.fault(f"{disk.path}: cannot write {len(data)} bytes ({error.strerror})", rest=True)
        with self._changed:
            self._index.end(written=written)
            self._changed.notify_all()

    def _delete(self, disk: BlobFolder) -> None:
        with self._changed:
            keys = list(self._index.doomed)
        for key in keys:
            try:
                disk.delete(key)
            except OSError as error:
                self._health.fault(f"{disk.path}: cannot delete {key} ({error.strerror})", rest=True)
                break
            with self._changed:
                self._index.deleted(key)
        with self._changed:
            self._changed.notify_all()

    def _unreadable(self, entry: Entry, error: BlobFileError) -> None:
        with self._changed:
            if self._index.get(entry.key) is not entry:  # pushed out or dropped meanwhile: no wonder
                return
            self._index.lose(entry)
            self._write_soon()
        self._health.fault(str(error), rest=False)
