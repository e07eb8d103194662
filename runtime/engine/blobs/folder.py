"""The folder of blob files: what is in it, and how one is written, read, marked as used and deleted.

States are derived from text that the guards have already redacted; all the same the folder is made for its owner alone
(mode 0700; one that exists keeps its mode) and so are the files (0600). Several processes may share a folder: a file
appears whole under its name or not at all, and none minds if another has deleted it. What is not called like a blob
file is not touched.

Nothing is synced to the medium: after a power cut a file may hold anything, and its checksums say so.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runtime.engine.blobs.file import SUFFIX, BlobFileError, BlobName, pack_head, read_header, read_payload

#: Temporary files as old as that belong to nobody any more; a younger one may be just written by another process.
ABANDONED_S = 3600.0

_BLOB = re.compile(rf"([0-9a-f]{{64}}){re.escape(SUFFIX)}")
_TEMPORARY = re.compile(rf"[0-9a-f]{{64}}{re.escape(SUFFIX)}\.[0-9a-f]{{16}}\.tmp")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A blob file.

    Attributes:
        key: of its name.
        file_bytes: its length.
        used_ns: when it was used last, in nanoseconds since 1970.
        name: which state it holds, or None if it is broken or of another stamp.
        problem: what is wrong with a broken one; empty otherwise.
    """

    key: str
    file_bytes: int
    used_ns: int
    name: BlobName | None
    problem: str = ""


class BlobFolder:
    """The blob files of one stamp in one folder. Holds no state, so any thread may call it."""

    def __init__(self, path: Path, stamp: str) -> None:
        self.path = path
        self.stamp = stamp

    def scan(self) -> list[FoundFile]:
        """All blob files, the longest unused first; headers are read and checked, payloads are not.

        Temporary files that were abandoned are deleted on the way.

        Raises:
            OSError: the folder cannot be made or listed.
        """
        self._make()
        found = []
        with os.scandir(self.path) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    continue
                if blob := _BLOB.fullmatch(entry.name):
                    with suppress(FileNotFoundError):  # another process was quicker
                        found.append(self._look(blob[1], entry.stat(follow_symlinks=False)))
                elif _TEMPORARY.fullmatch(entry.name):
                    with suppress(OSError):
                        if time.time() - entry.stat(follow_symlinks=False).st_mtime > ABANDONED_S:
                            os.unlink(entry.path)
        return sorted(found, key=lambda file: (file.used_ns, file.key))

    def _look(self, key: str, status: os.stat_result) -> FoundFile:
        try:
            header = read_header(self._file(key))
        except BlobFileError as error:
            return FoundFile(key, status.st_size, status.st_mtime_ns, None, str(error))
        return FoundFile(key, status.st_size, status.st_mtime_ns, header.name if header.stamp == self.stamp else None)

    def write(self, name: BlobName, data: bytes, used_ns: int) -> None:
        """Write a state, whole or not at all; one of the same name is replaced.

        Raises:
            OSError: the disk is full, failing, read-only or gone.
        """
        head = pack_head(self.stamp, name, data)
        self._make()
        path = self._file(name.key)
        temporary = path.with_name(f"{path.name}.{secrets.token_hex(8)}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(head)
                file.write(data)
            os.utime(temporary, ns=(used_ns, used_ns))
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise

    def read(self, name: BlobName) -> bytes:
        """A state, every byte checked.

        Raises:
            BlobFileError: it is not there, or not as it was written.
        """
        return read_payload(self._file(name.key), self.stamp, name)

    def touch(self, key: str, used_ns: int) -> None:
        """Note when a file was used. That it cannot be noted does no harm but to the order after a restart."""
        with suppress(OSError):
            os.utime(self._file(key), ns=(used_ns, used_ns), follow_symlinks=False)

    def delete(self, key: str) -> None:
        """Delete a file; one that is gone already is as good.

        Raises:
            OSError: the disk refuses.
        """
        with suppress(FileNotFoundError, NotADirectoryError):
            self._file(key).unlink()

    def _make(self) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _file(self, key: str) -> Path:
        return self.path / (key + SUFFIX)
