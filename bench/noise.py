"""How quiet the machine was: a fixed piece of work timed before and after, and what others took meanwhile."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

import psutil

from bench.metrics import quantile

_REPEATS = 150
_BLOCK = bytes(1 << 19)
_LOOK_S = 0.5

#: Above these the report complains.
MAX_BUSY_SHARE = 0.10
MAX_STEAL_SHARE = 0.01
MAX_SPREAD = 1.25
MAX_DRIFT = 0.05


@dataclass(frozen=True, slots=True)
class Probe:
    """A look at the machine while the server rests.

    Attributes:
        work_p50_ms: time of hashing 512 KiB, median of 150.
        work_p90_ms: the same, ninetieth percentile.
        busy_share: of all processors in half a second, 0 to 1; bench itself sleeps.
        cpu_total_s: seconds of all processors since boot.
        cpu_steal_s: of these, taken by the hypervisor for others.
    """

    work_p50_ms: float
    work_p90_ms: float
    busy_share: float
    cpu_total_s: float
    cpu_steal_s: float


@dataclass(frozen=True, slots=True)
class Noise:
    """Probes before and after a run."""

    before: Probe
    after: Probe

    @property
    def drift(self) -> float:
        """Relative change of the fixed work's time over the run."""
        return self.after.work_p50_ms / self.before.work_p50_ms - 1.0

    @property
    def spread(self) -> float:
        """The larger of both ratios p90 / p50 of the fixed work's time; 1 on a quiet machine."""
        return max(probe.work_p90_ms / probe.work_p50_ms for probe in (self.before, self.after))

    @property
    def steal_share(self) -> float:
        """Share of processor time that the hypervisor took for others during the run."""
        total_s = self.after.cpu_total_s - self.before.cpu_total_s
        return (self.after.cpu_steal_s - self.before.cpu_steal_s) / total_s if total_s > 0.0 else 0.0

    @property
    def complaints(self) -> tuple[str, ...]:
        """What was not quiet, one phrase each."""
        busy = max(self.before.busy_share, self.after.busy_share)
        found = (
            (busy > MAX_BUSY_SHARE, f"other work took {busy:.0%} of the processors"),
            (self.steal_share > MAX_STEAL_SHARE, f"the hypervisor took {self.steal_share:.1%} of the time for others"),
            (self.spread > MAX_SPREAD, f"a fixed piece of work took {self.spread:.2f} times its median at p90"),
            (abs(self.drift) > MAX_DRIFT, f"the same work took {self.drift:+.0%} time after the run"),
        )
        return tuple(text for is_so, text in found if is_so)


def probe() -> Probe:
    """Look once; takes about a second."""
    busy = psutil.cpu_percent(interval=_LOOK_S) / 100.0
    times_ms = []
    for _ in range(_REPEATS):
        began_s = time.perf_counter()
        hashlib.sha256(_BLOCK).digest()
        times_ms.append((time.perf_counter() - began_s) * 1000.0)
    cpu = psutil.cpu_times()
    return Probe(quantile(times_ms, 0.5), quantile(times_ms, 0.9), busy, sum(cpu), getattr(cpu, "steal", 0.0))
