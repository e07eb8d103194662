"""Who is measured: this project's engine in a process of its own, a llama-server that bench starts, or any URL.

The peer is built from the very llama.cpp that llama-cpp-python carries, so that both compute with the same kernels::

    pip download --no-deps --no-binary :all: llama-cpp-python==0.3.36
    tar xf llama_cpp_python-0.3.36.tar.gz && cd llama_cpp_python-0.3.36/vendor/llama.cpp
    cmake -B build -DCMAKE_BUILD_TYPE=Release -DLLAMA_CURL=OFF && cmake --build build --target llama-server
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from typing import Protocol

from bench.client import Client
from bench.engine.figures import DEFAULT, OURS, TUNED
from bench.errors import ServerStartError, TargetError
from bench.process import READY_S, STOP_S, RunningServer, serve_command
from bench.wire import Address, Limits

#: What the llama-server of each name is started with, besides model, threads and port. ``default`` has no flags at all:
#: four slots, unified KV of as many cells as the model's training context, 8 GiB of prompt cache. ``tuned`` is set for
#: this traffic: a slot for each chat, small batches, a bounded prompt cache, weights once in memory.
FLAGS = {
    DEFAULT: (),
    TUNED: ("-np", "9", "-kvu", "-b", "64", "--cache-ram", "512", "--load-mode", "none", "-c", "{cells}"),
}
_POLL_S = 0.1
_QUOTED_CHARS = 2000


class Side(Protocol):
    """One server that can be measured."""

    @property
    def name(self) -> str:
        """``ours``, or the name of the peer's flags."""

    @property
    def command(self) -> str:
        """How it is started, or where it runs."""

    def start(self, kept: Path) -> AbstractContextManager[RunningServer]:
        """Have it running; ``kept`` is a folder that outlives a restart. Raises ServerStartError."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What all sides that bench starts are given.

    Attributes:
        model: the GGUF.
        threads: compute threads.
        cells: KV cells, where the flags name them.
    """

    model: Path
    threads: int
    cells: int


@dataclass(frozen=True, slots=True)
class Ours:
    """This project's engine behind its own HTTP service."""

    setting: Setting
    name: str = OURS

    @property
    def command(self) -> str:
        """As it is typed, without folders: they say nothing elsewhere."""
        return _shown(["python", *self._arguments(Path("KEPT"))[1:]])

    def start(self, kept: Path) -> AbstractContextManager[RunningServer]:
        """See ``Side``."""
        return serve_command(self._arguments(kept))

    def _arguments(self, kept: Path) -> list[str]:
        setting = self.setting
        return [
            *(sys.executable, "-m", "bench.bare", "--model", str(setting.model), "--kept", str(kept)),
            *("--threads", str(setting.threads), "--cells", str(setting.cells)),
        ]


@dataclass(frozen=True, slots=True)
class LlamaServer:
    """A llama-server that bench starts and stops."""

    binary: Path
    setting: Setting
    name: str

    @property
    def command(self) -> str:
        """As it is typed, without folders: they say nothing elsewhere."""
        return _shown(self._arguments("PORT"))

    def _arguments(self, port: str) -> list[str]:
        threads = str(self.setting.threads)
        flags = (flag.format(cells=self.setting.cells) for flag in FLAGS[self.name])
        return [
            *(str(self.binary), "-m", str(self.setting.model), "--host", "127.0.0.1", "--port", port),
            *("-t", threads, "-tb", threads, *flags),
        ]

    @contextmanager
    def start(self, kept: Path) -> Iterator[RunningServer]:
        """See ``Side``. It prints no address and has another path for its readiness than our servers."""
        with create_server(("127.0.0.1", 0)) as free:
            port: int = free.getsockname()[1]
        address = Address("http", "127.0.0.1", port)
        began_s = time.perf_counter()
        with tempfile.TemporaryFile() as words:
            try:
                process = subprocess.Popen(
                    self._arguments(str(port)),
                    stdin=subprocess.DEVNULL,
                    stdout=words,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise ServerStartError(f"{self.binary} cannot be run ({error}); expected a llama-server") from error
            try:
                while not _is_healthy(address):
                    ended = process.poll() is not None
                    if ended or time.perf_counter() - began_s > READY_S:
                        words.seek(0)
                        said = words.read().decode("utf-8", "replace")[-_QUOTED_CHARS:]
                        raise ServerStartError(
                            f"{self.command}: {'ended' if ended else 'was not ready in time'}; its last words: {said}"
                        )
                    time.sleep(_POLL_S)
                yield RunningServer(address, process.pid, time.perf_counter() - began_s)
            finally:
                _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _is_healthy(address: Address) -> bool:
    try:
        Client(address, Limits(connect_s=1.0, progress_s=5.0, total_s=5.0)).check("/health")
    except TargetError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A server that somebody else has started; it is not stopped between turns, and should rest meanwhile."""

    address: Address
    pid: int
    name: str

    @property
    def command(self) -> str:
        """Where it is."""
        return str(self.address)

    @contextmanager
    def start(self, kept: Path) -> Iterator[RunningServer]:
        """See ``Side``."""
        yield RunningServer(self.address, self.pid, 0.0)


def _shown(arguments: Sequence[str]) -> str:
    return " ".join(Path(argument).name if argument.startswith("/") else argument for argument in arguments)
