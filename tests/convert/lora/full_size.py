"""A model folder of TinyLlama-1.1B's exact shape and an r=16 adapter for it: random weights, written without torch."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt
from sentencepiece import sentencepiece_model_pb2 as proto

Shapes = Mapping[str, tuple[int, ...]]

HIDDEN, FF, HEADS, KV_HEADS, BLOCKS, VOCAB = 2048, 5632, 32, 4, 22, 32000
KV = HIDDEN // HEADS * KV_HEADS

CONFIG: Mapping[str, object] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": HIDDEN,
    "intermediate_size": FF,
    "num_hidden_layers": BLOCKS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS,
    "max_position_embeddings": 2048,
    "vocab_size": VOCAB,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "bos_token_id": 1,
    "eos_token_id": 2,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}

#: Linear layers of a block, (rows, columns).
LINEAR: Shapes = {
    "self_attn.q_proj": (HIDDEN, HIDDEN),
    "self_attn.k_proj": (KV, HIDDEN),
    "self_attn.v_proj": (KV, HIDDEN),
    "self_attn.o_proj": (HIDDEN, HIDDEN),
    "mlp.gate_proj": (FF, HIDDEN),
    "mlp.up_proj": (FF, HIDDEN),
    "mlp.down_proj": (HIDDEN, FF),
}

RANK = 16


def write_model(folder: Path, tokenizer: Path, seed: int = 0) -> Path:
    """Write the folder: 1.1 billion bfloat16 weights in one file of 2.2 GB, and the tokenizer's files."""
    folder.mkdir(parents=True)
    shapes: dict[str, tuple[int, ...]] = {
        "lm_head.weight": (VOCAB, HIDDEN),
        "model.embed_tokens.weight": (VOCAB, HIDDEN),
    }
    for block in range(BLOCKS):
        here = f"model.layers.{block}."
        shapes |= {f"{here}{name}.weight": shape for name, shape in LINEAR.items()}
        shapes |= {f"{here}{name}.weight": (HIDDEN,) for name in ("input_layernorm", "post_attention_layernorm")}
    shapes["model.norm.weight"] = (HIDDEN,)
    _write_safetensors(folder / "model.safetensors", shapes, "BF16", 0.02, np.random.default_rng(seed))
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=1), encoding="utf-8")
    for name in ("tokenizer.model", "tokenizer_config.json"):
        shutil.copy(tokenizer / name, folder / name)
    return folder


def write_adapter(folder: Path, seed: int = 1) -> Path:
    """Write an adapter of all linear layers, as PEFT saves it."""
    folder.mkdir(parents=True)
    shapes: dict[str, tuple[int, ...]] = {}
    for block in range(BLOCKS):
        for name, (rows, columns) in LINEAR.items():
            here = f"base_model.model.model.layers.{block}.{name}"
            shapes |= {f"{here}.lora_A.weight": (RANK, columns), f"{here}.lora_B.weight": (rows, RANK)}
    _write_safetensors(folder / "adapter_model.safetensors", shapes, "F32", 0.01, np.random.default_rng(seed))
    config = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": RANK,
        "lora_alpha": 2 * RANK,
        "bias": "none",
        "target_modules": sorted(name.rpartition(".")[2] for name in LINEAR),
    }
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    return folder


def write_llama_tokenizer(folder: Path, vocabulary: Path) -> Path:
    """``tokenizer.model`` from a GGUF that holds only a vocabulary, such as ggml-vocab-llama-spm.gguf of llama.cpp."""
    folder.mkdir(parents=True)
    fields = gguf.GGUFReader(vocabulary).fields
    tokens, scores, types = (fields[f"tokenizer.ggml.{name}"].contents() for name in ("tokens", "scores", "token_type"))
    model = proto.ModelProto()
    for token, score, kind in zip(tokens, scores, types, strict=True):
        model.pieces.add(piece=token, score=score, type=kind)
    model.trainer_spec.model_type = proto.TrainerSpec.BPE
    model.trainer_spec.byte_fallback = True
    model.trainer_spec.vocab_size = len(tokens)
    model.normalizer_spec.name = "identity"
    model.normalizer_spec.remove_extra_whitespaces = False
    (folder / "tokenizer.model").write_bytes(model.SerializeToString())
    config = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def _write_safetensors(path: Path, shapes: Shapes, dtype: str, spread: float, random: np.random.Generator) -> None:
    """Random values around 0, or around 1 for norms; written one tensor at a time."""
    width = {"BF16": 2, "F32": 4}[dtype]
    entries: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name in sorted(shapes):
        begin, end = end, end + width * int(np.prod(shapes[name]))
        entries[name] = {"dtype": dtype, "shape": list(shapes[name]), "data_offsets": [begin, end]}
    header = json.dumps(entries, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for name in sorted(shapes):
            values = random.standard_normal(shapes[name], dtype=np.float32)
            values *= np.float32(spread)
            values += np.float32(1.0 if "norm" in name else 0.0)
            _stored(values, dtype).tofile(file)


def _stored(values: npt.NDArray[np.float32], dtype: str) -> npt.NDArray[np.generic]:
    """Float32 as it is, or cut to bfloat16's 16 bits."""
    return values if dtype == "F32" else (values.view(np.uint32) >> 16).astype(np.uint16)
