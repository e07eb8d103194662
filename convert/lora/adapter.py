"""A PEFT LoRA adapter, read and understood completely, or refused by the name of what is not understood."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from convert.base import HUB_ID, Base
from convert.checkpoint import TensorRef, index_file, read_json
from convert.errors import InputError, UnsupportedError
from models.bundle import sha256_of

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"

#: Written by ``convert finetune`` beside the adapter: how it was trained and on which base.
TRAINING = "training.json"

#: Fields of adapter_config.json that the merge reads.
_READ = frozenset({"r", "lora_alpha", "use_rslora", "rank_pattern", "alpha_pattern", "base_model_name_or_path"})

#: Fields that matter in training only, or that only say which tensors there are (the tensors themselves are counted).
_HARMLESS = frozenset(
    {
        *("auto_mapping", "exclude_modules", "inference_mode", "layers_pattern", "layers_to_transform", "lora_dropout"),
        *("megatron_core", "peft_type", "peft_version", "qalora_group_size", "revision", "runtime_config"),
        *("target_modules", "task_type"),
    }
)

#: Initialisations that change the base's own weights: such an adapter is a difference from another base.
_MOVES_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")

_FACTOR = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight")


@dataclass(frozen=True, slots=True)
class LoraPair:
    """The update of one matrix: ``scale * B @ A``.

    Attributes:
        a: factor A, shape (rank, columns).
        b: factor B, shape (rows, rank).
        scale: alpha / rank, or alpha / sqrt(rank) with rsLoRA.
    """

    a: TensorRef
    b: TensorRef
    scale: float


@dataclass(frozen=True, slots=True)
class Adapter:
    """A whole adapter.

    Attributes:
        folder: where it lies.
        config: ``adapter_config.json`` as it is.
        pairs: name of the base's tensor -> its update.
        sha256: of its weights.
    """

    folder: Path
    config: Mapping[str, object]
    pairs: Mapping[str, LoraPair]
    sha256: str


def read_adapter(folder: Path) -> Adapter:
    """Read an adapter's configuration and tensor headers.

    Raises:
        InputError: a file is missing or damaged, or a factor is missing or of the wrong shape.
        UnsupportedError: it is no plain LoRA; names the field or tensor.
    """
    config = read_json(folder / CONFIG)
    refuse_unknown(config, folder / CONFIG)
    factors: dict[str, dict[str, TensorRef]] = {}
    for name, ref in index_file(folder / WEIGHTS).items():
        match = _FACTOR.fullmatch(name)
        if match is None:
            raise UnsupportedError(
                f"{folder / WEIGHTS}: {name} is no LoRA factor of a linear layer and cannot be merged; "
                "merge this adapter with PEFT's merge_and_unload and convert the result"
            )
        factors.setdefault(match["module"], {})[match["side"]] = ref
    if not factors:
        raise InputError(f"{folder / WEIGHTS}: holds no tensors; expected LoRA factors")
    pairs = {f"{module}.weight": _pair(module, sides, config, folder) for module, sides in factors.items()}
    return Adapter(folder, config, pairs, sha256_of(folder / WEIGHTS))


def refuse_unknown(config: Mapping[str, object], path: Path) -> None:
    """Let only plain LoRA through; a field that this version does not know must be off.

    Raises:
        UnsupportedError: names the field.
    """
    if config.get("peft_type") != "LORA":
        raise UnsupportedError(f"{path}: peft_type is {config.get('peft_type')!r}; expected 'LORA'")
    init = config.get("init_lora_weights")
    if isinstance(init, str) and init.startswith(_MOVES_BASE):
        raise UnsupportedError(f"{path}: init_lora_weights {init!r} changes the base; use PEFT")
    allowed = _READ | _HARMLESS | {"init_lora_weights"}
    for name, value in config.items():
        if name not in allowed and value and value != "none":
            raise UnsupportedError(
                f"{path}: {name} is {value!r}; expected a plain LoRA (or rsLoRA, rank_pattern, alpha_pattern); "
                "merge this adapter with PEFT's merge_and_unload and convert the result"
            )


def refuse_other_base(adapter: Adapter, base: Base) -> None:
    """Refuse an adapter that says it was trained on another base.

    A sha256 in TRAINING decides; without one, two different hub ids do.

    Raises:
        InputError: it was trained on another one.
    """
    if (adapter.folder / TRAINING).is_file():
        trained_on = read_json(adapter.folder / TRAINING).get("base_sha256")
        if trained_on is not None and trained_on != base.sha256:
            raise InputError(
                f"{adapter.folder}: trained on a base with sha256 {trained_on}; {base.folder} has {base.sha256}; "
                "pass the base that it was trained on"
            )
        return
    named = str(adapter.config.get("base_model_name_or_path") or "")
    if HUB_ID.fullmatch(named) and HUB_ID.fullmatch(base.id) and named != base.id:
        raise InputError(f"{adapter.folder}: trained on {named}; the base is {base.id}; pass --base {named}")


def _pair(module: str, sides: Mapping[str, TensorRef], config: Mapping[str, object], folder: Path) -> LoraPair:
    if set(sides) != {"A", "B"}:
        raise InputError(f"{folder / WEIGHTS}: {module} has only lora_{''.join(sides)}; copy the adapter again")
    a, b = sides["A"], sides["B"]
    rank = _by_pattern(config, "rank_pattern", module, "r", folder)
    if len(a.shape) != 2 or len(b.shape) != 2 or a.shape[0] != rank or b.shape[1] != rank:
        raise InputError(
            f"{folder / WEIGHTS}: {module} has factors {list(a.shape)} and {list(b.shape)}; "
            f"{CONFIG} says rank {rank:g}; copy the adapter again"
        )
    alpha = _by_pattern(config, "alpha_pattern", module, "lora_alpha", folder)
    return LoraPair(a, b, alpha / (math.sqrt(rank) if config.get("use_rslora") else rank))


def _by_pattern(config: Mapping[str, object], patterns: str, module: str, default: str, folder: Path) -> float:
    """The value for a module: PEFT takes the first pattern that matches the name or its end."""
    table = config.get(patterns) or {}
    value = config.get(default)
    if isinstance(table, Mapping):
        value = next((v for key, v in table.items() if re.fullmatch(rf"(.*\.)?({key})", module)), value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise InputError(f"{folder / CONFIG}: {default} of {module} is {value!r}; expected a number above 0")
    return float(value)
