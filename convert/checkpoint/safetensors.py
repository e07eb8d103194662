"""One safetensors file: its header, checked against its length, as references to its tensors.

Format: https://github.com/huggingface/safetensors#format (8 bytes little-endian header length, a JSON header, data).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from convert.checkpoint.jsonfile import COPY_AGAIN
from convert.checkpoint.weights import DTYPES, INTEGERS, TensorRef, no_floats
from convert.errors import InputError

#: A header of more than this many bytes is damage, not a model (the safetensors library's own limit).
MAX_HEADER_BYTES = 100_000_000

_SIZES: Mapping[str, int] = {name: dtype.itemsize for name, dtype in {**DTYPES, **INTEGERS}.items()}


def index_file(path: Path, *, integers: bool = False) -> dict[str, TensorRef]:
    """Read one safetensors header and check that the file is as long as it says.

    Args:
        path: the file.
        integers: whether the reader can unpack tensors of INTEGERS.

    Returns:
        References by name, in order of names (the order in which the safetensors library gives them).

    Raises:
        InputError: the file is missing, truncated, longer than it should be or malformed.
        UnsupportedError: a tensor is of a type that is no float (a quantised checkpoint).
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected safetensors weights; {COPY_AGAIN}")
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, MAX_HEADER_BYTES):
            raise InputError(f"{path}: truncated: {size} bytes, header of {length}; {COPY_AGAIN}")
        try:
            header = json.loads(file.read(length))
            entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
            known = _SIZES if integers else {name: _SIZES[name] for name in DTYPES}
            refs = {name: _reference(path, name, entries[name], 8 + length, known) for name in sorted(entries)}
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            raise InputError(f"{path}: malformed safetensors header ({error}); {COPY_AGAIN}") from error
    end = max((ref.offset_bytes + ref.elements * _SIZES[ref.dtype] for ref in refs.values()), default=8 + length)
    if end != size:
        raise InputError(f"{path}: {size} bytes; its header says {end} (truncated or damaged); {COPY_AGAIN}")
    return refs


def _reference(
    path: Path, name: str, entry: Mapping[str, object], data_start: int, known: Mapping[str, int]
) -> TensorRef:
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or not isinstance(shape, list) or not isinstance(offsets, list):
        raise TypeError(f"{name}: expected dtype, shape and data_offsets")
    if dtype not in known:
        raise no_floats(path, name, dtype)
    ref = TensorRef(name, path, dtype, tuple(int(n) for n in shape), data_start + int(offsets[0]))
    if offsets[1] - offsets[0] != ref.elements * known[dtype]:
        raise ValueError(f"{name}: {offsets[1] - offsets[0]} bytes do not hold shape {list(ref.shape)}")
    return ref
