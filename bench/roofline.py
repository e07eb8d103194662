"""What the machine allows at most: how fast memory is read and matrices are multiplied, and how near the target comes.

Williams, Waterman and Patterson 2009, "Roofline: An Insightful Visual Performance Model for Multicore Architectures".
Computing one token for one chat reads every weight once: at most ``bandwidth / model bytes`` tokens a second. Reading a
prompt multiplies and adds once for each parameter and token: at most ``FLOP/s / (2 * parameters)`` tokens a second.
Two ways lead past these lines: several chats, or drafted tokens, share one reading of the weights; and integer kernels
of quantised models multiply faster than the float32 product that is timed here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

_MOST_READ_BYTES = 256 << 20
_MATRIX = 1024
_REPEATS = 5


@dataclass(frozen=True, slots=True)
class Roofline:
    """The machine's two rates, the model's size, and the target's rates at one chat.

    Attributes:
        bandwidth_bytes_per_s: reading memory with all usable processors, best of 5.
        matrix_flop_per_s: a float32 matrix product with all usable processors, best of 5.
        model_bytes: size of the model file.
        parameters: of the model; 0 if not known.
        prefill_per_s: prompt tokens computed a second up to the first token, new chats alone; None without any.
        decode_per_s: tokens a second after the first, one chat alone, median; None without any.
    """

    bandwidth_bytes_per_s: float
    matrix_flop_per_s: float
    model_bytes: int
    parameters: int
    prefill_per_s: float | None
    decode_per_s: float | None

    @property
    def decode_bound_per_s(self) -> float | None:
        """Tokens a second that memory allows; None without a model."""
        return self.bandwidth_bytes_per_s / self.model_bytes if self.model_bytes else None

    @property
    def prefill_bound_per_s(self) -> float | None:
        """Prompt tokens a second that the processors allow; None without the number of parameters."""
        return self.matrix_flop_per_s / (2.0 * self.parameters) if self.parameters else None

    @property
    def decode_share(self) -> float | None:
        """Of the bound, that decoding reaches."""
        return _share(self.decode_per_s, self.decode_bound_per_s)

    @property
    def prefill_share(self) -> float | None:
        """Of the bound, that reading prompts reaches."""
        return _share(self.prefill_per_s, self.prefill_bound_per_s)


def _share(rate: float | None, bound: float | None) -> float | None:
    return rate / bound if rate is not None and bound else None


def read_bandwidth(size_bytes: int | None = None) -> float:
    """Bytes a second at which all usable processors together read memory, best of 5.

    Args:
        size_bytes: of what is read; None takes 256 MiB, or an eighth of the free memory if that is less.
    """
    size = size_bytes or min(_MOST_READ_BYTES, psutil.virtual_memory().available // 8)
    workers = len(os.sched_getaffinity(0))
    values = np.ones(size // 4, dtype=np.int32)  # ones, not zeros: the kernel backs untouched zeros by a single page
    parts = np.array_split(values, workers)
    with ThreadPoolExecutor(workers) as pool:
        best_s = _best_s(lambda: list(pool.map(np.max, parts)))  # integers: their maximum is vectorised, frees the GIL
    return values.nbytes / best_s


def matrix_rate(size: int = _MATRIX) -> float:
    """FLOP/s of a float32 product of two (size, size) matrices with the BLAS's threads, best of 5."""
    left = np.ones((size, size), dtype=np.float32)
    out = np.empty_like(left)
    best_s = _best_s(lambda: np.matmul(left, left, out=out))
    return 2.0 * size**3 / best_s


def count_parameters(model: Path) -> int:
    """Weights of a GGUF, embeddings and all.

    Raises:
        OSError: it cannot be read.
    """
    from gguf import GGUFReader  # it takes a second to import, and `compare` and `report` do not need it

    return sum(int(tensor.n_elements) for tensor in GGUFReader(model).tensors)


def _best_s(work: Callable[[], object]) -> float:
    """The shortest of five after one that is not counted: other work on the machine can only make it longer."""
    times_s = []
    for _ in range(_REPEATS + 1):
        began_s = time.perf_counter()
        work()
        times_s.append(time.perf_counter() - began_s)
    return min(times_s[1:])
