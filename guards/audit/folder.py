"""An audit folder on the disk: numbered files of lines, a head file, a lock file; all for their owner only."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from guards.audit.chain import Head, Link, opened, opened_head

HEAD = "head"
LOCK = "lock"

_NAME = re.compile(r"audit-(\d{8})\.jsonl")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a file.

    Attributes:
        number: from 1.
        end: bytes from the file's beginning up to the line's end, line end included.
        whole: whether it has a line end; only a file's last can lack it.
        raw: the bytes, without the line end.
        link: what it says; None if it is not genuine.
    """

    number: int
    end: int
    whole: bool
    raw: bytes
    link: Link | None


def name_of(number: int) -> str:
    """The name of a file."""
    return f"audit-{number:08d}.jsonl"


def numbers_in(folder: Path) -> list[int]:
    """The numbers of the files that are there, in order. Raises OSError."""
    found = (_NAME.fullmatch(name) for name in os.listdir(folder))
    return sorted(int(match[1]) for match in found if match)


def rows_of(key: bytes, path: Path) -> Iterator[Row]:
    """The lines of a file. Raises OSError."""
    end = 0
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            end += len(raw)
            whole = raw.endswith(b"\n")
            content = raw[:-1] if whole else raw
            yield Row(number, end, whole, content, opened(key, content) if whole else None)


def read_head(key: bytes, folder: Path) -> tuple[Head | None, bool]:
    """The head, and whether there is a head file at all. Raises OSError if it is there but cannot be read."""
    try:
        content = (folder / HEAD).read_bytes()
    except FileNotFoundError:
        return None, False
    return opened_head(key, content), True


def write_all(file: int, content: bytes) -> None:
    """Write the whole content. Raises OSError; some of it may then be there."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest) :]


def sync_folder(folder: Path) -> None:
    """Force names that were made or changed to the disk. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
