"""The child process of ``convert.quantization.quantize``: one call of llama_model_quantize, its log on standard output.

Arguments: the parent's process id, source, destination, type name, threads. It dies with its parent, so that nobody
goes on writing unseen.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

import llama_cpp

from convert.quantization.quantize import QuantType

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


def main(parent: str, source: str, out: str, quant: str, threads: str) -> int:
    """Quantise; returns the process's exit code."""
    die_with_parent(int(parent))
    llama_cpp.llama_log_set(_log, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = int(QuantType(quant).file_type)
    params.nthread = int(threads)
    params.max_buf_size = MAX_BUFFER_BYTES
    return int(llama_cpp.llama_model_quantize(source.encode(), out.encode(), ctypes.byref(params)))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
