"""The store of spilled KV states: memory first, a folder behind it, both bounded, the least recently used leave first.

A name says all about its state, so a state that is known already is not stored again. ``put`` and ``drop`` only note
things; one thread of the store writes and deletes. A state in memory is written once it has lain there for a while, or
as soon as half the memory is unwritten; one that is on disk as well leaves memory for free. One read back from disk is
not kept in memory: the operating system's page cache does that.

Nothing here fails for the disk's sake: what cannot be written or read is lost, counted, logged once a minute at most,
and computed anew by whoever needs it. After a failed write or deletion the disk is left alone for a while.
"""

from __future__ import annotations

import threading
import time

from runtime.engine.blobs.file import BlobFileError, BlobName, file_bytes
from runtime.engine.blobs.folder import BlobFolder
from runtime.engine.blobs.health import DiskHealth
from runtime.engine.blobs.index import BlobIndex, Entry
from runtime.engine.blobs.options import BlobOptions, BlobStats
from runtime.engine.blobs.writer import BlobWriter

__all__ = ["BlobName", "BlobOptions", "BlobStats", "BlobStore"]

_TOUCH_EVERY_NS = 60 * 10**9


class BlobStore:
    """KV states by name. Safe from any thread."""

    def __init__(self, options: BlobOptions, stamp: str) -> None:
        """Look what is on disk and start the writer.

        Args:
            options: bounds and folder.
            stamp: names all that a state depends on besides its name (model, KV type, library version, layout).
                Files of another stamp are deleted, and so are broken ones.
        """
        self._stamp = stamp
        self._index = BlobIndex(options.ram_bytes, options.disk_bytes)
        self._changed = threading.Condition()  # guards the index and the writer
        self._closed = False
        self._health = DiskHealth(options.rest_s)
        self._disk = BlobFolder(options.folder, stamp) if options.folder else None
        self._writer: BlobWriter | None = None
        if self._disk:
            self._writer = BlobWriter(self._disk, self._index, self._changed, self._health, options)

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
            elif self._closed:
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
        return self._writer is not None and self._writer.flush(timeout_s)

    def close(self) -> None:
        """Write what is not on disk yet, the most recently used first, and stop. Then only reading works."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
        if self._writer:
            self._writer.close()
        with self._changed:
            self._index.clear_ram()
            late = [(entry.key, entry.used_ns) for entry in self._index if entry.used_ns > entry.touched_ns]
        if self._disk:
            for key, used_ns in late:
                self._disk.touch(key, used_ns)

    def _write_soon(self) -> None:
        if self._writer:
            self._writer.write_soon()

    def _unreadable(self, entry: Entry, error: BlobFileError) -> None:
        with self._changed:
            if self._index.get(entry.key) is not entry:  # pushed out or dropped meanwhile: no wonder
                return
            self._index.lose(entry)
            self._write_soon()
        self._health.fault(str(error), rest=False)
