"""Detoxify's checkpoints: read one and rebuild its model from what the checkpoint itself says, asking no hub.

Layout (https://github.com/unitaryai/detoxify, ``detoxify/detoxify.py`` and ``configs/``): ``state_dict`` of a
``…ForSequenceClassification``; ``config.arch.args`` with ``num_classes``, ``model_type``, ``model_name`` and
``tokenizer_name``; ``config.dataset.args.classes``, and for the variants trained against bias ``identity_classes``,
whose outputs follow those of ``classes`` and are not reported.

``num_main_classes`` beside ``arch`` says how many outputs are reported where ``identity_classes`` does not.

The tensors tell the model's shape but for the number of attention heads and, where layers share their weights, of
layers. Those stand in ``convert.guard.families`` by ``model_type``, or in the checkpoint under ``config.arch.shape``.
"""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
import transformers

from convert.errors import InputError, UnsupportedError
from convert.guard.families import FAMILIES, SHAPES, Family
from models.errors import ManifestError
from models.fields import Fields

State = Mapping[str, torch.Tensor]

#: The remedy where a checkpoint contradicts itself.
_ASK = "take the checkpoint as it was published or saved by its training"

#: Names in Detoxify's first models -> names in all others (``change_names`` in its source).
RENAMED = {"toxic": "toxicity", "identity_hate": "identity_attack", "severe_toxic": "severe_toxicity"}


@dataclass(frozen=True, slots=True)
class Detoxifier:
    """A loaded checkpoint.

    Attributes:
        model: in evaluation mode, eager attention, float32; token ids (B, T) in, logits (B, outputs) out.
        labels: names of the first outputs; further outputs are not reported.
        segments: whether the model takes ``token_type_ids``.
        vocabulary: rows of the word embedding.
        padding: id of the padding.
        tokens: longest input.
    """

    model: transformers.PreTrainedModel
    labels: tuple[str, ...]
    segments: bool
    vocabulary: int
    padding: int
    tokens: int


def load_detoxify(path: Path, *, trusted: bool = False) -> Detoxifier:
    """Read a checkpoint.

    Args:
        path: the ``.ckpt`` file, a pickle.
        trusted: unpickle any object; that can run code, so only for a file whose origin is known.

    Raises:
        InputError: it cannot be read, lacks a field, or its labels, outputs and tensors disagree.
        UnsupportedError: an architecture that neither FAMILIES nor SHAPES has.
    """
    try:
        fields = Fields(_unpickled(path, trusted=trusted), str(path))
        arch = fields.child("config").child("arch")
        args = arch.child("args")
        whole = fields.child("config")
        dataset = whole.child("dataset").child("args")
        main = whole.get("num_main_classes", int) if whole.has("num_main_classes") else None
        unreported = len(dataset.items("identity_classes", str)) if dataset.has("identity_classes") else 0
        labels = tuple(RENAMED.get(name, name) for name in dataset.items("classes", str))
        name, kind, outputs = args.get("model_name", str), args.get("model_type", str), args.get("num_classes", int)
        state: State = fields.get("state_dict", dict)
        shape = arch.get("shape", dict) if arch.has("shape") else SHAPES.get(kind)
    except ManifestError as error:
        raise InputError(str(error).rpartition(";")[0] + "; is it a Detoxify checkpoint?") from error
    if name not in FAMILIES:
        raise UnsupportedError(f"{path}: model_name is {name!r}; expected one of {', '.join(FAMILIES)}")
    if shape is None:
        raise UnsupportedError(
            f"{path}: model_type is {kind!r}; expected one of {', '.join(SHAPES)}, or num_attention_heads under "
            "config.arch.shape"
        )
    family = FAMILIES[name]
    if main == len(labels):
        unreported = max(unreported, outputs - main)
    _check_labels(path, labels, unreported, outputs, len(_tensor(state, family.head, path)))
    _refuse_not_finite(state, path)
    config = family.config(num_labels=outputs, **{**family.fixed, **_measured(family, state, path), **shape})
    reserved = 0 if family.segments else int(config.pad_token_id) + 1  # RoBERTa's positions begin after the padding's
    return Detoxifier(
        model=_build(name, config, state, path),
        labels=labels,
        segments=family.segments,
        vocabulary=int(config.vocab_size),
        padding=int(config.pad_token_id),
        tokens=int(config.max_position_embeddings) - reserved,
    )


