"""Quantise a GGUF with llama.cpp, in a child process: a failed assertion there ends the child and not the conversion.

llama.cpp writes in place and tells its progress only in its log, so the child writes to a temporary file that is
renamed at the end, and its log lines drive the progress bar. What it would only log (a matrix that the importance
matrix does not know, a type that does not fit a row) is refused here.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import gguf

from convert.errors import InputError, QuantizeError, UnsupportedError
from convert.files import atomic_output
from convert.progress import Progress, silent
from convert.quantization.imatrix import read_imatrix, require_coverage
from convert.quantization.job import Job, TensorLine, run_job

#: K-quants pack this many weights of a row; for rows that do not divide, llama.cpp silently takes another type.
SUPER_BLOCK = 256

#: ``... type = f16, size = 0.750 MiB -> 0.211 MiB (q4_K)``, as a dry run says it; a tensor that stays has no arrow.
_DRY_RUN_TYPE = re.compile(r"type =\s*(\S+),.*?(?:->.*\((\S+)\))?$")

#: Stored types that count as not quantised.
FLOATS = ("F32", "F16", "BF16")


class QuantType(StrEnum):
    """Quantisations on offer; the value is llama.cpp's name of it."""

    Q4_K_M = "Q4_K_M"
    Q5_K_M = "Q5_K_M"
    Q6_K = "Q6_K"
    Q8_0 = "Q8_0"

    @property
    def row_multiple(self) -> int:
        """What the length of a row must divide by."""
        return 32 if self is QuantType.Q8_0 else SUPER_BLOCK

    @property
    def file_type(self) -> gguf.LlamaFileType:
        """llama.cpp's number of it."""
        return gguf.LlamaFileType[f"MOSTLY_{self.value}"]


@dataclass(frozen=True, slots=True)
class Quantized:
    """The result.

    Attributes:
        path: the file.
        bytes: its size.
        types: how many tensors are stored in which type.
    """

    path: Path
    bytes: int
    types: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Guidance:
    """What the mixture is guided by.

    Attributes:
        imatrix: an importance matrix's file; it must cover every matrix.
        types: tensor name -> name of its type, such as ``Q5_K``; the mixture decides about the others.
    """

    imatrix: Path | None = None
    types: Mapping[str, str] = field(default_factory=dict)


UNGUIDED = Guidance()


