"""What a server process and its children hold at a moment: memory, descriptors, threads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil


@dataclass(frozen=True, slots=True)
class Held:
    """At a moment, summed over a process and its children.

    Attributes:
        rss_bytes: resident memory; pages shared by two processes count twice.
        pss_bytes: proportional share of it (/proc/PID/smaps_rollup): shared pages count once; None if it is unreadable.
        anonymous_bytes: what belongs to no file, swapped out or not (RssAnon and VmSwap of /proc/PID/status): where
            leaks are. RSS and PSS also change when another process begins or ends to share a library. None if it is
            not told.
        descriptors: open file descriptors, sockets included; None if they are unreadable.
        threads: of all processes.
        cpu_s: user and system seconds since they began.
    """

    rss_bytes: int
    pss_bytes: int | None
    anonymous_bytes: int | None
    descriptors: int | None
    threads: int
    cpu_s: float


def held_by(pid: int) -> Held | None:
    """What a process holds; None if it is gone."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        family = [process, *process.children(recursive=True)]
        times = [member.cpu_times() for member in family]
        return Held(
            rss_bytes=sum(member.memory_info().rss for member in family),
            pss_bytes=_sum([_pss_bytes(member.pid) for member in family]),
            anonymous_bytes=_sum([_anonymous_bytes(member.pid) for member in family]),
            descriptors=_sum([_descriptors(member) for member in family]),
            threads=sum(member.num_threads() for member in family),
            cpu_s=sum(one.user + one.system for one in times),
        )
    except psutil.Error:
        return None


def middle(samples: list[Held]) -> Held:
    """The median of each figure: what a request in flight holds for a moment is no leak.

    Raises:
        StatisticsError: no samples.
    """
    return Held(
        rss_bytes=int(median(one.rss_bytes for one in samples)),
        pss_bytes=_middle([one.pss_bytes for one in samples]),
        anonymous_bytes=_middle([one.anonymous_bytes for one in samples]),
        descriptors=_middle([one.descriptors for one in samples]),
        threads=int(median(one.threads for one in samples)),
        cpu_s=samples[-1].cpu_s,
    )


def _middle(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return int(median(known)) if known else None


def _pss_bytes(pid: int) -> int | None:
    return _kib(Path(f"/proc/{pid}/smaps_rollup"), ("Pss:",))


def _anonymous_bytes(pid: int) -> int | None:
    return _kib(Path(f"/proc/{pid}/status"), ("RssAnon:", "VmSwap:"))


def _kib(path: Path, names: tuple[str, ...]) -> int | None:
    """Sum of some lines such as ``Pss: 123 kB``, in bytes; None if the file or a line is not there."""
    try:
        lines = [line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    except OSError:  # another user's process, one that is gone, or no Linux
        return None
    found = {parts[0]: int(parts[1]) * 1024 for parts in lines if len(parts) > 1 and parts[0] in names}
    return sum(found.values()) if len(found) == len(names) else None


def _descriptors(process: psutil.Process) -> int | None:
    try:
        return process.num_fds()
    except psutil.AccessDenied:
        return None


def _sum(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
