"""The little of ggml that measuring needs, through ctypes: what a tensor is, and quantising rows as llama.cpp does.

Source: ggml/include/ggml.h of the llama.cpp that llama-cpp-python carries.
"""

from __future__ import annotations

import ctypes

import gguf
import numpy as np
import numpy.typing as npt
from llama_cpp._ggml import libggml

from convert.checkpoint.weights import Float32Array

_DIMENSIONS = 4
_SOURCES = 10
_PARAMETER_BYTES = 64
_NAME_BYTES = 64


class GgmlTensor(ctypes.Structure):
    """``struct ggml_tensor``: a node of the graph, or a weight."""


GgmlTensor._fields_ = [
    ("type", ctypes.c_int),
    ("buffer", ctypes.c_void_p),
    ("ne", ctypes.c_int64 * _DIMENSIONS),
    ("nb", ctypes.c_size_t * _DIMENSIONS),
    ("op", ctypes.c_int),
    ("op_params", ctypes.c_char * _PARAMETER_BYTES),
    ("flags", ctypes.c_int32),
    ("src", ctypes.POINTER(GgmlTensor) * _SOURCES),
    ("view_src", ctypes.c_void_p),
    ("view_offs", ctypes.c_size_t),
    ("data", ctypes.c_void_p),
    ("name", ctypes.c_char * _NAME_BYTES),
]

libggml.ggml_op_name.argtypes = [ctypes.c_int]
libggml.ggml_op_name.restype = ctypes.c_char_p
libggml.ggml_quantize_chunk.argtypes = [
    *(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p),
    *(ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p),
]
libggml.ggml_quantize_chunk.restype = ctypes.c_size_t


def tensor_at(address: int) -> GgmlTensor:
    """The tensor that a callback was given the address of."""
    return ctypes.cast(address, ctypes.POINTER(GgmlTensor)).contents


def op_name(tensor: GgmlTensor) -> str:
    """Such as ``MUL_MAT``."""
    return str(libggml.ggml_op_name(tensor.op).decode())


def float_rows(tensor: GgmlTensor) -> Float32Array:
    """The rows of a float32 tensor in host memory, shape (N, ne0): a view where they lie one behind the other.

    Raises:
        ValueError: it is of another type, or its elements do not lie side by side.
    """
    if tensor.type != gguf.GGMLQuantizationType.F32 or tensor.nb[0] != 4:
        raise ValueError(f"a tensor of type {tensor.type} with elements {tensor.nb[0]} bytes apart; expected float32")
    shape = tuple(int(n) for n in reversed(tensor.ne))
    span = 4 + sum((int(n) - 1) * int(step) for n, step in zip(tensor.ne, tensor.nb, strict=True))
    raw = np.ctypeslib.as_array(ctypes.cast(tensor.data, ctypes.POINTER(ctypes.c_uint8)), shape=(span,))
    strides = tuple(int(step) for step in reversed(tensor.nb))
    return np.ndarray(shape, np.float32, raw.data, 0, strides).reshape(-1, shape[-1])


def quantize_rows(
    rows: Float32Array, kind: gguf.GGMLQuantizationType, weights: Float32Array | None
) -> npt.NDArray[np.uint8]:
    """Quantise rows (N, columns) as llama.cpp does, each error weighted by ``weights`` (columns,) if given.

    Returns:
        Bytes, shape (N, bytes of a row).

    Raises:
        ValueError: the columns do not divide by the type's block.
    """
    block, size = gguf.GGML_QUANT_SIZES[kind]
    count, columns = rows.shape
    if columns % block:
        raise ValueError(f"rows of {columns} do not divide by {block}, the block of {kind.name}")
    rows = np.ascontiguousarray(rows, np.float32)
    held = None if weights is None else np.ascontiguousarray(weights, np.float32)
    out = np.empty((count, columns // block * size), np.uint8)
    written = libggml.ggml_quantize_chunk(
        int(kind), rows.ctypes.data, out.ctypes.data, 0, count, columns, None if held is None else held.ctypes.data
    )
    if written != out.nbytes:
        raise ValueError(f"{kind.name} took {written} bytes for {count} rows of {columns}; expected {out.nbytes}")
    return out


def round_trip(rows: Float32Array, kind: gguf.GGMLQuantizationType, weights: Float32Array | None) -> Float32Array:
    """Rows (N, columns) quantised and brought back to float32."""
    return np.asarray(gguf.dequantize(quantize_rows(rows, kind, weights), kind), np.float32)
