"""The time line of the server's processes, looked at by a thread while the loops run."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType

import psutil

from bench.result import Sample

PERIOD_S = 0.5

_POWERCAP = Path("/sys/class/powercap")
_THERMAL = Path("/sys/class/thermal")
_CPUS = Path("/sys/devices/system/cpu")
_PI_THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")


class Sampler:
    """Looks twice a second, from entering to leaving the context.

    Args:
        pid: of the server on this machine.
        began_s: perf_counter when the run began.
        period_s: between two looks.
    """

    def __init__(self, pid: int, began_s: float, period_s: float = PERIOD_S) -> None:
        self._pid, self._began_s, self._period_s = pid, began_s, period_s
        self._energy = Energy(_POWERCAP)
        self._samples: list[Sample] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sampler", daemon=True)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """What was seen until now."""
        return tuple(self._samples)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while True:
            sample = self._look()
            if sample is None:  # the process is gone: what it had used is in the samples before
                return
            self._samples.append(sample)
            if self._stop.wait(self._period_s):
                return

    def _look(self) -> Sample | None:
        try:
            process = psutil.Process(self._pid)
            family = [process, *process.children(recursive=True)]
            rss = sum(member.memory_info().rss for member in family)
            times = [member.cpu_times() for member in family]
            faults = [_faults(member.pid) for member in family]
            pss = [_pss_bytes(member.pid) for member in family]
        except (psutil.Error, OSError, ValueError, IndexError):
            return None
        return Sample(
            at_ms=round((time.perf_counter() - self._began_s) * 1000.0, 1),
            rss_bytes=rss,
            pss_bytes=None if None in pss else sum(size or 0 for size in pss),
            minor_faults=sum(minor for minor, _ in faults),
            major_faults=sum(major for _, major in faults),
            cpu_s=round(sum(spent.user + spent.system for spent in times), 3),
            temperature_c=temperature_c(_THERMAL),
            energy_j=self._energy.joules(),
            throttled=throttled(_CPUS, _PI_THROTTLED),
        )


class Energy:
    """Joules of all processor packages since it was made, from the counters of Linux powercap (Intel and AMD RAPL).

    Kernel documentation, power/powercap: ``energy_uj`` counts microjoules and starts again at ``max_energy_range_uj``.
    Only packages are added up (``intel-rapl:0``): what lies below one is part of it. Often only root may read them.
    """

    def __init__(self, folder: Path) -> None:
        self._zones = sorted(folder.glob("intel-rapl:[0-9]*")) if folder.is_dir() else []
        self._zones = [zone for zone in self._zones if zone.name.count(":") == 1]
        self._last = [_number(zone / "energy_uj") for zone in self._zones]
        self._total_uj = 0

    def joules(self) -> float | None:
        """Since it was made; None if nothing can be read."""
        if not self._zones or None in self._last:
            return None
        for place, zone in enumerate(self._zones):
            now, last = _number(zone / "energy_uj"), self._last[place]
            if now is None or last is None:
                return None
            grown = now - last
            self._total_uj += grown if grown >= 0 else grown + (_number(zone / "max_energy_range_uj") or 0)
            self._last[place] = now
        return round(self._total_uj / 1e6, 3)


def temperature_c(folder: Path) -> float | None:
    """Degrees of the hottest zone; None if there is none (kernel documentation, thermal sysfs: millidegrees)."""
    found = [value for zone in folder.glob("thermal_zone*/temp") if (value := _number(zone)) is not None]
    return max(found) / 1000.0 if found else None


def throttled(cpus: Path, firmware: Path) -> int | None:
    """Throttling events of all processors since boot (x86), else the bits of a Raspberry Pi's firmware, else None."""
    found = [
        value
        for counter in cpus.glob("cpu[0-9]*/thermal_throttle/core_throttle_count")
        if (value := _number(counter)) is not None
    ]
    return sum(found) if found else _number(firmware, 16)


def _number(path: Path, base: int = 10) -> int | None:
    try:
        return int(path.read_text(encoding="ascii").strip(), base)
    except (OSError, ValueError):
        return None


def _faults(pid: int) -> tuple[int, int]:
    """Minor and major page faults: fields 10 and 12 of /proc/PID/stat; the name in brackets may hold anything."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return int(fields[7]), int(fields[9])


def _pss_bytes(pid: int) -> int | None:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:  # another user's process, or a kernel without it
        pass
    return None
