"""The cores of the box: how many the engine computes on, and that its threads do not hold a core just to wait.

libllama's threads meet at some hundreds of barriers for each token, and the OpenMP library beneath (libgomp) spins
while one waits for the other. By default it spins 300,000 times, some milliseconds: longer than the kernel lets a
thread run at a stretch. So as soon as anything else wants a core (a guard, the box's browser), one thread computes
nothing while it keeps the other from computing. Fewer spins cure that; none at all would slow down decoding by a third.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, MutableMapping
from pathlib import Path

import psutil

from runtime.engine.cgroup import cpu_quota

#: Spins at a barrier before a thread sleeps, some hundredths of a millisecond; ``quiet_openmp`` says why so many.
SPINS = 2_000

_SPIN_VARIABLES = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")
_SIBLINGS = "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list"


def physical_cores() -> int:
    """Cores that this process may compute on: not hyper-threads, none that its affinity or its CPU quota rules out.

    Two hyper-threads share one core's arithmetic units, which quantised matrix products keep busy by themselves. A
    quota is no set of cores, but threads beyond it would all be stopped together once it is used up.
    """
    allowed = _allowed_cpus()
    return usable_cores(allowed, _siblings, psutil.cpu_count(logical=False), cpu_quota())


def usable_cores(
    allowed: Collection[int], siblings: Callable[[int], str], physical: int | None, quota: int | None
) -> int:
    """The same from its parts; at least 1.

    Args:
        allowed: logical CPUs that the process may run on.
        siblings: of a logical CPU, the names of those on its core, alike for all of them; empty if nobody knows.
        physical: cores of the whole machine; None if nobody knows.
        quota: whole CPUs' worth of time; None without a limit.
    """
    cores = {siblings(cpu) or f"cpu {cpu}" for cpu in allowed}
    return min((limit for limit in (len(cores), physical, quota) if limit), default=1)


def threads_note(configured: int) -> str:
    """A line for ``/health`` on the number of threads; ``configured`` is 0 where nobody chose."""
    if configured:
        return f"{configured} compute threads: as configured"
    quota = cpu_quota()
    limits = f"{len(_allowed_cpus())} logical CPUs allowed" + (f", CPU quota of {quota}" if quota else "")
    return f"{physical_cores()} compute threads: the physical cores ({limits}); hyper-threads only slow each other down"


def quiet_openmp(environ: MutableMapping[str, str]) -> None:
    """Let libgomp's threads spin only SPINS times at a barrier, unless an operator has set how they wait.

    libgomp reads its variables when it is loaded, so call this before ``import llama_cpp``. Measured with TinyLlama's
    shape in Q4_K_M on two cores (Zen 3), variants in turns, medians of 4 to 12 rounds that scatter by a tenth:

    ==============  ================  =============================  ===========================================
    spins           one chat's token  decode beside one busy         guard call of 128 tokens (alone 31 ms)
                    on a calm box     program, and its CPU share     beside 1 chat and beside 8, p50 / p95
    ==============  ================  =============================  ===========================================
    300,000         43 ms             6.8 tokens/s, 0.35             64 / 72 and 60 / 73 ms
    10,000          43 ms             6.8 tokens/s, 0.49             59 / 70 and 58 / 73 ms
    5,000           44 ms             8.7 tokens/s, 0.50
    2,000           44 ms             10.2 tokens/s, 0.50            60 / 67 and 54 / 63 ms
    1,000           46 ms             10.9 tokens/s, 0.50
    100             62 ms
    none (passive)  67 ms             14.6 tokens/s, 0.50            51 / 61 and 51 / 62 ms
    ==============  ================  =============================  ===========================================

    Tried as well and left out. Fewer threads for the steps during a guard call: no gain in either figure, since most
    guard calls are over before the next step begins. Guards and steps that exclude each other: a guard then waits for
    the whole step, 130 to 260 ms. A lower priority for the engine's threads: guard calls of 40 ms, but the one thread
    that a guard pushes aside holds up the other, and decoding lost a fifth to a third under guards that ran a third of
    the time.
    """
    if not any(name in environ for name in _SPIN_VARIABLES):
        environ["GOMP_SPINCOUNT"] = str(SPINS)


def spin_note(environ: MutableMapping[str, str]) -> str:
    """A line for ``/health`` on how threads wait; ``environ`` as it was when libllama was loaded."""
    given = ", ".join(f"{name}={environ[name]}" for name in _SPIN_VARIABLES if name in environ)
    if given == f"GOMP_SPINCOUNT={SPINS}":
        return f"{given}: a thread that waits for another soon leaves its core to the guard or to other programs"
    if given:
        return f"{given}: how threads wait, as configured"
    return (
        "OpenMP's own way of waiting: threads that wait keep their cores, and guards and other programs slow them down"
    )


def _allowed_cpus() -> Collection[int]:
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return os.sched_getaffinity(0)
    return range(psutil.cpu_count() or 1)


def _siblings(cpu: int) -> str:
    try:
        return Path(_SIBLINGS.format(cpu)).read_text().strip()
    except OSError:  # another system than Linux, or a container without /sys
        return ""
