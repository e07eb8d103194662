"""Weights of a Hugging Face folder: safetensors, sharded or not, read one tensor at a time without torch.

Format: https://github.com/huggingface/safetensors#format (8 bytes little-endian header length, a JSON header, data).
The file is read, not mapped, so that memory holds one tensor and not the page cache of all of them.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from convert.errors import InputError, UnsupportedError
from models.bundle import sha256_of

Float32Array = npt.NDArray[np.float32]

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"

#: A header of more than this many bytes is damage, not a model (the safetensors library's own limit).
MAX_HEADER_BYTES = 100_000_000

#: safetensors name -> numpy type as it lies in the file. bfloat16 is the upper half of a float32.
DTYPES: Mapping[str, np.dtype[np.generic]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
    "F64": np.dtype("<f8"),
}

#: What a quantised checkpoint packs its numbers into; read only where the reader says that it can unpack them.
INTEGERS: Mapping[str, np.dtype[np.generic]] = {"I32": np.dtype("<i4")}

_SIZES = {name: dtype.itemsize for name, dtype in {**DTYPES, **INTEGERS}.items()}

_COPY_AGAIN = "copy or download the folder again"


class WeightSource(Protocol):
    """A tensor of float32 weights that can be read whole or in blocks of rows, however it is stored."""

    @property
    def name(self) -> str:
        """As in the checkpoint."""

    @property
    def file(self) -> Path:
        """Where it comes from."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows first."""

    @property
    def elements(self) -> int:
        """How many numbers it holds."""

    def read(self) -> Float32Array:
        """All of it, in ``shape``."""

    def rows(self, start: int, stop: int) -> Float32Array:
        """Rows ``start`` to ``stop``, shape (stop - start, ...)."""


@dataclass(frozen=True, slots=True)
class TensorRef:
    """Where a tensor lies.

    Attributes:
        name: as in the checkpoint.
        file: the safetensors file.
        dtype: a key of DTYPES or INTEGERS.
        shape: rows first.
        offset_bytes: of its data, from the beginning of the file.
    """

    name: str
    file: Path
    dtype: str
    shape: tuple[int, ...]
    offset_bytes: int

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)

    def read(self) -> Float32Array:
        """The values as float32, in ``shape``.

        Raises:
            InputError: a value is NaN or infinite.
            UnsupportedError: they are integers.
        """
        return self._floats(0, self.elements).reshape(self.shape)

    def rows(self, start: int, stop: int) -> Float32Array:
        """Rows ``start`` to ``stop`` as float32, shape (stop - start, ...). Raises as ``read`` does."""
        row = self.elements // self.shape[0]
        return self._floats(start * row, stop * row).reshape(stop - start, *self.shape[1:])

    def read_integers(self) -> npt.NDArray[np.int32]:
        """The values of a packed tensor, in ``shape``.

        Raises:
            UnsupportedError: they are no integers.
        """
        if self.dtype not in INTEGERS:
            raise UnsupportedError(f"{self.file}: {self.name} is of type {self.dtype}; expected packed integers (I32)")
        raw = np.fromfile(self.file, INTEGERS[self.dtype], self.elements, offset=self.offset_bytes)
        return raw.astype(np.int32, copy=False).reshape(self.shape)

    def _floats(self, start: int, stop: int) -> Float32Array:
        """Elements ``start`` to ``stop``, flat."""
        if self.dtype not in DTYPES:
            raise _no_floats(self.file, self.name, self.dtype)
        dtype = DTYPES[self.dtype]
        raw = np.fromfile(self.file, dtype, stop - start, offset=self.offset_bytes + start * dtype.itemsize)
        if self.dtype == "BF16":
            wide = raw.astype(np.uint32)
            wide <<= 16
            values = wide.view(np.float32)
        else:
            values = raw.astype(np.float32, copy=False)
        finite = np.isfinite(values)
        if not finite.all():
            raise InputError(
                f"{self.file}: {self.name} holds {int(np.count_nonzero(~finite))} NaN or infinite values of "
                f"{stop - start}; expected finite weights; train or export the model again"
            )
        return values


def _no_floats(path: Path, name: str, dtype: str) -> UnsupportedError:
    return UnsupportedError(
        f"{path}: {name} is of type {dtype}; expected one of {', '.join(DTYPES)}; "
        "convert the unquantised checkpoint instead"
    )


