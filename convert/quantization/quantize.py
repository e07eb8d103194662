"""Quantise a GGUF with llama.cpp, in a child process: a failed assertion there ends the child and not the conversion.

llama.cpp writes in place and tells its progress only in its log, so the child writes to a temporary file that is
renamed at the end, and its log lines drive the progress bar.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import gguf

from convert.errors import InputError, QuantizeError, UnsupportedError
from convert.files import atomic_output
from convert.progress import Progress, silent

#: K-quants pack this many weights of a row; for rows that do not divide, llama.cpp silently takes another type.
SUPER_BLOCK = 256

#: ``[  12/  75]  blk.0.ffn_up.weight - [ 256, 768, 1, 1], type = f16, ...``
_PROGRESS = re.compile(r"^\[\s*(\d+)/\s*(\d+)\]")

_LOG_LINES_KEPT = 12


class QuantType(StrEnum):
    """Quantisations on offer; the value is llama.cpp's name of it."""

    Q4_K_M = "Q4_K_M"
    Q5_K_M = "Q5_K_M"
    Q6_K = "Q6_K"
    Q8_0 = "Q8_0"

    @property
    def row_multiple(self) -> int:
        """What the length of a row must divide by."""
        return 32 if self is QuantType.Q8_0 else SUPER_BLOCK

    @property
    def file_type(self) -> gguf.LlamaFileType:
        """llama.cpp's number of it."""
        return gguf.LlamaFileType[f"MOSTLY_{self.value}"]


@dataclass(frozen=True, slots=True)
class Quantized:
    """The result.

    Attributes:
        path: the file.
        bytes: its size.
        types: how many tensors are stored in which type.
    """

    path: Path
    bytes: int
    types: Mapping[str, int]


def indivisible_rows(shapes: Mapping[str, tuple[int, ...]], quant: QuantType) -> dict[str, int]:
    """Matrices (name -> shape, rows first) whose rows do not divide as the quantisation needs, with their length."""
    return {name: shape[-1] for name, shape in shapes.items() if len(shape) > 1 and shape[-1] % quant.row_multiple}


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes (rows first) of the tensors in a GGUF.

    Raises:
        InputError: it is missing or not a GGUF.
    """
    return {tensor.name: tuple(int(n) for n in reversed(tensor.shape)) for tensor in _reader(path).tensors}


def quantize(
    source: Path,
    out: Path,
    quant: QuantType = QuantType.Q4_K_M,
    threads: int = 0,
    progress: Progress = silent,
    cancelled: threading.Event | None = None,
) -> Quantized:
    """Quantise ``source`` (an f16, bf16 or f32 GGUF) to ``out``, which is there only once it is whole.

    Args:
        source: what to quantise.
        out: where to.
        quant: how.
        threads: of the child; 0 takes all cores.
        progress: told after every tensor.
        cancelled: set it from another thread to stop the child; the temporary file is deleted.

    Raises:
        InputError: the source is missing, no GGUF or quantised already.
        UnsupportedError: rows do not divide; names them.
        QuantizeError: the child failed, or was cancelled.
    """
    refuse_quantized(source)
    refuse_indivisible(read_shapes(source), quant)
    with atomic_output(out) as partial:
        _run_child(
            [
                *(sys.executable, "-m", "convert.quantization.child", str(os.getpid())),
                *(str(source.resolve()), str(partial.resolve()), quant.value, str(threads)),
            ],
            progress,
            cancelled or threading.Event(),
        )
        types = Counter(tensor.tensor_type.name for tensor in _reader(partial).tensors)
    return Quantized(out, out.stat().st_size, dict(sorted(types.items())))


def refuse_quantized(source: Path) -> None:
    """Raise if a GGUF is quantised already: rounding twice loses more than once.

    Raises:
        InputError: names the first such tensor.
    """
    for tensor in _reader(source).tensors:
        if tensor.tensor_type.name not in ("F32", "F16", "BF16"):
            raise InputError(
                f"{source}: {tensor.name} is of type {tensor.tensor_type.name}; expected a float GGUF; "
                "make one with `python -m convert gguf`"
            )


def refuse_indivisible(shapes: Mapping[str, tuple[int, ...]], quant: QuantType) -> None:
    """Raise if ``indivisible_rows`` finds any.

    Raises:
        UnsupportedError: names the first few.
    """
    wrong = indivisible_rows(shapes, quant)
    if wrong:
        some = ", ".join(f"{name} ({length})" for name, length in list(wrong.items())[:3])
        raise UnsupportedError(
            f"{quant.value}: rows of {len(wrong)} tensors do not divide by {quant.row_multiple}: {some}; "
            "llama.cpp would silently store them in another type; choose Q8_0 (rows divide by 32) or another model"
        )


def _reader(path: Path) -> gguf.GGUFReader:
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a GGUF; make one with `python -m convert gguf`")
    try:
        return gguf.GGUFReader(path)
    except (ValueError, KeyError, IndexError) as error:
        raise InputError(
            f"{path}: not a readable GGUF ({error}); make it again with `python -m convert gguf`"
        ) from error


def _run_child(command: list[str], progress: Progress, cancelled: threading.Event) -> None:
    """Run to its end, turning its lines into progress."""
    tail: deque[str] = deque(maxlen=_LOG_LINES_KEPT)
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", cwd=_package_parent()
    )
    watcher = threading.Thread(target=_kill_when, args=(cancelled, child), daemon=True)
    watcher.start()
    try:
        assert child.stdout is not None
        for line in child.stdout:
            tail.append(line.rstrip())
            if match := _PROGRESS.match(line):
                progress("quantize", int(match.group(1)), int(match.group(2)))
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
        if cancelled.wait(timeout=0.1):
            child.kill()
            return


def _package_parent() -> Path:
    """The folder that holds the ``convert`` package, so that the child finds it wherever the parent was started."""
    return Path(__file__).resolve().parents[2]
