"""From checkpoint tensors to GGUF tensors: which there are, in which order, and how their numbers are laid out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

from convert.checkpoint.weights import Float32Array, WeightSource
from convert.errors import InputError, UnsupportedError
from convert.gguf.config import ModelConfig
from convert.gguf.families import Family, Permute, TensorRow, family_of


class Precision(StrEnum):
    """Type of the matrices in the file; vectors and norms are always float32."""

    F32 = "f32"
    F16 = "f16"
    BF16 = "bf16"

    @property
    def quant_type(self) -> gguf.GGMLQuantizationType:
        """Of a tensor."""
        return gguf.GGMLQuantizationType[self.name]

    @property
    def file_type(self) -> gguf.LlamaFileType:
        """Of the whole file."""
        return gguf.LlamaFileType[f"ALL_{self.name}" if self is Precision.F32 else f"MOSTLY_{self.name}"]


@dataclass(frozen=True, slots=True)
class TensorPlan:
    """One tensor on its way.

    Attributes:
        source: where it is read.
        target: its name in the GGUF.
        type: how it is stored.
        heads: the heads by which its rows are reordered; 0 if they are not.
    """

    source: WeightSource
    target: str
    type: gguf.GGMLQuantizationType
    heads: int = 0

    @property
    def bytes(self) -> int:
        """Its size in the file."""
        return self.source.elements * (4 if self.type == gguf.GGMLQuantizationType.F32 else 2)

    def blocks(self, elements: int) -> Iterator[Float32Array]:
        """The weights in blocks of about so many elements, each of whole rows and, if reordered, of whole heads."""
        rows = self.source.shape[0]
        unit = rows // self.heads if self.heads else 1
        step = unit * max(1, elements * rows // max(1, self.source.elements) // unit)
        for start in range(0, rows, step):
            yield self.source.rows(start, min(start + step, rows))


@dataclass(frozen=True, slots=True)
class ComputedWeights:
    """A small tensor that no checkpoint holds, such as factors of the rotary positions.

    Attributes:
        name: in the GGUF.
        file: that it was computed from.
        values: as float32.
    """

    name: str
    file: Path
    values: Float32Array

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows first."""
        return self.values.shape

    @property
    def elements(self) -> int:
        """How many numbers it holds."""
        return self.values.size

    def read(self) -> Float32Array:
        """All of it."""
        return self.values

    def rows(self, start: int, stop: int) -> Float32Array:
        """Rows ``start`` to ``stop``."""
        return self.values[start:stop]


def plan_tensors(config: ModelConfig, refs: Mapping[str, WeightSource], precision: Precision) -> tuple[TensorPlan, ...]:
    """All tensors in the checkpoint's order.

    Raises:
        InputError: one is missing or of another shape than ``config.json`` says.
        UnsupportedError: the checkpoint holds one that the family's table does not know.
    """
    family = family_of(config.architecture)
    rows = expected_rows(config, family)
    missing = [name for name, row in rows.items() if name not in refs and not (row.head and config.tied)]
    if missing:
        raise InputError(
            f"the checkpoint lacks {_some(missing)}; expected {len(rows)} tensors for {config.layers} blocks of "
            f"{config.architecture}; copy or download the folder again"
        )
    unknown = [name for name in refs if name not in rows and not name.endswith(family.ignored)]
    if unknown:
        raise UnsupportedError(
            f"the checkpoint holds {_some(unknown)}, which {config.architecture} has no place for; "
            "convert the model that config.json describes"
        )
    return tuple(_plan(ref, rows[name], config, precision) for name, ref in refs.items() if name in rows)


def expected_rows(config: ModelConfig, family: Family) -> dict[str, TensorRow]:
    """The family's table written out for all blocks: name in the checkpoint -> row with its block number filled in."""
    rows = {}
    for row in family.rows:
        for block in range(config.layers if "{i}" in row.source else 1):
            name = row.source.replace("{i}", str(block))
            rows[name] = TensorRow(name, row.target.replace("{i}", str(block)), row.shape, row.permute, row.head)
    return rows


def _plan(ref: WeightSource, row: TensorRow, config: ModelConfig, precision: Precision) -> TensorPlan:
    shape = tuple(config.sizes[name] for name in row.shape)
    if ref.shape != shape:
        raise InputError(
            f"{ref.file}: {ref.name} has shape {list(ref.shape)}; config.json says {list(shape)}; "
            "use the config.json that belongs to these weights"
        )
    heads = {Permute.NONE: 0, Permute.HEADS: config.heads, Permute.KV_HEADS: config.kv_heads}[row.permute]
    plain = len(shape) == 1
    return TensorPlan(ref, row.target, Precision.F32.quant_type if plain else precision.quant_type, heads)


def permute_rows(weights: Float32Array, heads: int) -> Float32Array:
    """Reorder each head's rows from (2 halves, pairs) to (pairs, 2): rotary pairs side by side."""
    split = weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:])
    return np.ascontiguousarray(split.swapaxes(1, 2).reshape(weights.shape))


def encode(plan: TensorPlan, weights: Float32Array) -> npt.NDArray[np.generic]:
    """The tensor, or a block of its rows, as it lies in the file; bfloat16 as bytes.

    Raises:
        InputError: a value is beyond what float16 holds.
    """
    if plan.heads:
        weights = permute_rows(weights, plan.heads * weights.shape[0] // plan.source.shape[0])
    if plan.type == gguf.GGMLQuantizationType.F16:
        largest = float(max(weights.max(initial=0.0), -weights.min(initial=0.0)))
        if largest > float(np.finfo(np.float16).max):
            raise InputError(
                f"{plan.source.name}: a weight of magnitude {largest:g}; float16 ends at 65504; use --precision bf16"
            )
    stored: npt.NDArray[np.generic] = gguf.quants.quantize(weights, plan.type)
    return stored


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
