"""Detoxify's checkpoints: read one and rebuild its model from what the checkpoint itself says, asking no hub.

Layout (https://github.com/unitaryai/detoxify, ``detoxify/detoxify.py`` and ``configs/``): ``state_dict`` of a
``…ForSequenceClassification``; ``config.arch.args`` with ``num_classes``, ``model_type``, ``model_name`` and
``tokenizer_name``; ``config.dataset.args.classes``, and for the variants trained against bias ``identity_classes``,
whose outputs follow those of ``classes`` and are not reported.

The tensors tell the model's shape but for the number of attention heads and, where layers share their weights, of
layers. Those stand in SHAPES by ``model_type``, or in the checkpoint under ``config.arch.shape``.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
import transformers

from convert.errors import InputError, UnsupportedError
from models.errors import ManifestError
from models.fields import Fields

State = Mapping[str, torch.Tensor]

#: Names in Detoxify's first models -> names in all others (``change_names`` in its source).
RENAMED = {"toxic": "toxicity", "identity_hate": "identity_attack", "severe_toxic": "severe_toxicity"}


@dataclass(frozen=True, slots=True)
class Family:
    """A transformers architecture.

    Attributes:
        config: its configuration class.
        prefix: of its tensors' names.
        wide: name of the tensor whose rows are the feed-forward width.
        head: name of the tensor whose rows are the outputs.
        fixed: configuration in which the published models differ from the class's defaults.
        segments: whether the model takes ``token_type_ids``.
    """

    config: type[transformers.PretrainedConfig]
    prefix: str
    wide: str = "encoder.layer.0.intermediate.dense.weight"
    head: str = "classifier.weight"
    fixed: Mapping[str, object] = field(default_factory=dict)
    segments: bool = True


_ROBERTA = {"layer_norm_eps": 1e-5, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2}

#: ``model_name`` -> what it is. A further architecture is a further row.
FAMILIES: Mapping[str, Family] = {
    "BertForSequenceClassification": Family(transformers.BertConfig, "bert"),
    "RobertaForSequenceClassification": Family(
        transformers.RobertaConfig, "roberta", head="classifier.out_proj.weight", fixed=_ROBERTA, segments=False
    ),
    "XLMRobertaForSequenceClassification": Family(
        transformers.XLMRobertaConfig, "roberta", head="classifier.out_proj.weight", fixed=_ROBERTA, segments=False
    ),
    "AlbertForSequenceClassification": Family(
        transformers.AlbertConfig,
        "albert",
        wide="encoder.albert_layer_groups.0.albert_layers.0.ffn.weight",
        fixed={"hidden_act": "gelu_new"},
    ),
}

#: ``model_type`` -> what its tensors do not tell, from the published ``config.json``.
SHAPES: Mapping[str, Mapping[str, int]] = {
    "bert-base-uncased": {"num_attention_heads": 12},
    "roberta-base": {"num_attention_heads": 12},
    "xlm-roberta-base": {"num_attention_heads": 12},
    "albert-base-v2": {"num_attention_heads": 12, "num_hidden_layers": 12},
    "nreimers/MiniLM-L6-H384-uncased": {"num_attention_heads": 12},
}


@dataclass(frozen=True, slots=True)
class Detoxifier:
    """A loaded checkpoint.

    Attributes:
        model: in evaluation mode, eager attention, float32; token ids (B, T) in, logits (B, outputs) out.
        labels: names of the first outputs; further outputs are not reported.
        segments: whether the model takes ``token_type_ids``.
        vocabulary: rows of the word embedding.
        tokens: longest input.
    """

    model: transformers.PreTrainedModel
    labels: tuple[str, ...]
    segments: bool
    vocabulary: int
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
        dataset = fields.child("config").child("dataset").child("args")
        unreported = dataset.items("identity_classes", str) if dataset.has("identity_classes") else ()
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
    _check_labels(path, labels, unreported, outputs, len(_tensor(state, family.head, path)))
    config = family.config(num_labels=outputs, **{**family.fixed, **_measured(family, state, path), **shape})
    reserved = 0 if family.segments else int(config.pad_token_id) + 1  # RoBERTa's positions begin after the padding's
    return Detoxifier(
        model=_build(name, config, state, path),
        labels=labels,
        segments=family.segments,
        vocabulary=int(config.vocab_size),
        tokens=int(config.max_position_embeddings) - reserved,
    )


def _unpickled(path: Path, *, trusted: bool) -> object:
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a Detoxify checkpoint (.ckpt)")
    try:
        return torch.load(path, map_location="cpu", weights_only=not trusted)
    except pickle.UnpicklingError as error:
        remedy = "copy it again" if trusted else "if its origin is known, export it with `convert guard --trusted`"
        raise InputError(
            f"{path}: not only tensors and plain values ({str(error).splitlines()[0]}); {remedy}"
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error}); expected a Detoxify checkpoint; copy it again") from error


def _check_labels(path: Path, labels: tuple[str, ...], unreported: tuple[str, ...], outputs: int, rows: int) -> None:
    """Names, configured outputs and the head's rows must agree, or scores would be given to the wrong names."""
    if not labels or len(set(labels)) != len(labels):
        raise InputError(f"{path}: classes {list(labels)}; expected one or more different names")
    if outputs != rows:
        raise InputError(f"{path}: num_classes is {outputs}, but the head has {rows} outputs; expected the same")
    if outputs not in (len(labels), len(labels) + len(unreported)):
        raise InputError(
            f"{path}: {outputs} outputs for {len(labels)} classes and {len(unreported)} identity_classes; "
            "expected as many"
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
    weights = {key: tensor for key, tensor in state.items() if not key.endswith("position_ids")}
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
