"""Which architectures are known, and what becomes of each of their tensors: tables, no logic per model.

Target names and the two permuted projections follow llama.cpp's converter (conversion/llama.py of the pinned release).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
        ignored: endings of names that carry no weights of their own.
    """

    gguf: str
    rows: tuple[TensorRow, ...]
    ignored: tuple[str, ...] = ()


_BLOCK, _BLK = "model.layers.{i}.", "blk.{i}."

LLAMA_ROWS = (
    TensorRow("model.embed_tokens.weight", "token_embd.weight", ("vocab", "hidden")),
    TensorRow("model.norm.weight", "output_norm.weight", ("hidden",)),
    TensorRow("lm_head.weight", "output.weight", ("vocab", "hidden"), head=True),
    TensorRow(_BLOCK + "input_layernorm.weight", _BLK + "attn_norm.weight", ("hidden",)),
    TensorRow(_BLOCK + "self_attn.q_proj.weight", _BLK + "attn_q.weight", ("q", "hidden"), Permute.HEADS),
    TensorRow(_BLOCK + "self_attn.k_proj.weight", _BLK + "attn_k.weight", ("kv", "hidden"), Permute.KV_HEADS),
    TensorRow(_BLOCK + "self_attn.v_proj.weight", _BLK + "attn_v.weight", ("kv", "hidden")),
    TensorRow(_BLOCK + "self_attn.o_proj.weight", _BLK + "attn_output.weight", ("hidden", "q")),
    TensorRow(_BLOCK + "post_attention_layernorm.weight", _BLK + "ffn_norm.weight", ("hidden",)),
    TensorRow(_BLOCK + "mlp.gate_proj.weight", _BLK + "ffn_gate.weight", ("ff", "hidden")),
    TensorRow(_BLOCK + "mlp.up_proj.weight", _BLK + "ffn_up.weight", ("ff", "hidden")),
    TensorRow(_BLOCK + "mlp.down_proj.weight", _BLK + "ffn_down.weight", ("hidden", "ff")),
)

FAMILIES: Mapping[str, Family] = {
    "LlamaForCausalLM": Family("llama", LLAMA_ROWS, ignored=(".rotary_emb.inv_freq",)),
}


def family_of(architecture: str) -> Family:
    """The table for a Hugging Face class name.

    Raises:
        UnsupportedError: there is none.
    """
    if architecture not in FAMILIES:
        raise UnsupportedError(f"architecture {architecture!r}; expected one of {', '.join(sorted(FAMILIES))}")
    return FAMILIES[architecture]