def indivisible_rows(shapes: Mapping[str, tuple[int, ...]], quant: QuantType) -> dict[str, int]:
    """Matrices (name -> shape, rows first) whose rows do not divide as the quantisation needs, with their length."""
    return {name: shape[-1] for name, shape in shapes.items() if len(shape) > 1 and shape[-1] % quant.row_multiple}


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Names and shapes (rows first) of the tensors in a GGUF.

    Raises:
        InputError: it is missing or not a GGUF.
    """
    return {tensor.name: tuple(int(n) for n in reversed(tensor.shape)) for tensor in _reader(path).tensors}


def quantize(
    source: Path,
    out: Path,
    quant: QuantType = QuantType.Q4_K_M,
    threads: int = 0,
    progress: Progress = silent,
    cancelled: threading.Event | None = None,
    *,
    guidance: Guidance = UNGUIDED,
) -> Quantized:
    """Quantise ``source`` (an f16, bf16 or f32 GGUF) to ``out``, which is there only once it is whole.

    Args:
        source: what to quantise.
        out: where to.
        quant: how.
        threads: of the child; 0 takes all cores.
        progress: told after every tensor.
        cancelled: set it from another thread to stop the child; the temporary file is deleted.
        guidance: an importance matrix, types of single tensors.

    Raises:
        InputError: the source is missing, no GGUF or quantised already; the guidance does not fit it.
        UnsupportedError: rows do not divide; names them.
        QuantizeError: the child failed or was cancelled, or a tensor did not get the type that was asked for.
    """
    refuse_quantized(source)
    shapes = read_shapes(source)
    refuse_indivisible(shapes, quant)
    numbers = type_numbers(guidance.types, shapes)
    if guidance.imatrix is not None:
        require_coverage(read_imatrix(guidance.imatrix), shapes, str(guidance.imatrix))
    with atomic_output(out) as partial:
        job = Job(
            source=str(source.resolve()),
            out=str(partial.resolve()),
            file_type=int(quant.file_type),
            threads=threads,
            imatrix=str(guidance.imatrix.resolve()) if guidance.imatrix else "",
            types=numbers,
        )
        run_job(job, lambda line: progress("quantize", line.number, line.total), cancelled or threading.Event())
        stored = {tensor.name: tensor.tensor_type.name for tensor in _reader(partial).tensors}
        _refuse_other_types(guidance.types, stored)
    return Quantized(out, out.stat().st_size, dict(sorted(Counter(stored.values()).items())))


def mixture(source: Path, quant: QuantType) -> dict[str, str]:
    """Which type llama.cpp would store each tensor in, by its name; nothing is computed or written.

    Raises:
        InputError: the source is missing or no GGUF.
        QuantizeError: llama.cpp failed.
    """
    shapes = read_shapes(source)
    found: dict[str, str] = {}

    def take(line: TensorLine) -> None:
        if match := _DRY_RUN_TYPE.search(line.text):
            found[line.name] = (match.group(2) or match.group(1)).upper()

    job = Job(source=str(source.resolve()), out="", file_type=int(quant.file_type), threads=1, dry_run=True)
    run_job(job, take, threading.Event())
    if found.keys() != shapes.keys():
        missing = next(iter(sorted(shapes.keys() ^ found.keys())))
        raise QuantizeError(f"{source}: llama.cpp names no type of {missing}; expected a line for each tensor")
    return found


def type_numbers(types: Mapping[str, str], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """llama.cpp's numbers of the types of single tensors.

    Raises:
        InputError: a tensor or a type is unknown.
        UnsupportedError: a tensor's rows do not divide by its type's block; llama.cpp would take another one.
    """
    numbers = {}
    for name, kind in types.items():
        if name not in shapes:
            raise InputError(f"{name} is to be {kind}; the model has no such tensor; search the types of this model")
        if kind not in gguf.GGMLQuantizationType.__members__:
            raise InputError(f"{name} is to be {kind!r}; expected a type of ggml such as Q4_K or Q6_K")
        number = gguf.GGMLQuantizationType[kind]
        block = gguf.GGML_QUANT_SIZES[number][0]
        if shapes[name][-1] % block:
            raise UnsupportedError(
                f"{name} is to be {kind}; its rows of {shapes[name][-1]} do not divide by {block}; choose another type"
            )
        numbers[name] = int(number)
    return numbers


def _refuse_other_types(wanted: Mapping[str, str], stored: Mapping[str, str]) -> None:
    for name, kind in wanted.items():
        if stored.get(name) != kind:
            raise QuantizeError(
                f"{name} was to be {kind} and is {stored.get(name, 'missing')}; llama.cpp quantises no such tensor; "
                "leave it out of the types"
            )


def refuse_quantized(source: Path) -> None:
    """Raise if a GGUF is quantised already: rounding twice loses more than once.

    Raises:
        InputError: names the first such tensor.
    """
    for tensor in _reader(source).tensors:
        if tensor.tensor_type.name not in FLOATS:
            raise InputError(
                f"{source}: {tensor.name} is of type {tensor.tensor_type.name}; expected a float GGUF; "
                "make one with `python -m convert gguf`"
            )


def refuse_indivisible(shapes: Mapping[str, tuple[int, ...]], quant: QuantType) -> None:
    """Raise if ``indivisible_rows`` finds any.

    Raises:
        UnsupportedError: names the first few.
    """
    wrong = indivisible_rows(shapes, quant)
    if wrong:
        some = ", ".join(f"{name} ({length})" for name, length in list(wrong.items())[:3])
        raise UnsupportedError(
            f"{quant.value}: rows of {len(wrong)} tensors do not divide by {quant.row_multiple}: {some}; "
            "llama.cpp would silently store them in another type; choose Q8_0 (rows divide by 32) or another model"
        )


def _reader(path: Path) -> gguf.GGUFReader:
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a GGUF; make one with `python -m convert gguf`")
    try:
        return gguf.GGUFReader(path)
    except (ValueError, KeyError, IndexError) as error:
        raise InputError(
            f"{path}: not a readable GGUF ({error}); make it again with `python -m convert gguf`"
        ) from error
