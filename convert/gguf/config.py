"""``config.json`` as numbers: the shape of a model, with the defaults that transformers fills in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from convert.checkpoint.jsonfile import read_json
from convert.errors import InputError, UnsupportedError
from convert.gguf.families import Family, family_of
from convert.gguf.fields import get
from convert.gguf.gptq import GptqSettings, read_gptq
from convert.gguf.rope import Rope, read_rope


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
        states_head_dim: whether the GGUF says that width.
        vocab: rows of the embedding.
        rms_eps: epsilon of the norms.
        rope: rotary positions.
        tied: whether the head is the embedding.
        gptq: how its weights are packed; None if they are floats.
    """

    architecture: str
    layers: int
    context_tokens: int
    hidden: int
    feed_forward: int
    heads: int
    kv_heads: int
    head_dim: int
    states_head_dim: bool
    vocab: int
    rms_eps: float
    rope: Rope
    tied: bool
    gptq: GptqSettings | None

    @property
    def sizes(self) -> Mapping[str, int]:
        """Names of dimensions, as the tensor tables use them -> size."""
        return {
            "vocab": self.vocab,
            "hidden": self.hidden,
            "ff": self.feed_forward,
            "q": self.heads * self.head_dim,
            "kv": self.kv_heads * self.head_dim,
            "head": self.head_dim,
        }


def read_config(folder: Path) -> ModelConfig:
    """Read ``config.json``.

    Raises:
        InputError: it is missing, malformed, or a field is missing or of the wrong type.
        UnsupportedError: the model is of no known family, or uses something that the writer does not know.
    """
    path = folder / "config.json"
    raw = read_json(path)
    architectures = raw.get("architectures")
    if not isinstance(architectures, list) or len(architectures) != 1 or not isinstance(architectures[0], str):
        raise InputError(f"{path}: architectures is {architectures!r}; expected a list of one class name")
    family = family_of(architectures[0])
    _refuse_unknown(raw, path)
    hidden, heads = get(raw, "hidden_size", int, path), get(raw, "num_attention_heads", int, path)
    if heads <= 0 or hidden % heads:
        raise InputError(f"{path}: hidden_size {hidden} does not divide by num_attention_heads {heads}")
    head_dim = get(raw, "head_dim", int, path, family.defaults.get("head_dim", hidden // heads))
    return ModelConfig(
        architecture=architectures[0],
        layers=get(raw, "num_hidden_layers", int, path),
        context_tokens=get(raw, "max_position_embeddings", int, path, family.defaults["max_position_embeddings"]),
        hidden=hidden,
        feed_forward=get(raw, "intermediate_size", int, path),
        heads=heads,
        kv_heads=_kv_heads(raw, heads, family, path),
        head_dim=head_dim,
        states_head_dim=family.derives_head_dim or "head_dim" in family.defaults or raw.get("head_dim") is not None,
        vocab=get(raw, "vocab_size", int, path),
        rms_eps=get(raw, "rms_norm_eps", float, path, 1e-6),
        rope=read_rope(raw, family.rope_types, path),
        tied=get(raw, "tie_word_embeddings", bool, path, False),
        gptq=read_gptq(raw, path),
    )


def _kv_heads(raw: Mapping[str, object], heads: int, family: Family, path: Path) -> int:
    """A null means ``heads``; a field that is not there at all means the family's default."""
    default = heads if "num_key_value_heads" in raw else family.defaults.get("num_key_value_heads", heads)
    return get(raw, "num_key_value_heads", int, path, default)


def _refuse_unknown(raw: Mapping[str, object], path: Path) -> None:
    if raw.get("hidden_act", "silu") != "silu":
        raise UnsupportedError(f"{path}: hidden_act is {raw['hidden_act']!r}; expected 'silu'")
    if raw.get("use_sliding_window"):
        raise UnsupportedError(
            f"{path}: use_sliding_window is {raw['use_sliding_window']!r}; llama.cpp computes full attention for this "
            "family; set it to false if the contexts stay within the window"
        )
