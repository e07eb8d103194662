"""The stages of a build, in order: each a function from the job and what is made so far to what is to be done."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

from convert.build.bundle import GUARD_JSON, pack, read_guard
from convert.build.calibration import calibrate, calibration_files, guidance_record, texts_of
from convert.build.config import RunConfig
from convert.build.encoder import EMBED_FILES, EMBED_JSON, embed_sources, take_encoder, with_encoder
from convert.build.job import Job, Made
from convert.build.spec import make_spec
from convert.build.stages import Stage, digests
from convert.checkpoint.jsonfile import read_json
from convert.errors import InputError
from convert.fidelity.check import CheckOptions, check
from convert.fidelity.texts import check_texts
from convert.files import atomic_folder, write_json
from convert.gguf.source import read_source
from convert.gguf.writer import write_gguf
from convert.lora.merging import merging
from convert.quantization.imatrix import read_imatrix
from convert.quantization.quantize import Guidance, quantize
from convert.quantization.search import SearchOptions, read_types, search_types, write_types
from models.bundle import GUARD, GUARD_TOKENIZER, MODEL
from models.manifest import MANIFEST

Step = Callable[[Job, Made], Stage]


def guard_step(job: Job, made: Made) -> Stage:
    """Take in an exported guard, or export one from a checkpoint."""
    config = job.config
    names = (GUARD, GUARD_TOKENIZER, GUARD_JSON)
    sources = [config.guard / name for name in names[:2]] if config.guard else _guard_files(config)
    known = asdict(read_guard(config.guard)) if config.guard else None
    inputs = job.inputs(sources=digests(sources), known=known)
    return Stage("guard", inputs, tuple(job.guard / name for name in names), lambda: _take_guard(job))


def _take_guard(job: Job) -> None:
    config = job.config
    if config.guard is not None:
        with atomic_folder(job.guard) as folder:
            for name in (GUARD, GUARD_TOKENIZER):
                shutil.copyfile(config.guard / name, folder / name)
            write_json(folder / GUARD_JSON, asdict(read_guard(config.guard)))
        return
    from convert.guard.exported import export_checkpoint  # torch loads only when a checkpoint is exported

    export_checkpoint(*_guard_inputs(config), job.guard, job.progress)


def embed_step(job: Job, made: Made) -> Stage:
    """Take in an exported sentence encoder, or export one."""
    source = job.config.embed
    if source is None:
        raise InputError("no encoder; expected --embed FOLDER")
    outputs = tuple(job.embed / name for name in EMBED_FILES)
    return Stage(
        "embed", job.inputs(**embed_sources(source)), outputs, lambda: take_encoder(source, job.embed, job.progress)
    )


def gguf_step(job: Job, made: Made) -> Stage:
    """Merge the adapter and write the float GGUF."""
    config = job.config

    def action() -> None:
        with merging(job.base, job.adapter, job.work / ".merged", job.progress) as (folder, patch):
            source = read_source(folder, config.precision, config.bundle_name)
            write_gguf(source, job.float_gguf, patch, job.progress)

    inputs = job.inputs(**job.model_inputs(), name=config.bundle_name, precision=config.precision.value)
    return Stage("gguf", inputs, (job.float_gguf,), action)


def imatrix_step(job: Job, made: Made) -> Stage:
    """Compute the importance matrix; it covers every matrix, or the stage fails."""
    config = job.config
    inputs = job.inputs(
        gguf=made["gguf"], texts=digests(calibration_files(config.data)), tokens=config.calibration_tokens
    )
    return Stage("imatrix", inputs, (job.imatrix, job.calibration), lambda: calibrate(job))


def types_step(job: Job, made: Made) -> Stage:
    """Search a type for every tensor."""
    config = job.config
    options = SearchOptions(quant=config.quant, threads=config.threads)

    def action() -> None:
        texts = texts_of(config.data)
        write_types(search_types(job.float_gguf, read_imatrix(job.imatrix), texts, options, job.progress), job.types)

    inputs = job.inputs(
        gguf=made["gguf"],
        imatrix=made["imatrix"],
        texts=digests(calibration_files(config.data)),
        options=asdict(replace(options, threads=0)),
    )
    return Stage("types", inputs, (job.types,), action)


def quantize_step(job: Job, made: Made) -> Stage:
    """Quantise it, guided by what the stages before have found."""
    config = job.config

    def action() -> None:
        types = read_types(job.types).types if config.search_types else {}
        guidance = Guidance(job.imatrix if config.calibrated else None, types)
        quantize(job.float_gguf, job.model, config.quant, config.threads, job.progress, guidance=guidance)

    guided = {name: made.get(name) for name in ("imatrix", "types")}
    inputs = job.inputs(source=made["gguf"], quant=config.quant.value, **guided)
    return Stage("quantize", inputs, (job.model,), action)


def check_step(job: Job, made: Made) -> Stage:
    """Compare both GGUFs with transformers."""
    config = job.config
    options = CheckOptions(positions=config.positions, threads=config.threads)

    def action() -> None:
        texts = check_texts(config.data)
        report = check(job.base.folder, config.adapter, job.float_gguf, job.model, texts, options, job.progress)
        write_json(job.report, report.to_dict())
        report.require()

    inputs = job.inputs(
        **job.model_inputs(),
        gguf=made["gguf"],
        quantized=made["quantize"],
        data=digests(calibration_files(config.data)),
        positions=options.positions,
        row_tokens=options.row_tokens,
    )
    return Stage("check", inputs, (job.report,), action)


def pack_step(job: Job, made: Made) -> Stage:
    """Put the bundle together."""
    config = with_encoder(job.config, job.embed)
    checks = {**read_json(job.report), "quantization": guidance_record(job, made)}
    if job.config.embed is not None:
        checks["embed"] = read_json(job.embed / EMBED_JSON)
    spec = make_spec(config, job.base, job.model, job.guard, checks)
    inputs = job.inputs(
        made={name: made[name] for name in sorted(made)},
        extras=digests(config.extras),
        spec=asdict(spec) | {"model": "", "guard": "", "extras": ""},
    )
    names = (MODEL, GUARD, GUARD_TOKENIZER, MANIFEST, *(path.name for path in config.extras))
    return Stage("pack", inputs, tuple(config.out / name for name in names), lambda: pack(spec, config.out))


def _always(config: RunConfig) -> bool:
    return True


#: Every stage sees what those before it have made. A new one is a function above and a place here with its condition.
STEPS: tuple[tuple[Step, Callable[[RunConfig], bool]], ...] = (
    (guard_step, _always),
    (embed_step, lambda config: config.embed is not None),
    (gguf_step, _always),
    (imatrix_step, lambda config: config.calibrated),
    (types_step, lambda config: config.search_types),
    (quantize_step, _always),
    (check_step, _always),
    (pack_step, _always),
)


def steps_of(config: RunConfig) -> list[Step]:
    """The steps that this build takes."""
    return [step for step, wanted in STEPS if wanted(config)]


def _guard_inputs(config: RunConfig) -> tuple[Path, Path, Path | None]:
    """Checkpoint, tokenizer and calibration samples of a guard to export."""
    if config.guard_checkpoint is None:
        raise InputError("no guard; expected --guard FOLDER or --guard-checkpoint FILE")
    return config.guard_checkpoint, config.guard_tokenizer or config.guard_checkpoint.parent, config.guard_samples


def _guard_files(config: RunConfig) -> list[Path]:
    """The files behind an exported guard."""
    checkpoint, tokenizer, samples = _guard_inputs(config)
    words = (
        sorted(path for path in tokenizer.iterdir() if path.suffix in (".json", ".txt"))
        if tokenizer.is_dir()
        else [tokenizer]
    )
    return [checkpoint, *words, *([samples] if samples else [])]
