"""Whether there is room: memory and disk that a build takes against what the machine has."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from convert.build.estimate import StageEstimate


@dataclass(frozen=True, slots=True)
class Room:
    """What is needed and what there is.

    Attributes:
        needed_bytes: by the build.
        free_bytes: now.
        warnings: what may not suffice.
        refusals: what cannot.
    """

    needed_bytes: int
    free_bytes: int
    warnings: tuple[str, ...] = ()
    refusals: tuple[str, ...] = ()


def ram_of(stages: Sequence[StageEstimate]) -> Room:
    """Memory: needing more than the machine has is refused, needing more than is free now is warned of."""
    memory = psutil.virtual_memory()
    return judge_ram(stages, memory.total, memory.available)


def judge_ram(stages: Sequence[StageEstimate], total_bytes: int, free_bytes: int) -> Room:
    """``ram_of`` for a machine of ``total_bytes`` with ``free_bytes`` available."""
    warnings, refusals = [], []
    for stage in stages:
        says = f"stage {stage.name} takes about {_mib(stage.ram_bytes)} of memory"
        if stage.ram_bytes > total_bytes:
            refusals.append(f"{says}; this machine has {_mib(total_bytes)}; convert on a larger one")
        elif stage.ram_bytes > free_bytes:
            warnings.append(f"{says}; {_mib(free_bytes)} are free; close other programs, or it may be killed or swap")
    return Room(max(stage.ram_bytes for stage in stages), free_bytes, tuple(warnings), tuple(refusals))


def disk_of(stages: Sequence[StageEstimate], work: Path, out: Path) -> Room:
    """Disk: what is there already from an earlier run is not needed again; work folder and bundle may lie apart."""
    # the bundle is written beside the old one and takes its place when it is whole, so that nothing is saved there
    wants = [
        (work, max(0, sum(stage.work_bytes for stage in stages) - folder_bytes(work)), "--work"),
        (out, sum(stage.out_bytes for stage in stages), "--out"),
    ]
    refusals = []
    if _existing(work).stat().st_dev == _existing(out).stat().st_dev:
        wants = [(work, wants[0][1] + wants[1][1], "--work")]
    for path, needed, option in wants:
        free = shutil.disk_usage(_existing(path)).free
        if needed > free:
            refusals.append(
                f"{path}: {_mib(free)} of disk are free; the run takes about {_mib(needed)}; free some or pass "
                f"another folder with {option}"
            )
    for path, option in ((work, "--work"), (out, "--out")):
        there = _existing(path)
        if not there.is_dir():
            refusals.append(f"{path}: {there} is a file; expected a folder; pass another one with {option}")
        elif not os.access(there, os.W_OK | os.X_OK):
            refusals.append(f"{path}: {there} may not be written to; pass another folder with {option}")
    return Room(sum(want[1] for want in wants), shutil.disk_usage(_existing(work)).free, (), tuple(refusals))


def folder_bytes(folder: Path) -> int:
    """What the files in a folder and below take; 0 if there is none."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0


def _existing(path: Path) -> Path:
    """The nearest file or folder above that is there."""
    path = path.resolve()
    while not path.exists():
        path = path.parent
    return path


def _mib(size: int) -> str:
    return f"{size / (1 << 20):,.0f} MiB"
