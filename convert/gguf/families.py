"""Which architectures are known, and what becomes of each of their tensors: tables, no logic per model.

Target names, the two permuted projections, defaults and keys follow llama.cpp's converter (conversion/llama.py and
conversion/qwen.py of the pinned release).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from convert.errors import UnsupportedError


class Permute(Enum):
    """By which heads rows are reordered from Hugging Face's rotary layout (halves) to llama.cpp's (pairs)."""

    NONE = "none"
    HEADS = "heads"
    KV_HEADS = "kv_heads"


@dataclass(frozen=True, slots=True)
class TensorRow:
    """One line of a family's table; ``{i}`` stands for the block number.

    Attributes:
        source: name in the checkpoint.
        target: name in the GGUF.
        shape: names of the dimensions (``ModelConfig.sizes``), rows first.
        permute: reordering of the rows.
        head: whether a checkpoint whose head is tied to the embedding may lack it.
    """

    source: str
    target: str
    shape: tuple[str, ...]
    permute: Permute = Permute.NONE
    head: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """One architecture.

    Attributes:
        gguf: the GGUF's ``general.architecture``.
        rows: all its tensors.
        rope_types: rotary scaling that it knows (``convert.gguf.rope``).
        defaults: fields that transformers fills in where ``config.json`` has none.
        derives_head_dim: whether transformers fills in ``head_dim`` as hidden / heads; else the GGUF has the length
            of keys and values only if ``config.json`` says it.
        writes_vocab_size: whether the GGUF says the vocabulary's size and the rotary dimensions.
        ignored: endings of names that carry no weights of their own.
    """

    gguf: str
    rows: tuple[TensorRow, ...]
    rope_types: tuple[str, ...]
    defaults: Mapping[str, int] = field(default_factory=dict)
    derives_head_dim: bool = False
    writes_vocab_size: bool = False
    ignored: tuple[str, ...] = (".rotary_emb.inv_freq", ".attention.masked_bias", ".attention.bias")


_BLOCK, _BLK = "model.layers.{i}.", "blk.{i}."


def _rows(q: Permute = Permute.NONE, k: Permute = Permute.NONE) -> tuple[TensorRow, ...]:
    """What all four have: a gated MLP and grouped attention between two norms."""
    return (
        TensorRow("model.embed_tokens.weight", "token_embd.weight", ("vocab", "hidden")),
        TensorRow("model.norm.weight", "output_norm.weight", ("hidden",)),
        TensorRow("lm_head.weight", "output.weight", ("vocab", "hidden"), head=True),
        TensorRow(_BLOCK + "input_layernorm.weight", _BLK + "attn_norm.weight", ("hidden",)),
        TensorRow(_BLOCK + "self_attn.q_proj.weight", _BLK + "attn_q.weight", ("q", "hidden"), q),
        TensorRow(_BLOCK + "self_attn.k_proj.weight", _BLK + "attn_k.weight", ("kv", "hidden"), k),
        TensorRow(_BLOCK + "self_attn.v_proj.weight", _BLK + "attn_v.weight", ("kv", "hidden")),
        TensorRow(_BLOCK + "self_attn.o_proj.weight", _BLK + "attn_output.weight", ("hidden", "q")),
        TensorRow(_BLOCK + "post_attention_layernorm.weight", _BLK + "ffn_norm.weight", ("hidden",)),
        TensorRow(_BLOCK + "mlp.gate_proj.weight", _BLK + "ffn_gate.weight", ("ff", "hidden")),
        TensorRow(_BLOCK + "mlp.up_proj.weight", _BLK + "ffn_up.weight", ("ff", "hidden")),
        TensorRow(_BLOCK + "mlp.down_proj.weight", _BLK + "ffn_down.weight", ("hidden", "ff")),
    )


_BIASES = (
    TensorRow(_BLOCK + "self_attn.q_proj.bias", _BLK + "attn_q.bias", ("q",)),
    TensorRow(_BLOCK + "self_attn.k_proj.bias", _BLK + "attn_k.bias", ("kv",)),
    TensorRow(_BLOCK + "self_attn.v_proj.bias", _BLK + "attn_v.bias", ("kv",)),
)

_HEAD_NORMS = (
    TensorRow(_BLOCK + "self_attn.q_norm.weight", _BLK + "attn_q_norm.weight", ("head",)),
    TensorRow(_BLOCK + "self_attn.k_norm.weight", _BLK + "attn_k_norm.weight", ("head",)),
)

FAMILIES: Mapping[str, Family] = {
    "LlamaForCausalLM": Family(
        "llama",
        _rows(q=Permute.HEADS, k=Permute.KV_HEADS),
        rope_types=("default", "linear", "llama3"),
        defaults={"max_position_embeddings": 2048},
        derives_head_dim=True,
        writes_vocab_size=True,
    ),
    "Qwen2ForCausalLM": Family(
        "qwen2",
        (*_rows(), *_BIASES),
        rope_types=("default", "linear"),
        defaults={"max_position_embeddings": 32768, "num_key_value_heads": 32},
    ),
    "Qwen3ForCausalLM": Family(
        "qwen3",
        (*_rows(), *_HEAD_NORMS),
        rope_types=("default", "linear"),
        defaults={"max_position_embeddings": 32768, "num_key_value_heads": 32, "head_dim": 128},
    ),
}


def family_of(architecture: str) -> Family:
    """The table for a Hugging Face class name.

    Raises:
        UnsupportedError: there is none.
    """
    if architecture not in FAMILIES:
        raise UnsupportedError(f"architecture {architecture!r}; expected one of {', '.join(sorted(FAMILIES))}")
    return FAMILIES[architecture]
