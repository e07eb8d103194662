"""The archive's bytes: a plain tar in which nothing is left to choose, so that every byte can be foretold and checked.

Members are regular files of fixed owner, mode and time, padded with zeros; the end is two zero blocks, padded to the
customary record. Format: POSIX.1-1988 (ustar), https://www.gnu.org/software/tar/manual/html_node/Standard.html
"""

from __future__ import annotations

import re
import tarfile

BLOCK_BYTES = 512
RECORD_BYTES = 20 * BLOCK_BYTES

#: Eleven octal digits.
MAX_FILE_BYTES = 8**11 - 1

#: 1980-01-01, the first day that every archive format knows.
TIME_S = 315532800

#: Parts of a path: nothing hidden, nothing that climbs, nothing that a shell would read otherwise.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+!-]*(/[A-Za-z0-9_][A-Za-z0-9._+!-]*)*")

#: Of a file's own name and of its folders; a wheel's name, which lists its platforms, may need all of it.
MAX_NAME_BYTES = 100
MAX_FOLDER_BYTES = 155


def is_safe(name: str) -> bool:
    """Whether a member of this name stays in the folder that it is unpacked in, on any file system."""
    folder, _, own = name.rpartition("/")
    return bool(_NAME.fullmatch(name)) and len(own) <= MAX_NAME_BYTES and len(folder) <= MAX_FOLDER_BYTES


def header(name: str, size: int) -> bytes:
    """The one header that a file of this name and size has, BLOCK_BYTES long."""
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = size, 0o644, TIME_S
    return info.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")


def padding(size: int) -> bytes:
    """Zeros after a file of ``size`` bytes."""
    return bytes(-size % BLOCK_BYTES)


def ending(offset: int) -> bytes:
    """Zeros after the last file, which ends at ``offset``."""
    return bytes(2 * BLOCK_BYTES + -(offset + 2 * BLOCK_BYTES) % RECORD_BYTES)


def describe(block: bytes) -> tuple[str, str, int]:
    """Name, kind in words (none for a regular file, ``damaged`` for no header) and size that a header claims."""
    try:
        info = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except tarfile.HeaderError:
        return "", "damaged", 0
    kinds = {
        tarfile.SYMTYPE: "a symbolic link",
        tarfile.LNKTYPE: "a hard link",
        tarfile.DIRTYPE: "a folder",
        tarfile.CHRTYPE: "a device",
        tarfile.BLKTYPE: "a device",
        tarfile.FIFOTYPE: "a pipe",
    }
    kind = "" if info.type == tarfile.REGTYPE else kinds.get(info.type, f"of type {info.type!r}")
    return info.name, kind, info.size
