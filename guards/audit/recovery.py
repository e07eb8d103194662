"""Where an audit log goes on: read off its newest files at the start, with what a crash or a hand did to their end."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from guards.audit.chain import FILE, GENESIS, Head, Link
from guards.audit.folder import name_of, numbers_in, read_head, rows_of


@dataclass(frozen=True, slots=True)
class Begin:
    """Where the chain begins, now that older files may have been deleted.

    Attributes:
        file: the oldest file's number.
        seq: number of its first line.
        prev: the mac that its first line names.
    """

    file: int = 1
    seq: int = 1
    prev: str = GENESIS

    def to_dict(self) -> dict[str, object]:
        """For the first line of a file."""
        return {"file": self.file, "seq": self.seq, "prev": self.prev}


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of the chain.

    Attributes:
        file: the newest file's number; 0 if there is none.
        whole_bytes: how far the newest file is whole.
        seq: number of the last genuine line, or of the last that the head knows of if that is higher.
        mac: the last genuine line's; the head's if there is no genuine line.
        begin: where the chain begins.
        torn_bytes: what follows after ``whole_bytes``: a line that a crash cut off, or what a hand put there.
        torn_sha256: of those bytes.
        lost: lines that the head knows of and the files do not have.
        head_damaged: whether the head was missing or not genuine.
    """

    file: int = 0
    whole_bytes: int = 0
    seq: int = 0
    mac: str = GENESIS
    begin: Begin = Begin()
    torn_bytes: int = 0
    torn_sha256: str = ""
    lost: int = 0
    head_damaged: bool = False

    @property
    def clean(self) -> bool:
        """Whether the newest file can simply be gone on with."""
        return self.file > 0 and not (self.torn_bytes or self.lost or self.head_damaged)

    def to_dict(self) -> dict[str, object]:
        """For the first line of the next file: how this one ended."""
        return {
            "file": self.file,
            "bytes": self.whole_bytes,
            "torn_bytes": self.torn_bytes,
            "torn_sha256": self.torn_sha256,
            "lost": self.lost,
            "head_damaged": self.head_damaged,
        }


def tail_of(key: bytes, folder: Path, known: Head | None = None) -> Tail:
    """The end of the log in a folder; ``known`` goes before what the head file says. Raises OSError."""
    head, has_head = (known, True) if known else read_head(key, folder)
    numbers = numbers_in(folder)
    tail = Tail(head_damaged=has_head and head is None)
    if numbers:
        tail = replace(_newest(key, folder, numbers), head_damaged=head is None)
    if head is None:
        return tail
    if head.seq > tail.seq:
        last = max(tail.file, head.file)
        mac = tail.mac if tail.seq else head.mac
        tail = replace(tail, file=last, lost=head.seq - tail.seq, seq=head.seq, mac=mac)
    return tail


def begin_of(key: bytes, folder: Path, number: int) -> Begin:
    """The beginning that a file's first line stands for. Raises OSError."""
    first = next(rows_of(key, folder / name_of(number)), None)
    return Begin(number, first.link.seq, first.link.prev) if first and first.link else Begin(number, 0, "")


def _newest(key: bytes, folder: Path, numbers: list[int]) -> Tail:
    """The end of the newest file; of an older one if the newest has no genuine line."""
    tail, newest = Tail(), numbers[-1]
    for number in reversed(numbers):
        last, begin, end = _last(key, folder / name_of(number))
        if last is None:
            continue
        whole_bytes = end if number == newest else 0
        tail = replace(tail, whole_bytes=whole_bytes, seq=last.seq, mac=last.mac, begin=begin)
        break
    rest = (folder / name_of(newest)).read_bytes()[tail.whole_bytes :]
    torn = hashlib.sha256(rest).hexdigest() if rest else ""
    return replace(tail, file=newest, torn_bytes=len(rest), torn_sha256=torn)


def _last(key: bytes, path: Path) -> tuple[Link | None, Begin, int]:
    """A file's genuine line of the highest number, the beginning that its first names, the end of the last in bytes."""
    last: Link | None = None
    end, begin = 0, Begin()
    for row in rows_of(key, path):
        if row.link is None:
            continue
        if row.link.kind == FILE:
            begin = begin_in(row.link) or begin
        last, end = row.link if last is None or row.link.seq > last.seq else last, row.end
    return last, begin, end


def begin_in(link: Link) -> Begin | None:
    """The beginning that the first line of a file names; None if it names none."""
    try:
        row = link.data["begins"]
        return Begin(int(row["file"]), int(row["seq"]), str(row["prev"]))  # type: ignore[index]
    except (KeyError, TypeError, ValueError):
        return None
