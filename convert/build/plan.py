"""What a conversion will take and everything that would be refused, found without writing anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TypeVar

from convert.base import Base
from convert.build.bundle import read_chat, read_guard, refuse_extras
from convert.build.calibration import refuse_tokens, shortage
from convert.build.config import RunConfig
from convert.build.encoder import look_at_encoder, refuse_second_encoder
from convert.build.estimate import TIME_BASIS, Sizes, StageEstimate, estimate
from convert.build.licences import read_licences
from convert.build.room import disk_of, folder_bytes, ram_of
from convert.checkpoint.folder import index_folder
from convert.checkpoint.jsonfile import read_json
from convert.errors import ConvertError, InputError
from convert.gguf.source import GgufSource, read_source
from convert.gguf.writer import BLOCK_ELEMENTS
from convert.lora.adapter import Adapter, read_adapter, refuse_other_base
from convert.lora.merge import refuse_misfit
from convert.lora.merging import peft_ram_bytes
from convert.progress import Progress, silent
from convert.quantization.quantize import refuse_indivisible
from models.bundle import GUARD, GUARD_TOKENIZER
from models.errors import BundleError
from models.manifest import EMBED, EMBED_TOKENIZER

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Plan:
    """The figures are estimates; those of memory are of the largest process of a stage.

    Attributes:
        base: id of the base.
        architecture: Hugging Face class name; empty if it could not be read.
        parameters: weights.
        float_bytes: size of the float GGUF.
        quantized_bytes: size of the quantised GGUF.
        stages: memory, disk and time of each stage.
        time_basis: where the times come from.
        ram_bytes: the largest of the stages' memory.
        ram_available_bytes: what is free now.
        disk_bytes: what work folder and bundle will take beyond what they hold already.
        disk_free_bytes: what is free where the work folder lies.
        warnings: what would be done, though not without loss or doubt.
        refusals: everything that would be refused; empty if nothing.
    """

    base: str
    architecture: str
    parameters: int
    float_bytes: int
    quantized_bytes: int
    stages: tuple[StageEstimate, ...]
    time_basis: str
    ram_bytes: int
    ram_available_bytes: int
    disk_bytes: int
    disk_free_bytes: int
    warnings: tuple[str, ...]
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
    """Collects what is refused and what is doubtful, and goes on."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.warnings: list[str] = []

    def of(self, action: Callable[[], T]) -> T | None:
        """The action's result, or None if it was refused."""
        try:
            return action()
        except (ConvertError, BundleError) as error:
            self.add(str(error))
        except OSError as error:  # a folder that may not be read
            self.add(f"{error.filename or 'a file'}: {error.strerror}; make it readable")
        return None

    def add(self, text: str) -> None:
        """Once, though two looks may find the same."""
        if text not in self.found:
            self.found.append(text)


def make_plan(
    config: RunConfig, find_base: Callable[[], Base], *, thorough: bool = False, progress: Progress = silent
) -> Plan:
    """Look at everything that the run will read.

    Args:
        config: the run's options.
        find_base: finds the base, such as ``resolve_base`` with its arguments.
        thorough: also read every weight, which must be finite, and every text.
        progress: told while weights are read.
    """
    refusals = _Refusals()
    base = refusals.of(find_base)
    source = None if base is None else refusals.of(lambda: read_source(base.folder, config.precision))
    adapter = None if config.adapter is None else refusals.of(lambda: read_adapter(config.adapter))  # type: ignore[arg-type]
    if base is not None:
        refusals.of(lambda: read_chat(base.folder, config.system_prompt))
    if base is not None and adapter is not None:
        refusals.of(lambda: refuse_other_base(adapter, base))
        refusals.of(lambda: _refuse_misfit(adapter, base))
    if source is not None:
        shapes = {plan.target: plan.source.shape for plan in source.tensors}
        refusals.of(lambda: refuse_indivisible(shapes, config.quant))
        refusals.of(lambda: _refuse_context(config, source))
    refusals.of(lambda: _look_at_licences(config))
    refusals.of(lambda: _look_at_guard(config))
    refusals.of(lambda: refuse_extras(config.extras))
    refusals.of(lambda: _look_at_guidance(config))
    if config.embed is not None:
        refusals.of(lambda: look_at_encoder(config.embed))  # type: ignore[arg-type]
        refusals.of(lambda: refuse_second_encoder(config))
    refusals.of(lambda: _refuse_missing(config))
    if config.evaluation is not None and config.evaluation.exists():
        refusals.of(lambda: read_json(config.evaluation))  # type: ignore[arg-type]
    if thorough:
        _read_everything(config, base, source, adapter, refusals, progress)
    return _figures(config, base, source, adapter, refusals)


