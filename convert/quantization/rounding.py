"""A float model in memory whose tensors are rounded and put back, to see what rounding each of them costs."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import gguf
import numpy as np
import numpy.typing as npt

from convert.errors import InputError
from convert.fidelity.figures import compare
from convert.quantization.collect import CHUNK_TOKENS
from convert.quantization.ggml import GgmlTensor, round_trip, tensor_at
from convert.quantization.imatrix import Imatrix
from convert.quantization.libllama import GgufModel

Bytes = npt.NDArray[np.uint8]


class RoundedModel:
    """The model and what it computes of some rows; use it in a ``with`` block.

    The weights are found through the graph that llama.cpp shows while it computes. Memory: the model as it is stored,
    one group of its tensors once more, and the rows' logits twice.
    """

    def __init__(self, path: Path, imatrix: Imatrix, rows: Sequence[Sequence[int]], threads: int = 0) -> None:
        """Load a float GGUF and compute the rows with it as it is.

        Args:
            path: the float GGUF.
            imatrix: weights the rounding.
            rows: token ids, each row at most CHUNK_TOKENS long.
            threads: of llama.cpp; 0 takes the physical cores.
        """
        self._imatrix = imatrix
        self._rows = rows
        self._weights: dict[str, GgmlTensor] = {}
        self._model = GgufModel(path, CHUNK_TOKENS, threads, watch=self._see, writable=True)
        self._before = [self._model.logits(row) for row in rows]

    def __enter__(self) -> RoundedModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._model.close()

    def _see(self, node: int, ask: bool) -> bool:
        """Note where the node's weight lies; no computed node is wanted."""
        source = tensor_at(node).src[0]
        if ask and source:
            name = source.contents.name.decode("utf-8", "replace")
            if name not in self._weights:
                self._weights[name] = GgmlTensor.from_buffer_copy(source.contents)
        return not ask

    def divergence(self, names: Sequence[str], kind: gguf.GGMLQuantizationType) -> float:
        """Mean KL divergence, nats, of the rows' distributions once these tensors are rounded to a type.

        Raises:
            InputError: a tensor takes no part in the computation.
        """
        saved: list[tuple[Bytes, Bytes]] = []
        try:
            for name in names:
                memory = self._memory(name)
                saved.append((memory, memory.copy()))
                memory[...] = self._rounded(name, memory, kind)
            after = [self._model.logits(row) for row in self._rows]
        finally:
            for memory, values in saved:
                memory[...] = values
        return compare(self._rows, self._before, after).mean_kld

    def _memory(self, name: str) -> Bytes:
        """The bytes of a weight where the model keeps them, shape (rows, bytes of a row)."""
        tensor = self._weights.get(name)
        if tensor is None or not tensor.data:
            raise InputError(f"{name}: no part of the computation; expected a matrix that the model uses")
        count, width = int(tensor.ne[1]), int(tensor.nb[1])
        pointer = ctypes.cast(tensor.data, ctypes.POINTER(ctypes.c_uint8))
        return np.ctypeslib.as_array(pointer, shape=(count, width))

    def _rounded(self, name: str, memory: Bytes, kind: gguf.GGMLQuantizationType) -> Bytes:
        """The bytes of a weight that went through another type."""
        stored = gguf.GGMLQuantizationType(self._weights[name].type)
        entry = self._imatrix.entries.get(name)
        weights = None if entry is None else entry.mean_squares
        values = round_trip(gguf.dequantize(memory, stored), kind, weights)
        return np.ascontiguousarray(gguf.quantize(values, stored)).view(np.uint8)
