"""What a conversion will take and everything that would be refused, found without writing anything."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from convert.base import Base
from convert.build.bundle import read_chat, read_guard, refuse_extras
from convert.build.config import RunConfig
from convert.build.licences import read_licences
from convert.checkpoint import index_folder
from convert.errors import ConvertError, InputError
from convert.gguf.source import GgufSource, read_source
from convert.lora.adapter import read_adapter, refuse_other_base
from convert.lora.merge import refuse_misfit
from convert.quantization.quantize import QuantType, refuse_indivisible
from models.errors import BundleError

T = TypeVar("T")

#: About how many bits a weight takes with its scales, all tensors together; measured on Llama shapes.
BITS_PER_WEIGHT = {QuantType.Q4_K_M: 4.9, QuantType.Q5_K_M: 5.8, QuantType.Q6_K: 6.6, QuantType.Q8_0: 8.5}

#: Python with torch and transformers, before any weights.
TORCH_BYTES = 500 << 20

#: Python with numpy and gguf.
PLAIN_BYTES = 150 << 20

#: Bytes per element while one tensor is merged, checked and written: base, update, comparison and stored form.
TENSOR_BYTES = 9


@dataclass(frozen=True, slots=True)
class Plan:
    """The figures are estimates; those of memory are of the largest process of a stage.

    Attributes:
        base: id of the base.
        architecture: Hugging Face class name; empty if it could not be read.
        parameters: weights.
        float_bytes: size of the float GGUF.
        quantized_bytes: size of the quantised GGUF.
        merge_ram_bytes: peak memory of merging and writing.
        check_ram_bytes: peak memory of the comparison with transformers.
        disk_bytes: what work folder and bundle will take.
        disk_free_bytes: what there is.
        refusals: everything that would be refused; empty if nothing.
    """

    base: str
    architecture: str
    parameters: int
    float_bytes: int
    quantized_bytes: int
    merge_ram_bytes: int
    check_ram_bytes: int
    disk_bytes: int
    disk_free_bytes: int
    refusals: tuple[str, ...]

    def require(self) -> None:
        """Raise if anything would be refused.

        Raises:
            InputError: says all of it.
        """
        if self.refusals:
            raise InputError("\n".join(self.refusals))

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


class _Refusals:
    """Collects what is refused, and goes on."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def of(self, action: Callable[[], T]) -> T | None:
        """The action's result, or None if it was refused."""
        try:
            return action()
        except (ConvertError, BundleError) as error:
            self.found.append(str(error))
            return None


def make_plan(config: RunConfig, find_base: Callable[[], Base]) -> Plan:
    """Look at everything that the run will read.

    Args:
        config: the run's options.
        find_base: finds the base, such as ``resolve_base`` with its arguments.
    """
    refusals = _Refusals()
    base = refusals.of(find_base)
    source = None if base is None else refusals.of(lambda: read_source(base.folder, config.precision))
    if base is not None:
        refusals.of(lambda: read_chat(base.folder, config.system_prompt))
        refusals.of(lambda: _look_at_adapter(config, base))
    if source is not None:
        shapes = {plan.target: plan.source.shape for plan in source.tensors}
        refusals.of(lambda: refuse_indivisible(shapes, config.quant))
        refusals.of(lambda: _refuse_context(config, source))
    refusals.of(lambda: read_licences(config.licences).require(config.licences, adapter=config.adapter is not None))
    refusals.of(lambda: _look_at_guard(config))
    refusals.of(lambda: refuse_extras(config.extras))
    refusals.of(lambda: _refuse_missing(config.data, config.evaluation))
    return _figures(config, base, source, refusals)


def _figures(config: RunConfig, base: Base | None, source: GgufSource | None, refusals: _Refusals) -> Plan:
    sizes = [plan.source.elements for plan in source.tensors] if source else []
    total = sum(sizes)
    quantized = int(total * BITS_PER_WEIGHT[config.quant] / 8)
    float_bytes = source.bytes if source else 0
    disk = float_bytes + 2 * quantized
    free = shutil.disk_usage(_existing(config.work_folder)).free
    if disk > free:
        refusals.found.append(
            f"{config.work_folder}: {free} bytes free; the run takes about {disk}; free some or pass --work"
        )
    logits = 2 * 4 * config.positions * (source.config.vocab if source else 0)
    return Plan(
        base=base.id if base else config.base,
        architecture=source.config.architecture if source else "",
        parameters=total,
        float_bytes=float_bytes,
        quantized_bytes=quantized,
        merge_ram_bytes=PLAIN_BYTES + TENSOR_BYTES * max(sizes, default=0),
        check_ram_bytes=TORCH_BYTES + 4 * total + logits,
        disk_bytes=disk,
        disk_free_bytes=free,
        refusals=tuple(refusals.found),
    )


def _look_at_adapter(config: RunConfig, base: Base) -> None:
    if config.adapter is None:
        return
    adapter = read_adapter(config.adapter)
    refuse_other_base(adapter, base)
    refs = index_folder(base.folder)
    refuse_misfit(adapter, refs, tied="lm_head.weight" not in refs)


def _look_at_guard(config: RunConfig) -> None:
    if config.guard is not None:
        read_guard(config.guard)
    elif config.guard_checkpoint is None:
        raise InputError(
            "no guard: expected --guard FOLDER (an exported one) or --guard-checkpoint FILE; bundles have one"
        )
    else:
        _refuse_missing(config.guard_checkpoint, config.guard_tokenizer, config.guard_samples)


def _refuse_context(config: RunConfig, source: GgufSource) -> None:
    limit = source.config.context_tokens
    if config.context_tokens is not None and not 0 < config.context_tokens <= limit:
        raise InputError(f"context_tokens is {config.context_tokens}; the model takes 1 to {limit}")


def _refuse_missing(*paths: Path | None) -> None:
    for path in paths:
        if path is not None and not path.exists():
            raise InputError(f"{path}: no such file or folder")


def _existing(path: Path) -> Path:
    """The nearest folder above that is there."""
    path = path.resolve()
    while not path.exists():
        path = path.parent
    return path
