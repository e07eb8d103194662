"""Collect an importance matrix: watch what goes into every matrix while a float GGUF reads calibration texts.

Per matrix and column the squares of the inputs are summed, as tools/imatrix/imatrix.cpp of llama.cpp does; unlike there
the output matrix is included and batches of any length count. Memory: the mapped model and one number a column.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from convert.errors import InputError
from convert.fidelity.texts import CalibrationTexts
from convert.progress import Progress, silent
from convert.quantization.ggml import GgmlTensor, float_rows, op_name, tensor_at
from convert.quantization.imatrix import Entry, Imatrix, needs_entry, require_coverage
from convert.quantization.libllama import GgufModel
from convert.quantization.quantize import read_shapes

#: Longest sequence; llama.cpp's own importance matrices are made of as many.
CHUNK_TOKENS = 512


@dataclass(frozen=True, slots=True)
class CollectOptions:
    """How much to read.

    Attributes:
        tokens: of all texts together.
        threads: of llama.cpp; 0 takes the physical cores.
    """

    tokens: int = 20000
    threads: int = 0


class MatrixWatch:
    """Sees what goes into the matrices of a running model; hand it to ``GgufModel`` as ``watch``.

    An exception cannot cross llama.cpp, so the first one is kept, and ``check`` raises it.
    """

    def __init__(self, names: Collection[str], take: Callable[[str, GgmlTensor, GgmlTensor], None]) -> None:
        """Watch the matrices of these names.

        Args:
            names: of weights.
            take: told the name, the weight and the other side of the product after each product is computed.
        """
        self._names = frozenset(name.encode() for name in names)
        self._take = take
        self._failed: Exception | None = None

    def __call__(self, node: int, ask: bool) -> bool:
        """What llama.cpp calls."""
        try:
            tensor = tensor_at(node)
            if not tensor.src[0] or tensor.src[0].contents.name not in self._names:
                return not ask
            if ask:
                return op_name(tensor) == "MUL_MAT"
            weight = tensor.src[0].contents
            self._take(weight.name.decode(), weight, tensor.src[1].contents)
        except Exception as error:  # ctypes would print it and go on
            self._failed = self._failed or error
        return True

    def check(self) -> None:
        """Raise what went wrong, if anything did."""
        if self._failed is not None:
            raise self._failed


class _Sums:
    """Sums of squares by matrix."""

    def __init__(self) -> None:
        self._sums: dict[str, npt.NDArray[np.float64]] = {}
        self._rows: dict[str, int] = {}

    def take(self, name: str, weight: GgmlTensor, inputs: GgmlTensor) -> None:
        """Add the inputs of one product, float32 of shape (N, columns)."""
        rows = float_rows(inputs)
        squares = np.einsum("nc,nc->c", rows, rows, dtype=np.float64)
        if not np.isfinite(squares).all():
            raise InputError(f"{name}: its inputs are not finite; expected a model that computes; convert it again")
        self._sums[name] = self._sums[name] + squares if name in self._sums else squares
        self._rows[name] = self._rows.get(name, 0) + len(rows)

    def entries(self) -> dict[str, Entry]:
        return {name: Entry(self._sums[name], self._rows[name]) for name in sorted(self._sums)}


def collect_imatrix(
    source: Path, texts: CalibrationTexts, options: CollectOptions, progress: Progress = silent
) -> Imatrix:
    """Compute the texts with a float GGUF and sum up what its matrices see; the same texts give the same sums.

    Args:
        source: the float GGUF.
        texts: what to read; support and general text take turns.
        options: how much.
        progress: told the tokens that were read.

    Raises:
        InputError: the source is missing or no GGUF, there is no text, or a matrix saw nothing.
    """
    shapes = read_shapes(source)
    sums = _Sums()
    watch = MatrixWatch(needs_entry(shapes), sums.take)
    with GgufModel(source, CHUNK_TOKENS, options.threads, watch=watch) as model:
        rows = calibration_rows(texts.mixed(), model.encode, model.bos, options.tokens)
        total = sum(map(len, rows))
        done = 0
        for row in rows:
            progress("imatrix", done, total)
            model.compute(row)
            watch.check()
            done += len(row)
        progress("imatrix", total, total)
    found = Imatrix(sums.entries(), texts.sources, total, CHUNK_TOKENS)
    require_coverage(found, shapes, str(source))
    return found


def calibration_rows(
    texts: Iterable[str], encode: Callable[[str], list[int]], bos: int, tokens: int
) -> list[Sequence[int]]:
    """Token rows, BOS first, at most CHUNK_TOKENS long, until they hold ``tokens`` tokens; the last is cut to fit.

    Raises:
        InputError: there is no text of two tokens or more.
    """
    rows: list[Sequence[int]] = []
    left = tokens
    for text in texts:
        if left < 2:
            break
        row = [bos, *encode(text)][: min(CHUNK_TOKENS, left)]
        if len(row) > 1:
            rows.append(row)
            left -= len(row)
    if not rows:
        raise InputError("no text of two tokens or more to calibrate with; pass some with --data")
    return rows
