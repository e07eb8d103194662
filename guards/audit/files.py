"""The chain on the disk: lines are added to its newest file, a full file is followed by a new one, the oldest go.

A file is whole from its first moment: it is written under another name, with a first line that says how the file before
it ended and where the chain begins from now on, and then renamed. So nothing can be missing that no line speaks of.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

from guards.audit.chain import FILE, GENESIS, TURN, Head, Link, seal, seal_head
from guards.audit.folder import HEAD, name_of, numbers_in, sync_folder, write_all
from guards.audit.recovery import Begin, Tail, begin_of, tail_of


class ChainFiles:
    """Adds lines. Not for use by two threads at once; every method may raise OSError and can be tried again."""

    def __init__(self, folder: Path, key: bytes, file_bytes: int, total_bytes: int) -> None:
        """Open the chain in a folder, or begin one."""
        self._folder = folder
        self._key = key
        self._file_bytes = file_bytes
        self._total_bytes = total_bytes
        self._file = self._head = -1
        self._number = self._seq = self._bytes = 0
        self._mac, self._begin = GENESIS, Begin()
        self._dirty = False
        if not (folder / HEAD).exists() and not numbers_in(folder):
            self._first_head()
        self._open(tail_of(key, folder))

    @property
    def seq(self) -> int:
        """Number of the last line."""
        return self._seq

    @property
    def mac(self) -> str:
        """The last line's."""
        return self._mac

    def append(self, at: float, data: dict[str, object]) -> None:
        """Add a turn's line.

        Raises:
            OSError: it is not there.
            ValueError, TypeError: the data cannot be written as JSON.
        """
        self._check()
        line, mac = self._sealed(TURN, at, data)
        if self._bytes + len(line) > self._file_bytes:
            self._next_file(Tail(self._number, self._bytes))
            line, mac = self._sealed(TURN, at, data)
        try:
            write_all(self._file, line)
        except OSError:
            self._dirty = True
            with suppress(OSError):
                self._cut_back()
            raise
        self._bytes += len(line)
        self._seq, self._mac = self._seq + 1, mac

    def keep(self, *, sync: bool) -> None:
        """Tell the head of the last line, after forcing it to the disk if asked to."""
        if sync:
            os.fdatasync(self._file)
        self._write_head(Head(self._number, self._seq, self._mac))

    def close(self) -> None:
        """Force everything to the disk, as far as possible."""
        for handle in (self._file, self._head):
            if handle >= 0:
                with suppress(OSError):
                    os.fsync(handle)
                os.close(handle)
        self._file = self._head = -1

    def _open(self, tail: Tail) -> None:
        """Go on where the chain ends: in its newest file if that is whole, else in a new one that says what is not."""
        self._number, self._seq, self._mac, self._begin = tail.file, tail.seq, tail.mac, tail.begin
        if tail.clean:
            self._take(os.open(self._folder / name_of(tail.file), os.O_WRONLY | os.O_APPEND))
            self._open_head()
            self._delete_dropped()
        else:
            self._next_file(tail)

    def _check(self) -> None:
        """Make sure that the newest file is as we left it; who meddles with it while we run shall be seen."""
        if self._dirty:
            self._cut_back()
        ours = os.fstat(self._file)
        try:
            there = os.stat(self._folder / name_of(self._number))
            same = (there.st_ino, there.st_size) == (ours.st_ino, self._bytes)
        except FileNotFoundError:
            same = False
        if not same:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._open(tail_of(self._key, self._folder, Head(self._number, self._seq, self._mac)))

    def _cut_back(self) -> None:
        """Take away what was written of a line that could not be written whole."""
        os.ftruncate(self._file, self._bytes)
        self._dirty = False

    def _next_file(self, before: Tail) -> None:
        """Begin a file; ``before`` is the end of the one that it follows."""
        begin, number = self._oldest_kept(), self._number + 1
        data: dict[str, object] = {"after": before.to_dict(), "begins": begin.to_dict(), "file": number}
        line, mac = self._sealed(FILE, time.time(), data)
        path = self._folder / name_of(number)
        fresh = path.with_suffix(".new")
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            write_all(handle, line)
            os.fsync(handle)
            os.rename(fresh, path)
        except OSError:
            os.close(handle)
            with suppress(OSError):
                fresh.unlink()
            raise
        self._take(handle)
        self._number, self._begin = number, begin
        self._seq, self._mac = self._seq + 1, mac
        sync_folder(self._folder)
        self._open_head()
        self.keep(sync=False)
        self._delete_dropped()

    def _take(self, handle: int) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file, self._bytes, self._dirty = handle, os.fstat(handle).st_size, False

    def _open_head(self) -> None:
        head = os.open(self._folder / HEAD, os.O_RDWR | os.O_CREAT, 0o600)
        if self._head >= 0:
            os.close(self._head)
        self._head = head

    def _first_head(self) -> None:
        """Before the first file, and whole: a file without a head is one whose head was taken away."""
        fresh = self._folder / f"{HEAD}.new"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            write_all(handle, seal_head(self._key, Head(0, 0, GENESIS)))
            os.fsync(handle)
        finally:
            os.close(handle)
        os.rename(fresh, self._folder / HEAD)

    def _write_head(self, head: Head) -> None:
        os.pwrite(self._head, seal_head(self._key, head), 0)

    def _oldest_kept(self) -> Begin:
        """Where the chain begins once there is room for one more file."""
        numbers = [number for number in numbers_in(self._folder) if number >= self._begin.file]
        sizes = [(self._folder / name_of(number)).stat().st_size for number in numbers]
        total, dropped = sum(sizes), 0
        while dropped < len(numbers) - 1 and total + self._file_bytes > self._total_bytes:
            total -= sizes[dropped]
            dropped += 1
        return begin_of(self._key, self._folder, numbers[dropped]) if dropped else self._begin

    def _delete_dropped(self) -> None:
        """Delete what the newest file's first line no longer counts in; what cannot be deleted is tried again later."""
        for number in numbers_in(self._folder):
            if number < self._begin.file:
                with suppress(OSError):
                    (self._folder / name_of(number)).unlink()

    def _sealed(self, kind: str, at: float, data: dict[str, object]) -> tuple[bytes, str]:
        return seal(self._key, Link(kind, self._seq + 1, self._mac, "", at, data))
