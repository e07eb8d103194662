"""How much damage a type does to a tensor: its weighted rounding error times what such an error costs in divergence.

The error of a tensor W stored as Q is sum_ij (W_ij - Q_ij)^2 m_j with m_j the mean square of input j (the importance
matrix): the expected square of what goes wrong in its output. What that costs is measured: the tensors of a group
(the same matrix in neighbouring blocks) are rounded in the memory of the running float model, the divergence of its
next-token distributions from before is taken on calibration text, and the weights are put back
(``convert.quantization.rounding``). Divergence grows with the square of a small error, so the cost of one unit of
error, once known, holds for the other types.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import gguf
import numpy as np

from convert.checkpoint.weights import Float32Array
from convert.quantization.ggml import round_trip

#: Rows of a tensor that its error is taken from, evenly spaced; more change it by less than a hundredth.
ERROR_ROWS = 512

_BLOCK = re.compile(r"^blk\.(\d+)\.(.+)$")


def groups_of(names: Sequence[str], limit: int) -> list[tuple[str, ...]]:
    """Tensors whose cost is measured together: one matrix in neighbouring blocks.

    Tensors outside the blocks stand alone. There are at most ``limit`` groups, or one a matrix if those are more.
    """
    kinds: dict[str, list[tuple[int, str]]] = {}
    alone: list[tuple[str, ...]] = []
    for name in sorted(names):
        if match := _BLOCK.match(name):
            kinds.setdefault(match.group(2), []).append((int(match.group(1)), name))
        else:
            alone.append((name,))
    bands = max(1, (limit - len(alone)) // max(1, len(kinds)))
    found = list(alone)
    for _, members in sorted(kinds.items()):
        ordered = [name for _, name in sorted(members)]
        width = -(-len(ordered) // bands)
        found += [tuple(ordered[start : start + width]) for start in range(0, len(ordered), width)]
    return found


def read_rows(tensor: gguf.ReaderTensor, every: int = 1) -> Float32Array:
    """Every ``every``-th row of a float tensor, float32 of shape (N, columns)."""
    return np.asarray(gguf.dequantize(tensor.data[::every], tensor.tensor_type), np.float32)


def weighted_errors(tensor: gguf.ReaderTensor, kinds: Sequence[str], squares: Float32Array | None) -> dict[str, float]:
    """Error of a float tensor in each of some types.

    Args:
        tensor: of a float GGUF.
        kinds: names of types.
        squares: mean square of each input, shape (columns,); None (a lookup) counts all columns alike.
    """
    total = int(np.prod(tensor.shape)) // int(tensor.shape[0])
    rows = read_rows(tensor, max(1, total // ERROR_ROWS))
    scale = np.ones(rows.shape[1]) if squares is None else squares
    found = {}
    for kind in kinds:
        off = rows.astype(np.float64) - round_trip(rows, gguf.GGMLQuantizationType[kind], squares)
        found[kind] = float((off * off * scale).sum()) * total / len(rows)
    return found


def stored_bytes(tensor: gguf.ReaderTensor, kind: str, align: int = gguf.GGUF_DEFAULT_ALIGNMENT) -> int:
    """Bytes in the file, with padding."""
    block, size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]]
    raw: int = int(np.prod(tensor.shape)) // block * int(size)
    return -(-raw // align) * align
