"""One tensor of weights: where it lies in its file, read as float32 whole or in blocks of rows.

The file is read, not mapped, so that memory holds one tensor and not the page cache of all of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from convert.errors import InputError, UnsupportedError

Float32Array = npt.NDArray[np.float32]

#: safetensors name -> numpy type as it lies in the file. bfloat16 is the upper half of a float32.
DTYPES: Mapping[str, np.dtype[np.generic]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "BF16": np.dtype("<u2"),
    "F64": np.dtype("<f8"),
}

#: What a quantised checkpoint packs its numbers into; read only where the reader says that it can unpack them.
INTEGERS: Mapping[str, np.dtype[np.generic]] = {"I32": np.dtype("<i4")}


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
            raise no_floats(self.file, self.name, self.dtype)
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


def no_floats(path: Path, name: str, dtype: str) -> UnsupportedError:
    """What to raise where floats were expected."""
    return UnsupportedError(
        f"{path}: {name} is of type {dtype}; expected one of {', '.join(DTYPES)}; "
        "convert the unquantised checkpoint instead"
    )
