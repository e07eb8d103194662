"""Write the GGUF: announce all tensors, write the header, then one tensor after the other, a block of rows at a time.

The same folder gives the same bytes as llama.cpp's own converter of the pinned release (tests/convert proves it).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Protocol

import gguf
import numpy as np

from convert.checkpoint.weights import Float32Array
from convert.files import atomic_output
from convert.gguf.families import family_of
from convert.gguf.metadata import add_keys
from convert.gguf.source import GgufSource
from convert.gguf.tensors import TensorPlan, encode
from convert.progress import Progress, silent

#: About how many weights are in memory at a time (64 MiB as float32), where nothing patches them.
BLOCK_ELEMENTS = 16 << 20


class WeightPatch(Protocol):
    """What changes weights on their way into the file, such as a LoRA adapter."""

    def apply(self, name: str, weights: Float32Array) -> Float32Array:
        """The patched weights of the checkpoint's tensor ``name``; may reuse the array."""

    def finish(self) -> None:
        """Called once after the last tensor. Raises if something was left unapplied."""


def write_gguf(source: GgufSource, out: Path, patch: WeightPatch | None = None, progress: Progress = silent) -> Path:
    """Write ``out``, which is there only once it is whole.

    Memory: BLOCK_ELEMENTS in float32 and once more as stored; with a patch, one whole tensor instead.

    Raises:
        InputError: a weight is not finite or does not fit the precision, or the patch does not fit the model.
    """
    with atomic_output(out) as partial:
        writer = gguf.GGUFWriter(path=None, arch=family_of(source.config.architecture).gguf)
        for plan in source.tensors:
            writer.add_tensor_info(plan.target, plan.source.shape, np.dtype(np.float32), plan.bytes, plan.type)
        add_keys(writer, source)
        writer.write_header_to_file(partial)
        writer.write_kv_data_to_file()
        writer.write_ti_data_to_file()
        for number, plan in enumerate(source.tensors):
            progress("gguf", number, len(source.tensors))
            writer.write_tensor_data(_Stored(plan, patch))
        writer.close()
        if patch is not None:
            patch.finish()
    progress("gguf", len(source.tensors), len(source.tensors))
    return out


class _Stored:
    """One tensor as the gguf package writes arrays: it asks for the size and calls ``tofile``."""

    def __init__(self, plan: TensorPlan, patch: WeightPatch | None) -> None:
        self._plan = plan
        self._patch = patch
        self.nbytes = plan.bytes

    def tofile(self, file: BinaryIO) -> None:
        """Read, patch, encode and write block after block."""
        for block in self._blocks():
            encode(self._plan, block).tofile(file)

    def _blocks(self) -> Iterable[Float32Array]:
        if self._patch is None:
            return self._plan.blocks(BLOCK_ELEMENTS)
        return (self._patch.apply(self._plan.source.name, self._plan.source.read()),)
