"""Which spilled state is where, and which one leaves when room runs out: decisions only, no thread, clock or disk."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from runtime.engine.blobs.file import BlobName


@dataclass(slots=True)
class Entry:
    """A state that is kept.

    Attributes:
        key: of its name.
        name: which state it is.
        file_bytes: what it takes on disk, or would take.
        used_ns: when it was put or got last, in nanoseconds since 1970.
        touched_ns: what its file says of that.
        on_disk: whether it has a file.
    """

    key: str
    name: BlobName
    file_bytes: int
    used_ns: int
    touched_ns: int = 0
    on_disk: bool = False


class BlobIndex:
    """Entries in order of use, those in memory, files to delete and names lost. Not locked: the owner locks.

    Attributes:
        ram_bytes: states in memory, never more than the limit.
        disk_bytes: files, those to be deleted included; never more than the limit once ``pick`` has answered and
            ``doomed`` is empty.
        doomed: files that are to be deleted, key to bytes; the owner deletes them and says so.
        lost: names of states that went without having been forgotten, by key; the owner takes them.
        writing: the state that is being written, and its bytes.
    """

    def __init__(self, ram_limit_bytes: int, disk_limit_bytes: int) -> None:
        self.ram_limit_bytes = ram_limit_bytes
        self.disk_limit_bytes = disk_limit_bytes
        self.ram_bytes = self.disk_bytes = 0
        self.doomed: dict[str, int] = {}
        self.lost: dict[str, BlobName] = {}
        self.writing: tuple[Entry, bytes] | None = None
        self._entries: OrderedDict[str, Entry] = OrderedDict()  # least recently used first
        self._ram: OrderedDict[str, bytes] = OrderedDict()  # in the same order

    def __iter__(self) -> Iterator[Entry]:
        """The entries, least recently used first."""
        return iter(self._entries.values())

    def get(self, key: str) -> Entry | None:
        """The entry, if it is kept."""
        return self._entries.get(key)

    def data(self, entry: Entry) -> bytes | None:
        """The bytes of an entry, if memory holds them."""
        if self.writing and self.writing[0] is entry:
            return self.writing[1]
        return self._ram.get(entry.key)

    @property
    def unwritten_bytes(self) -> int:
        """States in memory that are nowhere else."""
        return sum(len(data) for key, data in self._ram.items() if not self._entries[key].on_disk)

    def add(self, entry: Entry, data: bytes) -> None:
        """Keep a new state in memory; one that is larger than memory is lost at once. Others may be lost for it."""
        self.lost.pop(entry.key, None)
        self._entries[entry.key] = entry
        self._ram[entry.key] = data
        self.ram_bytes += len(data)
        if len(data) > self.ram_limit_bytes:
            self._lose(entry.key)
        while self.ram_bytes > self.ram_limit_bytes:
            self._shed(self._least_missed())

    def add_file(self, entry: Entry) -> None:
        """Keep a state that is on disk already; more recently used than all that were added before."""
        entry.on_disk = True
        self._entries[entry.key] = entry
        self.disk_bytes += entry.file_bytes

    def use(self, entry: Entry, used_ns: int) -> None:
        """Note that a state was used."""
        entry.used_ns = used_ns
        self._entries.move_to_end(entry.key)
        if entry.key in self._ram:
            self._ram.move_to_end(entry.key)

    def forget(self, key: str) -> None:
        """Keep a state no longer, if it was kept; it does not count as lost."""
        self.lost.pop(key, None)
        if key in self._entries:
            self._remove(key)

    def lose(self, entry: Entry) -> None:
        """A state turned out to be unreadable; one that has been forgotten since, or replaced, does not matter."""
        if self._entries.get(entry.key) is entry:
            self._lose(entry.key)

    def pick(self, *, newest_first: bool) -> Entry | None:
        """The state that should be written next, or None. Files that have to go for it are doomed.

        Those that should be on disk are the most recently used that fit together, so writing comes to an end: nothing
        is written that would have to go for the next one, and asked again, the answer is the same. Of these the
        longest unused comes first, for it is the next to leave memory; at the end, the latest used. Not to be asked
        while a state is written or files are doomed.
        """
        room = self.disk_limit_bytes
        chosen: Entry | None = None
        outside: list[Entry] = []
        for entry in reversed(self._entries.values()):
            if entry.file_bytes <= room:
                room -= entry.file_bytes
                if not entry.on_disk and (chosen is None or not newest_first):
                    chosen = entry
            elif entry.on_disk:
                outside.append(entry)
        over = self.disk_bytes + chosen.file_bytes - self.disk_limit_bytes if chosen else 0
        while over > 0:
            entry = outside.pop()
            over -= entry.file_bytes
            self._doom(entry)
        return chosen

    def begin(self, entry: Entry) -> bytes:
        """The entry that was picked is being written from now on; its bytes."""
        data = self._ram[entry.key]
        self.writing = entry, data
        entry.touched_ns = entry.used_ns
        return data

    def end(self, *, written: bool) -> None:
        """The writing that ``begin`` began is over."""
        assert self.writing is not None
        entry, self.writing = self.writing[0], None
        kept = self._entries.get(entry.key) is entry
        if written:
            self.disk_bytes += entry.file_bytes
            entry.on_disk = kept
            if not kept:
                self.doomed[entry.key] = entry.file_bytes
        elif kept and entry.key not in self._ram:
            self._lose(entry.key)

    def deleted(self, key: str) -> None:
        """A doomed file is gone."""
        self.disk_bytes -= self.doomed.pop(key)

    def trim_disk(self) -> None:
        """Forget the longest unused states on disk until the rest keeps to the limit."""
        over = self.disk_bytes - sum(self.doomed.values()) - self.disk_limit_bytes
        for entry in list(self._entries.values()):
            if over <= 0:
                return
            if entry.on_disk:
                over -= entry.file_bytes
                self._remove(entry.key)

    def clear_ram(self) -> None:
        """Memory is given up: what is not on disk is lost."""
        while self._ram:
            self._shed(next(iter(self._ram)))

    def counts(self) -> tuple[int, int, int]:
        """States in memory, their bytes, states on disk. One being written counts, even if it has been shed."""
        flying = b""
        if self.writing and self._ram.get(self.writing[0].key) is not self.writing[1]:
            flying = self.writing[1]
        on_disk = sum(entry.on_disk for entry in self._entries.values())
        return len(self._ram) + bool(flying), self.ram_bytes + len(flying), on_disk

    def _least_missed(self) -> str:
        """Who leaves memory: what is on disk first, then what is about to be there, then the longest unused."""
        for key in self._ram:
            if self._entries[key].on_disk:
                return key
        if self.writing and self.writing[0].key in self._ram:
            return self.writing[0].key
        return next(iter(self._ram))

    def _shed(self, key: str) -> None:
        self.ram_bytes -= len(self._ram.pop(key))
        entry = self._entries[key]
        if not entry.on_disk and not (self.writing and self.writing[0] is entry):
            self._lose(key)

    def _doom(self, entry: Entry) -> None:
        entry.on_disk = False
        self.doomed[entry.key] = entry.file_bytes
        if entry.key not in self._ram:
            self._lose(entry.key)

    def _lose(self, key: str) -> None:
        self.lost[key] = self._entries[key].name
        self._remove(key)

    def _remove(self, key: str) -> None:
        entry = self._entries.pop(key)
        self.ram_bytes -= len(self._ram.pop(key, b""))
        if entry.on_disk:
            self.doomed[key] = entry.file_bytes