def read_json(path: Path) -> dict[str, object]:
    """Read a JSON object from a file of the model folder.

    Raises:
        InputError: the file is missing or not a JSON object.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a Hugging Face model or adapter folder; {_COPY_AGAIN}")
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not JSON ({error}); {_COPY_AGAIN}") from error
    if not isinstance(value, dict):
        raise InputError(f"{path}: a {type(value).__name__}; expected a JSON object; {_COPY_AGAIN}")
    return value


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
        raise InputError(f"{path}: no such file; expected safetensors weights; {_COPY_AGAIN}")
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > min(size - 8, MAX_HEADER_BYTES):
            raise InputError(f"{path}: truncated: {size} bytes, header of {length}; {_COPY_AGAIN}")
        try:
            header = json.loads(file.read(length))
            entries = {name: entry for name, entry in header.items() if name != "__metadata__"}
            known = _SIZES if integers else {name: _SIZES[name] for name in DTYPES}
            refs = {name: _reference(path, name, entries[name], 8 + length, known) for name in sorted(entries)}
        except (ValueError, AttributeError, KeyError, TypeError) as error:
            raise InputError(f"{path}: malformed safetensors header ({error}); {_COPY_AGAIN}") from error
    end = max((ref.offset_bytes + ref.elements * _SIZES[ref.dtype] for ref in refs.values()), default=8 + length)
    if end != size:
        raise InputError(f"{path}: {size} bytes; its header says {end} (truncated or damaged); {_COPY_AGAIN}")
    return refs


def _reference(
    path: Path, name: str, entry: Mapping[str, object], data_start: int, known: Mapping[str, int]
) -> TensorRef:
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or not isinstance(shape, list) or not isinstance(offsets, list):
        raise TypeError(f"{name}: expected dtype, shape and data_offsets")
    if dtype not in known:
        raise _no_floats(path, name, dtype)
    ref = TensorRef(name, path, dtype, tuple(int(n) for n in shape), data_start + int(offsets[0]))
    if offsets[1] - offsets[0] != ref.elements * known[dtype]:
        raise ValueError(f"{name}: {offsets[1] - offsets[0]} bytes do not hold shape {list(ref.shape)}")
    return ref


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files of a model folder, sorted by name.

    Raises:
        InputError: there are none, or the index names one that is missing.
    """
    if (folder / INDEX).is_file():
        names = read_json(folder / INDEX).get("weight_map")
        if not isinstance(names, dict) or not names:
            raise InputError(f"{folder / INDEX}: has no weight_map; {_COPY_AGAIN}")
        return tuple(folder / name for name in sorted({str(name) for name in names.values()}))
    if not (folder / SINGLE).is_file():
        raise InputError(
            f"{folder}: holds neither {SINGLE} nor {INDEX}; expected safetensors weights; save the model with "
            "`save_pretrained(folder, safe_serialization=True)`"
        )
    return (folder / SINGLE,)


def index_folder(folder: Path, *, integers: bool = False) -> dict[str, TensorRef]:
    """References to all tensors of a model folder: file by file, by name within a file.

    Args:
        folder: the model folder.
        integers: whether the reader can unpack tensors of INTEGERS.

    Raises:
        InputError: a file is missing or damaged, or the index and the files disagree about a tensor.
    """
    files = weight_files(folder)
    refs: dict[str, TensorRef] = {}
    for path in files:
        refs.update(index_file(path, integers=integers))
    if (folder / INDEX).is_file():
        named = read_json(folder / INDEX)["weight_map"]
        assert isinstance(named, dict)  # weight_files has seen it
        wrong = sorted(set(named) ^ set(refs))
        if wrong:
            raise InputError(f"{folder / INDEX}: index and files disagree about {', '.join(wrong[:3])}; {_COPY_AGAIN}")
    return refs


def weights_sha256(folder: Path) -> str:
    """One digest for all weight files: the file's own sha256, or that of ``sha256  name`` lines of several."""
    files = weight_files(folder)
    if len(files) == 1:
        return sha256_of(files[0])
    lines = "".join(f"{sha256_of(path)}  {path.name}\n" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()
