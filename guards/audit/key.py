"""The key of an audit log: 32 random bytes in a file that only its owner may read.

Whoever has the key can write a chain of his own. Keep a copy elsewhere, and keep the file out of the reach of whoever
may write to the log.
"""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from guards.audit.errors import AuditKeyError
from guards.audit.folder import write_all

KEY_BYTES = 32

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_key(path: Path) -> bytes:
    """The key in a file.

    Raises:
        AuditKeyError: there is none, others may read it, or it is not 64 hex digits.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            content = file.read(4 * KEY_BYTES)
    except OSError as error:
        raise AuditKeyError(
            f"{path}: the audit key cannot be read ({error}); give the key that the log began with"
        ) from error
    if mode & _OTHERS:
        raise AuditKeyError(f"{path}: has mode {mode:04o}, so others may read the key; run `chmod 600 {path}`")
    try:
        key = bytes.fromhex(content.decode("ascii").strip())
    except ValueError as error:
        raise AuditKeyError(
            f"{path}: is no key; expected {2 * KEY_BYTES} hex digits; restore it from a copy"
        ) from error
    if len(key) != KEY_BYTES:
        raise AuditKeyError(f"{path}: has {len(key)} bytes; expected {KEY_BYTES} as hex digits; restore it from a copy")
    return key


def read_or_make_key(path: Path) -> bytes:
    """The key in a file, which is made with mode 0600 if it is not there.

    Raises:
        AuditKeyError: as ``read_key``, or it cannot be written.
    """
    if path.exists():
        return read_key(path)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileNotFoundError):
            fresh.unlink()
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            write_all(file, secrets.token_hex(KEY_BYTES).encode("ascii") + b"\n")
            os.fsync(file)
        finally:
            os.close(file)
        with suppress(FileExistsError):  # another process was quicker; its key holds
            os.link(fresh, path)
        fresh.unlink()
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise AuditKeyError(
            f"{path}: the audit key cannot be made ({error}); give a place that can be written"
        ) from error
    return read_key(path)
