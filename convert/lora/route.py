"""Which way an adapter goes, by the fields of its ``adapter_config.json`` and the kinds of its tensors.

A plain LoRA streams: it is added while the weights pass, tensor by tensor. What changes a model in another way that
PEFT can fold into the weights goes through PEFT, with the whole model in memory. All else is refused by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from convert.errors import InputError, UnsupportedError

#: Fields that the stream reads.
_READ = frozenset({"r", "lora_alpha", "use_rslora", "rank_pattern", "alpha_pattern", "base_model_name_or_path"})

#: Fields that matter in training only, or that only say which tensors there are (the tensors themselves are counted).
_HARMLESS = frozenset(
    {
        *("auto_mapping", "eva_config", "exclude_modules", "inference_mode", "init_lora_weights", "layers_pattern"),
        *("layers_to_transform", "lora_dropout", "megatron_core", "peft_type", "peft_version", "qalora_group_size"),
        *("revision", "runtime_config", "target_modules", "task_type"),
    }
)

#: Fields whose effect PEFT folds into the weights and the stream does not.
_PEFT = frozenset({"use_dora", "modules_to_save", "trainable_token_indices", "ensure_weight_tying"})

#: Fields that nothing here can fold in, and what to do about them; a field in no table is refused as well.
_REFUSED: Mapping[str, str] = {
    "bias": "the model would need biases that its architecture has no place for; train it with bias='none'",
    "lora_bias": "the model would need biases that its architecture has no place for; train it with lora_bias=False",
    "layer_replication": "the model would have other blocks than its base; build that base first, then train on it",
    "fan_in_fan_out": "it stands for transposed layers, which no known architecture has; train it with False",
    "alora_invocation_tokens": "an adapter that is on for a part of a text only cannot be merged",
}

#: Initialisations that change the base's own weights: such an adapter is a difference from another base.
_MOVES_BASE = ("pissa", "olora", "corda", "loftq", "lora_ga")

#: A factor of a linear layer; what ``PeftModel.save_pretrained`` calls it.
FACTOR = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_(?P<side>[AB])\.weight")

#: DoRA's magnitudes of one linear layer.
MAGNITUDE = re.compile(r"base_model\.model\.(?P<module>.+)\.lora_magnitude_vector(\.weight)?")

_EMBEDDING = re.compile(r"base_model\.model\..+\.lora_embedding_[AB]")
_TOKENS = re.compile(r"base_model\.model\..+\.(token_adapter\.)?trainable_tokens_delta")


def fields_through_peft(config: Mapping[str, object], path: Path) -> tuple[str, ...]:
    """The fields for which an adapter must go through PEFT; empty if it streams.

    Args:
        config: ``adapter_config.json``.
        path: where it lies, for messages.

    Raises:
        UnsupportedError: it is no LoRA, or a field is set that is in no table; names it.
    """
    if config.get("peft_type") != "LORA":
        raise UnsupportedError(
            f"{path}: peft_type is {config.get('peft_type')!r}; expected 'LORA'; train a LoRA, or merge this adapter "
            "with PEFT's merge_and_unload and convert the model folder that this gives"
        )
    init = config.get("init_lora_weights")
    if isinstance(init, str) and init.startswith(_MOVES_BASE):
        raise UnsupportedError(
            f"{path}: init_lora_weights is {init!r}, which changes the base itself; expected an adapter of the "
            "unchanged base; save it again with PEFT's save_pretrained(path_initial_model_for_weight_conversion=…)"
        )
    for name, value in config.items():
        if value and value != "none" and name not in _READ | _HARMLESS | _PEFT:
            why = _REFUSED.get(name, "this version does not know what that does; train a LoRA, rsLoRA or DoRA")
            raise UnsupportedError(f"{path}: {name} is {value!r}; {why}")
    return tuple(sorted(name for name in _PEFT if config.get(name)))


def tensors_through_peft(names: Iterable[str], config: Mapping[str, object], path: Path) -> tuple[str, ...]:
    """The tensors for which an adapter must go through PEFT; those that its configuration does not explain are refused.

    Args:
        names: of all tensors that are no factor of a linear layer.
        config: ``adapter_config.json``.
        path: of the weights, for messages.

    Raises:
        InputError: a module that was saved as a whole has no tensor.
        UnsupportedError: names a tensor that nothing would apply.
    """
    saved = _saved_modules(config)
    explained = [_EMBEDDING]
    explained += [MAGNITUDE] if config.get("use_dora") else []
    explained += [_TOKENS] if config.get("trainable_token_indices") else []
    explained += [_saved(name) for name in saved]
    found = []
    for name in names:
        if not any(pattern.fullmatch(name) for pattern in explained):
            raise UnsupportedError(
                f"{path}: {name} is no LoRA factor of a linear layer, and no field of the configuration says what it "
                "does; nothing would apply it; copy the adapter again or save it again with PEFT's save_pretrained"
            )
        found.append(name)
    lost = [name for name in saved if not any(_saved(name).fullmatch(tensor) for tensor in found)]
    if lost:
        raise InputError(f"{path}: holds no tensor of {lost[0]}, which modules_to_save names; copy the adapter again")
    return tuple(found)


def _saved_modules(config: Mapping[str, object]) -> tuple[str, ...]:
    saved = config.get("modules_to_save")
    return tuple(str(name) for name in saved) if isinstance(saved, list) else ()


def _saved(module: str) -> re.Pattern[str]:
    """Tensors of a module that was trained and saved as a whole."""
    return re.compile(rf"base_model\.model\.(.+\.)?{re.escape(module)}\.(.+\.)?(weight|bias)")
