"""Write the GGUF: announce all tensors, write the header, then one tensor after the other.

The same folder gives the same bytes as llama.cpp's own converter of the pinned release (tests/convert proves it).
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import gguf
import numpy as np
import numpy.typing as npt

from convert.checkpoint import Float32Array
from convert.files import atomic_output
from convert.gguf.families import family_of
from convert.gguf.metadata import add_keys
from convert.gguf.source import GgufSource
from convert.gguf.tensors import TensorPlan, encode
from convert.progress import Progress, silent


class WeightPatch(Protocol):
    """What changes weights on their way into the file, such as a LoRA adapter."""

    def apply(self, name: str, weights: Float32Array) -> Float32Array:
        """The patched weights of the checkpoint's tensor ``name``; may reuse the array."""

    def finish(self) -> None:
        """Called once after the last tensor. Raises if something was left unapplied."""


def write_gguf(source: GgufSource, out: Path, patch: WeightPatch | None = None, progress: Progress = silent) -> Path:
    """Write ``out``, which is there only once it is whole. Memory: one tensor in float32 and once more as stored.

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
            writer.write_tensor_data(_stored(plan, patch))
        writer.close()
        if patch is not None:
            patch.finish()
    progress("gguf", len(source.tensors), len(source.tensors))
    return out


def _stored(plan: TensorPlan, patch: WeightPatch | None) -> npt.NDArray[np.generic]:
    """One tensor, read, patched and encoded; its float32 form is freed before the next one is read."""
    weights = plan.source.read()
    if patch is not None:
        weights = patch.apply(plan.source.name, weights)
    return encode(plan, weights)
