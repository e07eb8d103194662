"""Run a command and say how long it took and how much memory the largest of its processes held: ``measure COMMAND …``.

It runs as a small process of its own, because Linux hands a process's peak on to the children that it starts: a command
started by a test run that has torch in memory would seem to need as much.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.paths import ROOT


@dataclass(frozen=True, slots=True)
class Measured:
    """What a command took.

    Attributes:
        wall_s: from start to end.
        cpu_s: of all its processes on all cores.
        peak_rss_bytes: of the largest of its processes, itself or any that it waited for.
        exit_code: 0 is good.
    """

    wall_s: float
    cpu_s: float
    peak_rss_bytes: int
    exit_code: int


def measure(command: list[str]) -> Measured:
    """Run ``command`` to its end; its standard output is dropped, its errors are shown.

    Raises:
        RuntimeError: it failed.
    """
    small = [sys.executable, str(Path(__file__).resolve()), *command]
    told = subprocess.run(small, cwd=ROOT, env=_environment(), stdout=subprocess.PIPE, text=True, check=False)
    if told.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: failed with exit code {told.returncode}; expected 0; see its errors")
    return Measured(**json.loads(told.stdout))


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def main(command: list[str]) -> int:
    """Run it, print what it took as JSON."""
    began = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)  # the peak is that of the child or of its largest own child
    code = os.waitstatus_to_exitcode(status)
    taken = Measured(time.perf_counter() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, code)
    sys.stdout.write(json.dumps(asdict(taken)) + "\n")
    return 0 if code == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
