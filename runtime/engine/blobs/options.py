"""How much of spilled states is kept, and where; and what the store says it holds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BlobOptions:
    """How much is kept, and where.

    Attributes:
        ram_bytes: states in memory, together; a state larger than that is not kept at all.
        folder: where states are written; None for memory alone.
        disk_bytes: the folder's files, together. Files that another process writes are seen at the next start.
        settle_s: how long a state lies in memory before it is written, if memory does not fill up sooner.
        rest_s: how long the disk is left alone after it failed.
        close_s: how long ``close`` waits for a slow disk.
    """

    ram_bytes: int = 64 << 20
    folder: Path | None = None
    disk_bytes: int = 512 << 20
    settle_s: float = 5.0
    rest_s: float = 30.0
    close_s: float = 30.0


@dataclass(frozen=True, slots=True)
class BlobStats:
    """What the store holds.

    Attributes:
        ram_blobs: states in memory.
        ram_bytes: of those; the one that is being written may be above the bound.
        disk_blobs: states on disk.
        disk_bytes: files, those to be deleted included.
        faults: failed writes, reads and deletions, and broken files found.
    """

    ram_blobs: int
    ram_bytes: int
    disk_blobs: int
    disk_bytes: int
    faults: int
