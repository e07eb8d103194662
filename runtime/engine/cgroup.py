"""Limits that a container or a systemd unit sets around this process: cgroup v2 files, read where they apply.

A limit of any group above counts too, so every one up to the root is asked. Source: Linux,
Documentation/admin-guide/cgroup-v2.rst.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
OWN = Path("/proc/self/cgroup")


def cpu_quota(mount: Path = MOUNT, own: Path = OWN) -> int | None:
    """Whole CPUs' worth of time that may be used, at least 1; None without a limit.

    What a quota such as 1.5 leaves over is for the threads beside the engine.
    """
    quotas = []
    for folder in _groups(mount, own):
        quota, _, period = _read(folder / "cpu.max").partition(" ")
        if quota.isdecimal() and period.isdecimal() and int(period):
            quotas.append(max(1, int(quota) // int(period)))
    return min(quotas, default=None)


def free_bytes(mount: Path = MOUNT, own: Path = OWN) -> int | None:
    """Memory that may still be taken; None without a limit.

    What is used counts without the cached files that the kernel would drop first (``inactive_file``).
    """
    rooms = []
    for folder in _groups(mount, own):
        limit, used = _read(folder / "memory.max"), _read(folder / "memory.current")
        if limit.isdecimal() and used.isdecimal():
            rooms.append(max(0, int(limit) - int(used) + _droppable(folder)))
    return min(rooms, default=None)


def _droppable(folder: Path) -> int:
    for line in _read(folder / "memory.stat").splitlines():
        name, _, value = line.partition(" ")
        if name == "inactive_file" and value.isdecimal():
            return int(value)
    return 0


def _groups(mount: Path, own: Path) -> Iterator[Path]:
    """Folders of this process's group and of those above it."""
    for line in _read(own).splitlines():
        number, _, rest = line.partition(":")
        if number == "0":  # v2's only hierarchy
            group = mount / rest.partition(":")[2].lstrip("/")
            yield group
            yield from (folder for folder in group.parents if folder.is_relative_to(mount))


def _read(path: Path) -> str:
    """A file's text, stripped; empty where there is none."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""
