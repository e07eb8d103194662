"""Server processes: started, watched and stopped."""

from __future__ import annotations

import os
import queue
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from bench.client import Client
from bench.errors import BenchError, ServerStartError, TargetError
from bench.wire import Address, Limits, parse_address

ROOT = Path(__file__).resolve().parents[1]
DEFAULT_BUNDLE = ROOT / "models" / "demo"
READY_S = 180.0
STOP_S = 10.0

_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
_POLL_S = 0.05
_TAIL_BYTES = 4000


@dataclass(frozen=True, slots=True)
class ServerUsage:
    """What a process and its children have used since they began.

    Attributes:
        peak_rss_bytes: the kernel's high-water mark (VmHWM), summed over the processes.
        cpu_s: user and system seconds.
    """

    peak_rss_bytes: int
    cpu_s: float


@dataclass(frozen=True, slots=True)
class RunningServer:
    """A server that bench started: where it listens, its process id, seconds from the start to ready."""

    address: Address
    pid: int
    ready_s: float


def usage_of(pid: int) -> ServerUsage | None:
    """What a process has used; None if it is gone or may not be looked at."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        peak = sum(_peak_rss_bytes(member.pid) for member in family)
        times = [member.cpu_times() for member in family]
    except (psutil.Error, OSError, ValueError):
        return None
    return ServerUsage(peak, sum(t.user + t.system for t in times))


def _peak_rss_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise ValueError(f"no VmHWM of process {pid}; has it ended?")


@contextmanager
def serve_bundle(bundle: Path, ready_s: float = READY_S) -> Iterator[RunningServer]:
    """Serve a bundle with this project's runtime on a free port, and stop it at the end.

    Raises:
        ServerStartError: it ended, or was not ready in time; the message holds the end of its error output.
    """
    command = [
        sys.executable,
        "-m",
        "runtime",
        "serve",
        "--bundle",
        str(bundle.resolve()),
        "--host",
        "127.0.0.1",
        "--port",
        "0",
        "--cache-disk-mib",  # what an earlier run left would make this one look faster than a first day is
        "0",
    ]
    with serve_command(command, ready_s) as server:
        yield server


@contextmanager
def serve_command(command: list[str], ready_s: float = READY_S) -> Iterator[RunningServer]:
    """Run any command that prints its address and answers ``/readyz``. Raises as ``serve_bundle``."""
    began_s = time.perf_counter()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
        )
        try:
            address = _wait_ready(process, began_s + ready_s)
            yield RunningServer(address, process.pid, time.perf_counter() - began_s)
        except _NotReadyError as error:
            raise ServerStartError(f"{' '.join(command)}: {error}; its last words: {_tail(errors)}") from error
        finally:
            _stop(process)


class _NotReadyError(BenchError):
    """The process ended or took too long."""


def _wait_ready(process: subprocess.Popen[bytes], deadline_s: float) -> Address:
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_drain, args=(process, lines), daemon=True).start()
    address: Address | None = None
    while time.perf_counter() < deadline_s:
        if process.poll() is not None:
            raise _NotReadyError(f"ended with exit code {process.returncode} before it was ready")
        if address is None:
            address = _address_in(lines)
        elif _is_ready(address):
            return address
        else:
            time.sleep(_POLL_S)
    raise _NotReadyError("was not ready in time" if address else "printed no address in time")


def _drain(process: subprocess.Popen[bytes], lines: queue.Queue[str]) -> None:
    """Read the output to its end, so that the server never blocks on a full pipe."""
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line.decode("utf-8", "replace"))


def _address_in(lines: queue.Queue[str]) -> Address | None:
    with suppress(queue.Empty):
        found = _ADDRESS.search(lines.get(timeout=_POLL_S))
        return parse_address(found.group()) if found else None
    return None


def _is_ready(address: Address) -> bool:
    try:
        Client(address, Limits(connect_s=1.0, progress_s=5.0, total_s=5.0)).check("/readyz")
    except TargetError:
        return False
    return True


def _tail(errors: IO[bytes]) -> str:
    errors.seek(0, os.SEEK_END)
    errors.seek(max(0, errors.tell() - _TAIL_BYTES))
    return errors.read().decode("utf-8", "replace").strip() or "(none)"


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
