"""The child process of ``convert.quantization.job``: one call of llama_model_quantize, its log on standard output.

Arguments: the parent's process id and the job as JSON. It dies with its parent, so that nobody goes on writing unseen.
"""

from __future__ import annotations

import ctypes
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import llama_cpp
import numpy as np

from convert.errors import ConvertError
from convert.quantization.imatrix import read_imatrix
from convert.quantization.job import Job

#: Rows held in memory at once. llama.cpp's default of 8 GiB would load whole tensors as float32.
MAX_BUFFER_BYTES = 64 << 20

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _log(level: int, text: bytes, user_data: object) -> None:
    sys.stdout.write(text.decode("utf-8", "replace"))
    sys.stdout.flush()


def die_with_parent(parent: int) -> None:
    """Have the kernel kill this process when ``parent`` ends (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before the call
            os.kill(os.getpid(), signal.SIGKILL)


def importance(path: str) -> ctypes.Array[llama_cpp.llama_model_imatrix_data]:
    """An importance matrix as llama_model_quantize takes it: mean squares by column, ended by a null entry."""
    entries = read_imatrix(Path(path)).entries
    held = [np.ascontiguousarray(entry.mean_squares) for entry in entries.values()]
    array: ctypes.Array[llama_cpp.llama_model_imatrix_data] = (llama_cpp.llama_model_imatrix_data * (len(held) + 1))()
    for slot, name, values in zip(array, entries, held, strict=False):
        slot.name = name.encode()
        slot.data = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        slot.size = values.size
    array.held = held  # type: ignore[attr-defined]  # the pointers live as long as the array
    return array


def overrides(types: Mapping[str, int]) -> ctypes.Array[llama_cpp.llama_model_tensor_override]:
    """Types by tensor name as llama_model_quantize takes them: regular expressions, ended by one that is null."""
    kind_of = llama_cpp.llama_model_tensor_override * (len(types) + 1)
    array: ctypes.Array[llama_cpp.llama_model_tensor_override] = kind_of()
    for slot, (name, kind) in zip(array, types.items(), strict=False):
        slot.pattern, slot.type = f"^{re.escape(name)}$".encode(), kind
    return array


def main(parent: str, text: str) -> int:
    """Do the job; returns the process's exit code."""
    die_with_parent(int(parent))
    job = Job.from_json(text)
    llama_cpp.llama_log_set(_log, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = job.file_type
    params.nthread = job.threads
    params.max_buf_size = MAX_BUFFER_BYTES
    params.dry_run = job.dry_run
    if job.imatrix:
        try:
            params.imatrix = matrix = importance(job.imatrix)
        except ConvertError as error:
            sys.stdout.write(f"{error}\n")
            return 1
        assert matrix is not None
    if job.types:
        params.tt_overrides = overrides(job.types)
    return int(llama_cpp.llama_model_quantize(job.source.encode(), job.out.encode(), ctypes.byref(params)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
