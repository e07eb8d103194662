"""Small states, their files, and a store opened again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path

from runtime.engine.blobs.store import BlobName, BlobOptions, BlobStore

STAMP = "model 1, f16"
KB = 1000
SOON = 0.05


def name_of(number: int) -> BlobName:
    return BlobName("", 1, (1, number, number))


def data_of(number: int, size: int = KB) -> bytes:
    return random.Random(number).randbytes(size)


def file_of(folder: Path, number: int) -> Path:
    return folder / f"{name_of(number).key}.kv"


def used_bytes(folder: Path) -> int:
    """What the folder takes, temporary files included."""
    total = 0
    for path in folder.iterdir():
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def until(true: Callable[[], bool]) -> None:
    for _ in range(5000):
        if true():
            return
        time.sleep(0.002)
    raise AssertionError("it did not come true within 10 s")


def reopened(folder: Path, disk_bytes: int = 100 * KB, stamp: str = STAMP) -> BlobStore:
    return BlobStore(BlobOptions(10 * KB, folder, disk_bytes), stamp)
