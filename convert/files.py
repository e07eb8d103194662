"""Files and folders that are there whole or not at all: written beside their place, then renamed into it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_MARK = ".partial"


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

    A folder cannot be replaced in one step: for a moment the old one stands beside under a ``.partial`` name.
    """
    partial = _partial(path)
    remove(partial)
    partial.mkdir()
    old = partial.with_name(f".{path.name}.old.{os.getpid()}{_MARK}")
    try:
        yield partial
        for file in partial.iterdir():
            _sync(file)
        if path.exists():
            path.replace(old)
        partial.replace(path)
        _sync(path.parent)
    finally:
        remove(partial)
        remove(old)
