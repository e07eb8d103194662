"""Tiny real checkpoints: a SentencePiece vocabulary trained on fixture pairs, and Llamas with random weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

from convert.demo.tokenizer import train_tokenizer
from tests.guards.tiny_classifier import THRESHOLDS, classifier_onnx, tokenizer_json
from tests.paths import DATA

PAIRS = DATA / "convert" / "pairs.jsonl"
VOCAB = 420


def write_tokenizer(folder: Path) -> None:
    """A BPE vocabulary with byte fallback, like Llama's, and the files around it."""
    texts = [text for line in PAIRS.read_text(encoding="utf-8").splitlines() for text in json.loads(line).values()]
    train_tokenizer(texts, folder, VOCAB)


def llama_config(**changes: object) -> LlamaConfig:
    """Two blocks of width 256, grouped heads."""
    shape: dict[str, object] = {
        "vocab_size": VOCAB,
        "hidden_size": 256,
        "intermediate_size": 512,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "rms_norm_eps": 1e-5,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 2,
        "tie_word_embeddings": False,
    }
    return LlamaConfig(**{**shape, **changes})


def write_base(
    folder: Path,
    tokenizer: Path,
    seed: int = 0,
    dtype: torch.dtype = torch.float32,
    echo: float = 0.0,
    **changes: object,
) -> Path:
    """Random weights; with ``echo`` it likes to repeat the last token, so that rounding decides nothing."""
    torch.manual_seed(seed)
    model = LlamaForCausalLM(llama_config(**changes))
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    if echo:
        model.lm_head.weight.data += echo * model.model.embed_tokens.weight.data
    model.to(dtype).save_pretrained(folder)
    for name in ("tokenizer.model", "tokenizer_config.json"):
        shutil.copy(tokenizer / name, folder / name)
    return folder


def shard(folder: Path, out: Path) -> Path:
    """The same checkpoint in two safetensors files with an index."""
    shutil.copytree(folder, out)
    tensors = load_file(out / "model.safetensors")
    (out / "model.safetensors").unlink()
    names = sorted(tensors)
    parts = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for part, held in parts.items():
        save_file({name: tensors[name] for name in held}, out / part, metadata={"format": "pt"})
    weight_map = {name: part for part, held in parts.items() for name in held}
    index = {"metadata": {}, "weight_map": dict(sorted(weight_map.items()))}
    (out / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    return out


def write_adapter(base: Path, out: Path, seed: int = 1, **changes: object) -> Path:
    """A LoRA adapter with random factors, as PEFT saves it."""
    torch.manual_seed(seed)
    settings: dict[str, object] = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "task_type": "CAUSAL_LM"}
    model = get_peft_model(
        LlamaForCausalLM.from_pretrained(base, dtype=torch.float32), LoraConfig(**{**settings, **changes})
    )
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = 0.05 * torch.randn_like(parameter)
    model.save_pretrained(out, save_embedding_layers=False)
    return out


def write_guard(folder: Path) -> Path:
    """An exported guard: the classifier of a few KB."""
    folder.mkdir()
    (folder / "guard.onnx").write_bytes(classifier_onnx())
    (folder / "guard-tokenizer.json").write_bytes(tokenizer_json())
    record = {"labels": list(THRESHOLDS), "thresholds": THRESHOLDS, "calibration": {"how": "set by hand"}}
    (folder / "guard.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def write_licences(path: Path, without: Iterable[str] = ()) -> Path:
    """A licence file that covers everything, but for what is left out."""
    rows = [
        {"covers": covers, "name": "pairs", "spdx": "Apache-2.0", "source": "tests/data/convert"}
        for covers in ("base", "adapter", "guard", "data")
        if covers not in set(without)
    ]
    path.write_text(json.dumps({"training_sets": ["pairs"], "licences": rows}), encoding="utf-8")
    return path
