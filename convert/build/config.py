"""What a conversion is told to do: one frozen set of options, from a TOML file or from the command line."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from convert.build.licences import read_table
from convert.chat import SYSTEM_PROMPT
from convert.errors import InputError
from convert.gguf.tensors import Precision
from convert.quantization.quantize import QuantType


@dataclass(frozen=True, slots=True)
class RunConfig:
    """Options of ``convert run``; the fields are the keys of its TOML file. Relative paths are relative to that file.

    Attributes:
        base: a Hugging Face folder or a hub id.
        out: the bundle folder to write.
        licences: the licence file.
        guard: folder of an exported guard (guard.onnx, guard-tokenizer.json, guard.json), or a bundle to take it from.
        guard_checkpoint: a Detoxify checkpoint to export, instead of ``guard``.
        guard_tokenizer: its tokenizer.json or vocab.txt; beside the checkpoint if not given.
        guard_samples: JSON Lines to calibrate its thresholds on.
        adapter: folder of a PEFT LoRA adapter to merge.
        revision: of the hub's model; for a folder, what to call its state.
        base_id: what to call the base in the manifest; the hub id or the folder's name if not given.
        name: of the bundle; the last part of ``out`` if not given.
        description: what the bundle is.
        demonstration: whether it is a demonstration model.
        data: held-out texts to check with: a folder of support data, a CSV or a JSONL.
        extras: further files to carry.
        evaluation: a JSON file of ``convert evaluate`` whose figures go into the manifest.
        work: work folder; ``.build/NAME`` in the current folder if not given.
        system_prompt: the bundle's system prompt.
        precision: of the float GGUF.
        quant: quantisation of the model.
        imatrix: whether quantising weights its rounding by an importance matrix, computed on the float GGUF from the
            training side of ``data`` and general text; Q8_0 has no use for one unless types are searched.
        calibration_tokens: how many tokens it reads.
        search_types: whether a type is searched for every tensor at the mixture's bytes. Off, because such a model
            loses less but decodes about 30 % slower than the stock mixture on a CPU.
        embed: a sentence encoder for search: a folder (or a bundle) with embed.onnx and embed-tokenizer.json, or an
            encoder's own folder to export.
        context_tokens: context to serve with; the model's own, at most 2048, if not given.
        positions: token positions to compare logits at.
        threads: 0 takes all cores.
    """

    base: str
    out: Path
    licences: Path
    guard: Path | None = None
    guard_checkpoint: Path | None = None
    guard_tokenizer: Path | None = None
    guard_samples: Path | None = None
    adapter: Path | None = None
    revision: str | None = None
    base_id: str | None = None
    name: str = ""
    description: str = ""
    demonstration: bool = False
    data: Path | None = None
    extras: tuple[Path, ...] = ()
    evaluation: Path | None = None
    work: Path | None = None
    system_prompt: str = SYSTEM_PROMPT
    precision: Precision = Precision.F16
    quant: QuantType = QuantType.Q4_K_M
    imatrix: bool = True
    calibration_tokens: int = 20000
    search_types: bool = False
    embed: Path | None = None
    context_tokens: int | None = None
    positions: int = 2000
    threads: int = 0

    @property
    def bundle_name(self) -> str:
        """The bundle's name."""
        return self.name or self.out.resolve().name

    @property
    def work_folder(self) -> Path:
        """Where intermediate files and records lie."""
        return self.work or Path(".build") / self.bundle_name

    @property
    def calibrated(self) -> bool:
        """Whether an importance matrix is computed: llama.cpp rounds to Q8_0 without looking at one."""
        return self.imatrix and (self.search_types or self.quant is not QuantType.Q8_0)


REQUIRED = ("base", "out", "licences")


def read_run_config(path: Path) -> RunConfig:
    """Read a TOML (or JSON) file.

    Raises:
        InputError: it is missing or malformed, a key is unknown or missing, or a value is of another type.
    """
    return make_run_config(dict(read_table(path)), source=str(path), folder=path.parent)


def make_run_config(values: Mapping[str, object], source: str, folder: Path = Path()) -> RunConfig:
    """Validate values by name.

    Args:
        values: key -> string, number, boolean or list of strings.
        source: where they come from, for messages.
        folder: what relative paths are relative to.

    Raises:
        InputError: names the key.
    """
    kinds = typing.get_type_hints(RunConfig)
    unknown = sorted(set(values) - set(kinds))
    if unknown:
        raise InputError(f"{source}: unknown key {unknown[0]!r}; expected some of {', '.join(kinds)}")
    missing = [name for name in REQUIRED if not values.get(name)]
    if missing:
        raise InputError(f"{source}: {missing[0]} is missing; expected {', '.join(REQUIRED)} at least")
    made = {name: _value(name, values[name], kinds[name], source, folder) for name in values}
    if made.get("guard") and made.get("guard_checkpoint"):
        raise InputError(f"{source}: both guard and guard_checkpoint; expected one of them")
    base = folder / str(made["base"])
    return RunConfig(**{**made, "base": str(base) if base.is_dir() else made["base"]})  # type: ignore[arg-type]


def _value(name: str, value: object, kind: object, source: str, folder: Path) -> object:
    """One value as its field wants it."""
    options = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if value is None and type(None) in options:
        return None
    wanted = options[0]
    if wanted is Path and isinstance(value, str | Path):
        return folder / value
    if typing.get_origin(wanted) is tuple and isinstance(value, list | tuple):
        return tuple(folder / str(item) for item in value)
    if isinstance(wanted, type) and issubclass(wanted, Precision | QuantType) and isinstance(value, str):
        if value not in [member.value for member in wanted]:
            raise InputError(f"{source}: {name} is {value!r}; expected one of {', '.join(wanted)}")
        return wanted(value)
    if isinstance(wanted, type) and isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool)):
        return value
    raise InputError(f"{source}: {name} is {value!r}; expected {getattr(wanted, '__name__', wanted)}")
