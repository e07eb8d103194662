"""``config.json`` as numbers: the shape of a model, with the defaults that transformers fills in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from convert.checkpoint import read_json
from convert.errors import InputError, UnsupportedError

T = TypeVar("T")

#: Rotary scaling that the writer knows; ``llama3``, ``yarn`` and others are refused by name.
ROPE_TYPES = ("default", "linear")


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """What the GGUF's keys say of the model.

    Attributes:
        architecture: the Hugging Face class name.
        layers: number of blocks.
        context_tokens: longest context that it was trained for.
        hidden: width of the residual stream.
        feed_forward: width inside the MLP.
        heads: attention heads.
        kv_heads: heads of keys and values.
        head_dim: width of one head.
        vocab: rows of the embedding.
        rms_eps: epsilon of the norms.
        rope_theta: base of the rotary frequencies.
        rope_type: one of ROPE_TYPES.
        rope_factor: for ``linear``, by how much positions are divided; else 1.
        tied: whether the head is the embedding.
    """

    architecture: str
    layers: int
    context_tokens: int
    hidden: int
    feed_forward: int
    heads: int
    kv_heads: int
    head_dim: int
    vocab: int
    rms_eps: float
    rope_theta: float
    rope_type: str
    rope_factor: float
    tied: bool

    @property
    def sizes(self) -> Mapping[str, int]:
        """Names of dimensions, as the tensor tables use them -> size."""
        return {
            "vocab": self.vocab,
            "hidden": self.hidden,
            "ff": self.feed_forward,
            "q": self.heads * self.head_dim,
            "kv": self.kv_heads * self.head_dim,
        }


def read_config(folder: Path) -> ModelConfig:
    """Read ``config.json``.

    Raises:
        InputError: it is missing, malformed, or a field is missing or of the wrong type.
        UnsupportedError: the model uses something that the writer does not know.
    """
    path = folder / "config.json"
    raw = read_json(path)
    architectures = raw.get("architectures")
    if not isinstance(architectures, list) or len(architectures) != 1 or not isinstance(architectures[0], str):
        raise InputError(f"{path}: architectures is {architectures!r}; expected a list of one class name")
    if raw.get("quantization_config"):
        raise UnsupportedError(f"{path}: a quantised checkpoint; expected float weights; convert the original model")
    if raw.get("hidden_act", "silu") != "silu":
        raise UnsupportedError(f"{path}: hidden_act is {raw['hidden_act']!r}; expected 'silu'")
    rope_type, rope_theta, rope_factor = _rope(raw, path)
    hidden, heads = _get(raw, "hidden_size", int, path), _get(raw, "num_attention_heads", int, path)
    if heads <= 0 or hidden % heads:
        raise InputError(f"{path}: hidden_size {hidden} does not divide by num_attention_heads {heads}")
    return ModelConfig(
        architecture=architectures[0],
        layers=_get(raw, "num_hidden_layers", int, path),
        context_tokens=_get(raw, "max_position_embeddings", int, path, 2048),
        hidden=hidden,
        feed_forward=_get(raw, "intermediate_size", int, path),
        heads=heads,
        kv_heads=_get(raw, "num_key_value_heads", int, path, heads),
        head_dim=_get(raw, "head_dim", int, path, hidden // heads),
        vocab=_get(raw, "vocab_size", int, path),
        rms_eps=_get(raw, "rms_norm_eps", float, path, 1e-6),
        rope_theta=rope_theta,
        rope_type=rope_type,
        rope_factor=rope_factor,
        tied=_get(raw, "tie_word_embeddings", bool, path, False),
    )


def _rope(raw: Mapping[str, object], path: Path) -> tuple[str, float, float]:
    """Type, base and factor: in ``rope_parameters`` (transformers 5) or ``rope_theta`` and ``rope_scaling`` (4)."""
    scaling = raw.get("rope_parameters") or raw.get("rope_scaling") or {}
    if not isinstance(scaling, dict):
        raise InputError(f"{path}: rope parameters are {scaling!r}; expected an object")
    kind = scaling.get("rope_type") or scaling.get("type") or "default"
    if kind not in ROPE_TYPES:
        raise UnsupportedError(f"{path}: rotary scaling of type {kind!r}; expected one of {', '.join(ROPE_TYPES)}")
    theta = _get({**raw, **scaling}, "rope_theta", float, path, 10000.0)
    return kind, theta, _get(scaling, "factor", float, path, None if kind == "linear" else 1.0)


def _get(raw: Mapping[str, object], name: str, kind: type[T], path: Path, default: T | None = None) -> T:
    value = raw.get(name)
    if value is None:
        if default is None:
            raise InputError(f"{path}: has no {name}; expected {kind.__name__}")
        return default
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)  # type: ignore[return-value]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InputError(f"{path}: {name} is {value!r}; expected {kind.__name__}")
    return value
