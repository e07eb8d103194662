"""One call of llama_model_quantize, described so that it can be handed to a child process and followed from outside."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from convert.errors import QuantizeError

#: ``[  12/  75]  blk.0.ffn_up.weight - [ 256, 768, 1, 1], type = f16, ...``
_TENSOR_LINE = re.compile(r"\[\s*(\d+)/\s*(\d+)\]\s+(\S+)\s+-\s")

_LOG_LINES_KEPT = 12

#: Seconds between two looks at the cancel flag.
_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class Job:
    """What the child does.

    Attributes:
        source: path of the float GGUF.
        out: path to write to, in place.
        file_type: llama.cpp's number of the mixture (``llama_ftype``).
        threads: 0 takes all cores.
        imatrix: path of an importance matrix; empty for none.
        types: tensor name -> number of its type (``ggml_type``); the mixture decides about the others.
        dry_run: only say in the log which tensor would get which type.
    """

    source: str
    out: str
    file_type: int
    threads: int = 0
    imatrix: str = ""
    types: Mapping[str, int] = field(default_factory=dict)
    dry_run: bool = False

    def to_json(self) -> str:
        """For the child's command line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Inverse of ``to_json``."""
        return cls(**json.loads(text))


@dataclass(frozen=True, slots=True)
class TensorLine:
    """A line of the log about one tensor: its number (from 1), how many there are, its name, the whole line."""

    number: int
    total: int
    name: str
    text: str


def run_job(job: Job, watch: Callable[[TensorLine], None], cancelled: threading.Event) -> None:
    """Run a job in a child process to its end.

    Args:
        job: what to do.
        watch: told of every line about a tensor.
        cancelled: set it from another thread to kill the child.

    Raises:
        QuantizeError: the child failed, with the last of its words, or was cancelled.
    """
    tail: deque[str] = deque(maxlen=_LOG_LINES_KEPT)
    child = subprocess.Popen(
        [sys.executable, "-m", "convert.quantization.child", str(os.getpid()), job.to_json()],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        cwd=_package_parent(),
    )
    watcher = threading.Thread(target=_kill_when, args=(cancelled, child), daemon=True)
    watcher.start()
    try:
        assert child.stdout is not None
        for line in child.stdout:
            tail.append(line.rstrip())
            if match := _TENSOR_LINE.match(line):
                watch(TensorLine(int(match.group(1)), int(match.group(2)), match.group(3), line.rstrip()))
        code = child.wait()
    finally:
        child.kill()  # only if an exception such as Ctrl-C left it running
        child.wait()
        watcher.join()
    if cancelled.is_set() and code != 0:
        raise QuantizeError("quantising was cancelled; nothing was written; run it again to go on")
    if code != 0:
        raise QuantizeError(f"quantising failed with exit code {code}; llama.cpp said:\n" + "\n".join(tail))


def _kill_when(cancelled: threading.Event, child: subprocess.Popen[str]) -> None:
    while child.poll() is None:
        if cancelled.wait(timeout=_POLL_S):
            child.kill()
            return


def _package_parent() -> Path:
    """The folder that holds the ``convert`` package, so that the child finds it wherever the parent was started."""
    return Path(__file__).resolve().parents[2]
