"""Files and folders that are there whole or not at all: written beside their place, then renamed into it."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MARK = ".partial"

#: linux/fcntl.h and linux/fs.h
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2

#: What a system or a file system says that cannot exchange two names.
_NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


def _partial(path: Path) -> Path:
    """A name beside ``path`` of this process's own; what dead processes left under other such names is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in path.parent.glob(f".{path.name}.*{_MARK}"):
        owner = left.name.removesuffix(_MARK).rpartition(".")[2]
        if not (owner.isdecimal() and _alive(int(owner))):
            remove(left)
    return path.parent / f".{path.name}.{os.getpid()}{_MARK}"


def _alive(pid: int) -> bool:
    if pid == os.getpid():
        return False  # our own earlier attempt
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def remove(path: Path) -> None:
    """Delete a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def atomic_output(path: Path) -> Iterator[Path]:
    """Give a path to write to; if the block ends well, what is there becomes ``path``, else it is deleted."""
    partial = _partial(path)
    try:
        yield partial
        _sync(partial)
        partial.replace(path)
        _sync(path.parent)
    finally:
        remove(partial)


def write_json(path: Path, value: object) -> None:
    """Write a JSON file; the same value always gives the same bytes."""
    with atomic_output(path) as partial:
        partial.write_text(json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Give an empty folder to fill; if the block ends well it replaces ``path``, else it is deleted.

    Where the system can exchange two names (Linux), whoever looks sees the old folder or the new one at any moment.
    Elsewhere the old one stands beside for a moment, under a ``.partial`` name.
    """
    partial = _partial(path)
    remove(partial)
    partial.mkdir()
    old = partial.with_name(f".{path.name}.old.{os.getpid()}{_MARK}")
    try:
        yield partial
        for folder, _, files in os.walk(partial):
            for file in files:
                _sync(Path(folder, file))
            _sync(Path(folder))
        if not path.exists():
            partial.replace(path)
        elif not _exchange(partial, path):
            path.replace(old)
            partial.replace(path)
        _sync(path.parent)
    finally:
        remove(partial)
        remove(old)


def _exchange(one: Path, other: Path) -> bool:
    """Swap what two names stand for, in one step (renameat2); False where that cannot be done."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NO_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number), str(other))
