"""A PEFT LoRA adapter, read and understood completely, or refused by the name of what is not understood."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from convert.base import HUB_ID, Base
from convert.checkpoint.jsonfile import read_json
from convert.checkpoint.safetensors import index_file
from convert.checkpoint.weights import TensorRef
from convert.errors import InputError, UnsupportedError
from convert.lora.route import FACTOR, MAGNITUDE, fields_through_peft, tensors_through_peft
from models.bundle import sha256_of

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"

#: Written by ``convert finetune`` beside the adapter: how it was trained and on which base.
TRAINING = "training.json"


@dataclass(frozen=True, slots=True)
class LoraPair:
    """The update of one matrix: ``scale * B @ A``.

    Attributes:
        a: factor A, shape (rank, columns).
        b: factor B, shape (rows, rank).
        scale: alpha / rank, or alpha / sqrt(rank) with rsLoRA (https://arxiv.org/abs/2312.03732).
    """

    a: TensorRef
    b: TensorRef
    scale: float

    @property
    def rank(self) -> int:
        """Rows of A, columns of B."""
        return self.a.shape[0]


@dataclass(frozen=True, slots=True)
class Adapter:
    """A whole adapter.

    Attributes:
        folder: where it lies.
        config: ``adapter_config.json`` as it is.
        pairs: name of the base's tensor -> its update.
        through_peft: fields and tensors that only PEFT can fold into the weights; empty for a plain LoRA, whose
            ``pairs`` are all there is to it.
        sha256: of its weights.
    """

    folder: Path
    config: Mapping[str, object]
    pairs: Mapping[str, LoraPair]
    through_peft: tuple[str, ...]
    sha256: str

    def require_plain(self, what: str) -> None:
        """Raise unless ``pairs`` are all there is to the adapter.

        Args:
            what: what cannot be done otherwise, for the message.

        Raises:
            UnsupportedError: names what else there is.
        """
        if self.through_peft:
            raise UnsupportedError(
                f"{self.folder}: has {', '.join(self.through_peft[:3])}; {what} takes a plain LoRA (or rsLoRA, "
                "rank_pattern, alpha_pattern) only; merge this adapter with `python -m convert merge`"
            )


def read_adapter(folder: Path) -> Adapter:
    """Read an adapter's configuration and tensor headers.

    Raises:
        InputError: a file is missing or damaged, or a tensor is missing or of the wrong shape.
        UnsupportedError: nothing here can fold it into the weights; names the field or tensor.
    """
    config = read_json(folder / CONFIG)
    fields = fields_through_peft(config, folder / CONFIG)
    refs = index_file(folder / WEIGHTS)
    if not refs:
        raise InputError(f"{folder / WEIGHTS}: holds no tensors; expected LoRA factors; copy the adapter again")
    factors: dict[str, dict[str, TensorRef]] = {}
    others: list[str] = []
    for name, ref in refs.items():
        if match := FACTOR.fullmatch(name):
            factors.setdefault(match["module"], {})[match["side"]] = ref
        else:
            others.append(name)
    tensors = tensors_through_peft(others, config, folder / WEIGHTS)
    pairs = {f"{module}.weight": _pair(module, sides, config, folder) for module, sides in factors.items()}
    if config.get("use_dora"):
        _refuse_lost_magnitudes(set(factors), others, folder)
    return Adapter(folder, config, pairs, fields + tensors, sha256_of(folder / WEIGHTS))


def refuse_other_base(adapter: Adapter, base: Base) -> None:
    """Refuse an adapter that says it was trained on another base.

    A sha256 in TRAINING decides; without one, two different hub ids do (hubs do not tell capitals apart). What neither
    can tell, the shapes do (``convert.lora.merge.refuse_misfit``).

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
    if HUB_ID.fullmatch(named) and HUB_ID.fullmatch(base.id) and named.casefold() != base.id.casefold():
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
    """The value for a module: of the first pattern that matches its name or the end of it after a dot.

    That is how PEFT matches: ``peft.utils.other.get_pattern_key``.
    """
    table = config.get(patterns) or {}
    value = config.get(default)
    if isinstance(table, Mapping):
        try:
            value = next((v for key, v in table.items() if re.fullmatch(rf"(.*\.)?({key})", module)), value)
        except re.error as error:
            raise InputError(
                f"{folder / CONFIG}: {patterns} holds a pattern that is no regular expression ({error}); "
                "copy the adapter again"
            ) from error
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise InputError(f"{folder / CONFIG}: {default} of {module} is {value!r}; expected a number above 0")
    return float(value)


def _refuse_lost_magnitudes(modules: set[str], others: list[str], folder: Path) -> None:
    """DoRA has one vector of magnitudes for every pair of factors; PEFT would silently go on with its initial ones."""
    found = {match["module"] for name in others if (match := MAGNITUDE.fullmatch(name))}
    if found != modules:
        raise InputError(
            f"{folder / WEIGHTS}: use_dora is set, and {min(found ^ modules)} has not both factors and "
            "lora_magnitude_vector; copy the adapter again"
        )