def _unpickled(path: Path, *, trusted: bool) -> object:
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a Detoxify checkpoint (.ckpt)")
    try:
        return torch.load(path, map_location="cpu", weights_only=not trusted)
    except pickle.UnpicklingError as error:
        remedy = "if its origin is known, export it with `convert guard --trusted`"
        if trusted or not zipfile.is_zipfile(path):  # torch has saved archives for years; what is none is likely cut
            remedy = "copy it again"
        raise InputError(
            f"{path}: not only tensors and plain values ({str(error).splitlines()[0]}); {remedy}"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); expected a Detoxify checkpoint; copy it again") from error


def _check_labels(path: Path, labels: tuple[str, ...], unreported: int, outputs: int, rows: int) -> None:
    """Names, configured outputs and the head's rows must agree, or scores would be given to the wrong names."""
    if not labels or len(set(labels)) != len(labels):
        raise InputError(f"{path}: classes {list(labels)}; expected one or more different names; {_ASK}")
    if outputs != rows:
        raise InputError(
            f"{path}: num_classes is {outputs}, but the head has {rows} outputs; expected the same; {_ASK}"
        )
    if outputs not in (len(labels), len(labels) + unreported):
        raise InputError(
            f"{path}: {outputs} outputs for {len(labels)} classes and {unreported} that are not reported; "
            f"expected as many; {_ASK}"
        )


def _refuse_not_finite(state: State, path: Path) -> None:
    """NaN in one weight makes every score NaN, and a score that is NaN reaches no threshold."""
    for name, tensor in state.items():
        if isinstance(tensor, torch.Tensor) and not bool(torch.isfinite(tensor).all()):
            bad = int((~torch.isfinite(tensor)).sum())
            raise InputError(
                f"{path}: {name} holds {bad} NaN or infinite values of {tensor.numel()}; expected finite weights; "
                "copy or train the checkpoint again"
            )


def _tensor(state: State, name: str, path: Path) -> torch.Tensor:
    found = state.get(name)
    if not isinstance(found, torch.Tensor) or found.ndim != 2:
        raise InputError(f"{path}: state_dict has no matrix {name!r}; expected one; is the checkpoint complete?")
    return found


def _measured(family: Family, state: State, path: Path) -> dict[str, int]:
    """What the tensors' shapes say of the configuration."""

    def size(name: str) -> tuple[int, int]:
        rows, columns = _tensor(state, f"{family.prefix}.{name}", path).shape
        return rows, columns

    vocabulary, width = size("embeddings.word_embeddings.weight")
    made = {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "max_position_embeddings": size("embeddings.position_embeddings.weight")[0],
        "type_vocab_size": size("embeddings.token_type_embeddings.weight")[0],
        "intermediate_size": size(family.wide)[0],
    }
    layers = {name.split(".")[3] for name in state if name.startswith(f"{family.prefix}.encoder.layer.")}
    if layers:
        return made | {"num_hidden_layers": len(layers)}
    return made | {"embedding_size": width, "hidden_size": size("encoder.embedding_hidden_mapping_in.weight")[0]}


def _build(name: str, config: transformers.PretrainedConfig, state: State, path: Path) -> transformers.PreTrainedModel:
    """The model with the checkpoint's weights, all of them and no others."""
    config._attn_implementation = "eager"  # what the ONNX exporter traces
    model = getattr(transformers, name)(config).float().eval()
    # position_ids were saved by earlier transformers; they are derived now
    unused = FAMILIES[name].unused
    weights = {k: tensor for k, tensor in state.items() if not k.endswith("position_ids") and not k.startswith(unused)}
    try:
        missing, unknown = model.load_state_dict(weights, strict=False)
    except RuntimeError as error:  # a tensor of another shape
        raise InputError(f"{path}: {str(error).splitlines()[-1].strip()}; is the checkpoint complete?") from error
    if missing or unknown:
        listed = ", ".join([*missing, *unknown][:3])
        raise InputError(
            f"{path}: {len(missing)} tensors missing and {len(unknown)} unknown ({listed}); expected {name}'s"
        )
    return model
