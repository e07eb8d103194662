"""The whole conversion: merge and write the GGUF, quantise, take in the guard, check, pack; each stage once."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from convert.base import Base, resolve_base
from convert.build.bundle import GUARD_JSON, pack, read_guard, tool_versions
from convert.build.config import RunConfig
from convert.build.plan import make_plan
from convert.build.spec import make_spec
from convert.build.stages import Outcome, Stage, Workshop, digests
from convert.checkpoint import read_json
from convert.errors import InputError
from convert.fidelity.check import CheckOptions, check
from convert.fidelity.texts import check_texts
from convert.files import atomic_folder, write_json
from convert.gguf.source import GgufSource, read_source
from convert.gguf.writer import write_gguf
from convert.lora.adapter import CONFIG, WEIGHTS, Adapter, read_adapter
from convert.lora.merge import LoraPatch
from convert.progress import Progress, silent
from convert.quantization.quantize import quantize
from models.bundle import GUARD, GUARD_TOKENIZER, MODEL
from models.manifest import MANIFEST

#: Raised when a stage comes to mean something else, so that older records no longer hold.
STAGES_VERSION = 1

#: Small files of the base that decide about the bundle.
_BASE_FILES = (
    *("config.json", "generation_config.json", "tokenizer.model", "tokenizer.json", "tokenizer_config.json"),
    *("added_tokens.json", "special_tokens_map.json", "chat_template.jinja", "README.md"),
)


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run did.

    Attributes:
        bundle: the verified folder.
        done: stages that were done.
        skipped: stages whose records held.
        checks: what the check found.
    """

    bundle: Path
    done: tuple[str, ...]
    skipped: tuple[str, ...]
    checks: Mapping[str, object]


def run(config: RunConfig, progress: Progress = silent) -> RunResult:
    """Build the bundle, or what is left of it; the same configuration gives the same bytes.

    Raises:
        InputError: something would be refused; then nothing has been written.
        QuantizeError: llama.cpp failed.
        CheckError: the result fell short; ``check.json`` in the work folder has the figures.
    """
    base = resolve_base(config.base, config.revision)
    make_plan(config, lambda: base).require()
    return _Run(config, base, progress).all()


class _Run:
    """One run: what it knows of its inputs, and its stages."""

    def __init__(self, config: RunConfig, base: Base, progress: Progress) -> None:
        self._config = config
        self._base = base
        self._progress = progress
        self._source: GgufSource = read_source(base.folder, config.precision, config.bundle_name)
        self._adapter: Adapter | None = read_adapter(config.adapter) if config.adapter else None
        self._work = config.work_folder
        self._float = self._work / f"model-{config.precision}.gguf"
        self._model = self._work / MODEL
        self._guard = self._work / "guard"
        self._report = self._work / "check.json"

    def all(self) -> RunResult:
        """Every stage in order."""
        shop = Workshop(self._work)
        outcomes: list[Outcome] = []
        made: dict[str, object] = {}
        for stage in (self._guard_stage, self._gguf_stage, self._quantize_stage, self._check_stage, self._pack_stage):
            outcome = shop.run(stage(made))
            made[outcome.name] = dict(outcome.outputs)
            outcomes.append(outcome)
        return RunResult(
            bundle=self._config.out,
            done=tuple(outcome.name for outcome in outcomes if outcome.done),
            skipped=tuple(outcome.name for outcome in outcomes if not outcome.done),
            checks=read_json(self._report),
        )

    def _inputs(self, **own: object) -> dict[str, object]:
        return {"version": STAGES_VERSION, "tools": tool_versions(), **own}

    def _model_inputs(self) -> dict[str, object]:
        base, adapter = self._base, self._adapter
        small = [base.folder / name for name in _BASE_FILES if (base.folder / name).is_file()]
        return {
            "base": {"weights": base.sha256, "name": base.folder.resolve().name, **digests(small)},
            "adapter": None if adapter is None else digests([adapter.folder / CONFIG, adapter.folder / WEIGHTS]),
        }

    def _guard_stage(self, made: Mapping[str, object]) -> Stage:
        config = self._config
        names = (GUARD, GUARD_TOKENIZER, GUARD_JSON)
        sources = [config.guard / name for name in names[:2]] if config.guard else _guard_files(config)
        known = asdict(read_guard(config.guard)) if config.guard else None
        inputs = self._inputs(sources=digests(sources), known=known)
        return Stage("guard", inputs, tuple(self._guard / name for name in names), self._take_guard)

    def _take_guard(self) -> None:
        config = self._config
        if config.guard is not None:
            with atomic_folder(self._guard) as folder:
                for name in (GUARD, GUARD_TOKENIZER):
                    shutil.copyfile(config.guard / name, folder / name)
                write_json(folder / GUARD_JSON, asdict(read_guard(config.guard)))
            return
        from convert.guard.exported import export_checkpoint  # torch loads only when a checkpoint is exported

        export_checkpoint(*_guard_inputs(config), self._guard, self._progress)

    def _gguf_stage(self, made: Mapping[str, object]) -> Stage:
        def action() -> None:
            patch = LoraPatch(self._adapter) if self._adapter else None
            write_gguf(self._source, self._float, patch, self._progress)

        inputs = self._inputs(
            **self._model_inputs(), name=self._config.bundle_name, precision=self._config.precision.value
        )
        return Stage("gguf", inputs, (self._float,), action)

    def _quantize_stage(self, made: Mapping[str, object]) -> Stage:
        config = self._config

        def action() -> None:
            quantize(self._float, self._model, config.quant, config.threads, self._progress)

        return Stage("quantize", self._inputs(source=made["gguf"], quant=config.quant.value), (self._model,), action)

    def _check_stage(self, made: Mapping[str, object]) -> Stage:
        config = self._config
        options = CheckOptions(positions=config.positions, threads=config.threads)

        def action() -> None:
            report = check(
                self._base.folder,
                config.adapter,
                self._float,
                self._model,
                check_texts(config.data),
                options,
                self._progress,
            )
            write_json(self._report, report.to_dict())
            report.require()

        inputs = self._inputs(
            **self._model_inputs(),
            gguf=made["gguf"],
            quantized=made["quantize"],
            data=digests(_data_files(config.data)),
            positions=options.positions,
            row_tokens=options.row_tokens,
        )
        return Stage("check", inputs, (self._report,), action)

    def _pack_stage(self, made: Mapping[str, object]) -> Stage:
        config = self._config
        spec = make_spec(config, self._base, self._model, self._guard, read_json(self._report))
        inputs = self._inputs(
            made={name: made[name] for name in ("guard", "quantize", "check")},
            extras=digests(config.extras),
            spec=asdict(spec) | {"model": "", "guard": "", "extras": ""},
        )
        names = (MODEL, GUARD, GUARD_TOKENIZER, MANIFEST, *(path.name for path in config.extras))
        return Stage("pack", inputs, tuple(config.out / name for name in names), lambda: pack(spec, config.out))


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


def _data_files(data: Path | None) -> list[Path]:
    """The files behind the check's texts."""
    if data is None or data.is_file():
        return [data] if data else []
    return sorted((data / "support").glob("*.jsonl"))
