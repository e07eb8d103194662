"""An importance matrix: for every matrix of a model the mean square of each of its inputs; its file, its coverage.

File: the GGUF of llama.cpp's tools/imatrix/imatrix.cpp, which ``llama-quantize --imatrix`` reads: ``general.type`` is
``imatrix``; ``imatrix.datasets``, ``imatrix.chunk_count``, ``imatrix.chunk_size``; per matrix the float32 tensors
NAME.in_sum2 (sums of squares, one a column) and NAME.counts (rows summed).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

from convert.checkpoint.weights import Float32Array
from convert.errors import InputError
from convert.files import atomic_output

EMBEDDING = "token_embd.weight"
OUTPUT = "output.weight"

_SUMS = ".in_sum2"
_COUNTS = ".counts"


@dataclass(frozen=True, slots=True)
class Entry:
    """What went into one matrix.

    Attributes:
        sums: sum of squares of each input, shape (columns,), float64.
        rows: input rows that were summed.
    """

    sums: npt.NDArray[np.float64]
    rows: int

    @property
    def mean_squares(self) -> Float32Array:
        """Mean square of each input, shape (columns,); divided in float32 as llama-quantize does, to the same bits."""
        return np.asarray(self.sums.astype(np.float32) / np.float32(max(1, self.rows)), np.float32)


@dataclass(frozen=True, slots=True)
class Imatrix:
    """An importance matrix.

    Attributes:
        entries: by tensor name.
        datasets: what it was collected from.
        tokens: how many were computed.
        chunk_tokens: longest sequence.
    """

    entries: Mapping[str, Entry]
    datasets: tuple[str, ...]
    tokens: int
    chunk_tokens: int


def needs_entry(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """Matrices that quantising weights by their inputs, with the length of their rows.

    These are all but norms and a token embedding that is only looked up; without an ``output.weight`` the embedding is
    the output matrix too, and then it needs one.

    Args:
        shapes: names and shapes (rows first) of a model's tensors.
    """
    tied = OUTPUT not in shapes
    return {
        name: shape[-1]
        for name, shape in shapes.items()
        if len(shape) > 1 and not name.endswith("_norm.weight") and (tied or name != EMBEDDING)
    }


def require_coverage(imatrix: Imatrix, shapes: Mapping[str, tuple[int, ...]], source: str) -> None:
    """Raise unless every matrix has an entry that fits and says something: llama.cpp only logs a missing one.

    Args:
        imatrix: what to look at.
        shapes: of the model's tensors, rows first.
        source: where the importance matrix comes from, for messages.

    Raises:
        InputError: names the tensors that are missing, of another width, not finite or all zero.
    """
    wrong = []
    for name, columns in needs_entry(shapes).items():
        entry = imatrix.entries.get(name)
        if entry is None:
            wrong.append(f"{name} (missing)")
        elif len(entry.sums) != columns:
            wrong.append(f"{name} ({len(entry.sums)} columns, the model's has {columns})")
        elif not np.isfinite(entry.sums).all() or entry.rows < 1 or not entry.sums.any():
            wrong.append(f"{name} (all zero or not finite)")
    if wrong:
        raise InputError(
            f"{source}: the importance matrix does not cover {len(wrong)} matrices: {', '.join(wrong[:3])}; expected "
            "an entry above zero for each; collect it from this very model with `python -m convert imatrix`"
        )


def write_imatrix(imatrix: Imatrix, out: Path) -> Path:
    """Write the file, which is there only once it is whole; the same matrix always gives the same bytes."""
    with atomic_output(out) as partial:
        writer = gguf.GGUFWriter(partial, arch="")  # as llama.cpp's own files have none
        writer.add_type(gguf.GGUFType.IMATRIX)
        writer.add_array("imatrix.datasets", list(imatrix.datasets))
        writer.add_uint32("imatrix.chunk_count", math.ceil(imatrix.tokens / imatrix.chunk_tokens))
        writer.add_uint32("imatrix.chunk_size", imatrix.chunk_tokens)
        for name in sorted(imatrix.entries):
            entry = imatrix.entries[name]
            writer.add_tensor(name + _SUMS, entry.sums.astype(np.float32).reshape(1, -1))
            writer.add_tensor(name + _COUNTS, np.full((1, 1), entry.rows, np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return out


def read_imatrix(path: Path) -> Imatrix:
    """Read a file that ``write_imatrix`` or ``llama-imatrix`` wrote.

    Raises:
        InputError: it is missing, no importance matrix, of a mixture of experts, or sums and counts do not go together.
    """
    if not path.is_file():
        raise InputError(
            f"{path}: no such file; expected an importance matrix; make one with `python -m convert imatrix`"
        )
    try:
        reader = gguf.GGUFReader(path)
    except (ValueError, KeyError, IndexError) as error:
        raise InputError(
            f"{path}: not a readable GGUF ({error}); make it again with `python -m convert imatrix`"
        ) from error
    kind = reader.get_field(gguf.Keys.General.TYPE)
    if kind is None or kind.contents() != gguf.GGUFType.IMATRIX:
        raise InputError(f"{path}: general.type is not {gguf.GGUFType.IMATRIX!r}; expected an importance matrix")
    arrays = {tensor.name: np.array(tensor.data, np.float64).reshape(-1) for tensor in reader.tensors}
    entries = {}
    for name in sorted(name.removesuffix(_SUMS) for name in arrays if name.endswith(_SUMS)):
        counts = arrays.get(name + _COUNTS)
        if counts is None or len(counts) != 1:
            raise InputError(f"{path}: {name} has {0 if counts is None else len(counts)} counts; expected one")
        entries[name] = Entry(arrays[name + _SUMS], round(float(counts[0])))
    chunks, size = (reader.get_field(f"imatrix.{key}") for key in ("chunk_count", "chunk_size"))
    names = reader.get_field("imatrix.datasets")
    if chunks is None or size is None or names is None:
        raise InputError(f"{path}: imatrix.datasets, chunk_count or chunk_size is missing; expected all three")
    chunk_tokens = int(size.contents())
    return Imatrix(entries, tuple(names.contents()), int(chunks.contents()) * chunk_tokens, chunk_tokens)