def _figures(
    config: RunConfig, base: Base | None, source: GgufSource | None, adapter: Adapter | None, refusals: _Refusals
) -> Plan:
    counts = [plan.source.elements for plan in source.tensors] if source else []
    weights = sum(counts)
    checkpoint = config.guard_checkpoint
    sizes = Sizes(
        weights=weights,
        largest=max(counts, default=0),
        vocab=source.config.vocab if source else 0,
        float_bytes=source.bytes if source else 0,
        peft_ram_bytes=peft_ram_bytes(weights) if adapter is not None and adapter.through_peft else 0,
        positions=config.positions,
        checkpoint_bytes=checkpoint.stat().st_size if checkpoint is not None and checkpoint.is_file() else 0,
        quant=config.quant,
        calibration_tokens=config.calibration_tokens if config.calibrated else 0,
        imatrix_bytes=sum(4 * plan.source.shape[-1] for plan in source.tensors) if source and config.calibrated else 0,
        searched=config.search_types,
        encoder_bytes=folder_bytes(config.embed) if config.embed is not None else 0,
    )
    stages = estimate(sizes)
    disk, ram = disk_of(stages, config.work_folder, config.out), ram_of(stages)
    for text in (*disk.refusals, *ram.refusals):
        refusals.add(text)
    return Plan(
        base=base.id if base else config.base,
        architecture=source.config.architecture if source else "",
        parameters=weights,
        float_bytes=sizes.float_bytes,
        quantized_bytes=sizes.quantized_bytes,
        stages=stages,
        time_basis=TIME_BASIS,
        ram_bytes=ram.needed_bytes,
        ram_available_bytes=ram.free_bytes,
        disk_bytes=disk.needed_bytes,
        disk_free_bytes=disk.free_bytes,
        warnings=(*(source.warnings if source else ()), *refusals.warnings, *ram.warnings),
        refusals=tuple(refusals.found),
    )


def _read_everything(
    config: RunConfig,
    base: Base | None,
    source: GgufSource | None,
    adapter: Adapter | None,
    refusals: _Refusals,
    progress: Progress,
) -> None:
    """Every weight, which must be finite; the tokenizer; the texts to check with and to calibrate on."""
    from convert.fidelity.texts import check_texts
    from convert.tokenizer import encoder, load_tokenizer  # transformers loads only when something is tokenized

    tensors = source.tensors if source else ()
    for number, plan in enumerate(tensors):
        refusals.of(lambda plan=plan: [None for _ in plan.blocks(BLOCK_ELEMENTS)])  # type: ignore[misc]
        progress("read weights", number + 1, len(tensors))
    for pair in adapter.pairs.values() if adapter else ():
        for factor in (pair.a, pair.b):
            refusals.of(factor.read)
    tokenizer = None if base is None else refusals.of(lambda: load_tokenizer(base.folder))
    if config.data is not None and not config.data.exists():
        return
    refusals.of(lambda: check_texts(config.data))
    if tokenizer is not None and config.calibrated:
        short = refusals.of(lambda: shortage(config.data, encoder(tokenizer), config.calibration_tokens))
        refusals.warnings += [short] if short else []


def _refuse_misfit(adapter: Adapter, base: Base) -> None:
    refs = index_folder(base.folder)
    refuse_misfit(adapter, refs, tied="lm_head.weight" not in refs)


def _look_at_licences(config: RunConfig) -> None:
    files = [path.name for path in config.extras] + ([EMBED, EMBED_TOKENIZER] if config.embed is not None else [])
    read_licences(config.licences).require(config.licences, adapter=config.adapter is not None, files=files)


def _look_at_guidance(config: RunConfig) -> None:
    if config.calibrated:
        refuse_tokens(config.calibration_tokens)
    if config.search_types and not config.imatrix:
        raise InputError(
            "search_types without imatrix: the search weighs errors by the importance matrix; leave out --no-imatrix"
        )


def _look_at_guard(config: RunConfig) -> None:
    if config.guard is not None:
        read_guard(config.guard)
        return
    if config.guard_checkpoint is None:
        raise InputError(
            "no guard: expected --guard FOLDER (an exported one) or --guard-checkpoint FILE; bundles have one "
            f"({GUARD}, {GUARD_TOKENIZER})"
        )


def _refuse_context(config: RunConfig, source: GgufSource) -> None:
    limit = source.config.context_tokens
    if config.context_tokens is not None and not 0 < config.context_tokens <= limit:
        raise InputError(
            f"context_tokens is {config.context_tokens}; the model takes 1 to {limit}; pass one of these with "
            "--context-tokens"
        )


def _refuse_missing(config: RunConfig) -> None:
    """All that are missing in one message."""
    given = (config.data, config.evaluation, config.guard_checkpoint, config.guard_tokenizer, config.guard_samples)
    missing = [str(path) for path in given if path is not None and not path.exists()]
    if missing:
        raise InputError(f"{', '.join(missing)}: no such file or folder; correct the path")
