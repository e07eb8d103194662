"""Tiny real checkpoints of the byte-level BPE families, and of GPTQ: random weights, vocabularies trained or real."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.numpy import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import LlamaConfig, PreTrainedConfig, Qwen2Config, Qwen3Config
from transformers.models.auto.modeling_auto import AutoModelForCausalLM

from tests.convert.tiny import PAIRS

#: As the published files have them; llama.cpp quotes both in src/llama-vocab.cpp.
LLAMA3_REGEX = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
QWEN2_REGEX = LLAMA3_REGEX.replace("{1,3}", "")

SHAPE: Mapping[str, object] = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}

LLAMA3_ROPE: Mapping[str, object] = {
    "rope_type": "llama3",
    "rope_theta": 500000.0,
    "factor": 32.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One family: its configuration class, settings, tokenizer and the real vocabulary that llama.cpp carries."""

    config: type[PreTrainedConfig]
    settings: Mapping[str, object]
    regex: str
    whole_words: bool
    composes: bool
    tokenizer_class: str
    bos: str | None
    eos: str
    special: Sequence[str]
    added: Sequence[str]
    vocabulary: str


KINDS: Mapping[str, Kind] = {
    "llama3": Kind(
        *(LlamaConfig, {"rope_parameters": dict(LLAMA3_ROPE)}, LLAMA3_REGEX, True, False, "PreTrainedTokenizerFast"),
        *("<|begin_of_text|>", "<|eot_id|>", ("<|begin_of_text|>", "<|end_of_text|>", "<|eot_id|>")),
        *(("<tool>",), "ggml-vocab-llama-bpe.gguf"),
    ),
    "qwen2": Kind(
        *(Qwen2Config, {"tie_word_embeddings": True}, QWEN2_REGEX, False, True, "Qwen2Tokenizer"),
        *(None, "<|im_end|>", ("<|endoftext|>", "<|im_start|>", "<|im_end|>")),
        *((), "ggml-vocab-qwen2.gguf"),
    ),
    "qwen3": Kind(
        *(Qwen3Config, {"head_dim": 32}, QWEN2_REGEX, False, True, "Qwen2Tokenizer"),
        *(None, "<|im_end|>", ("<|endoftext|>", "<|im_start|>", "<|im_end|>")),
        *(("<think>", "</think>"), "ggml-vocab-qwen2.gguf"),
    ),
}


def write_checkpoint(
    folder: Path, kind: str, tokenizer: Tokenizer, dtype: torch.dtype = torch.float32, **changes: object
) -> Path:
    """A model of the family with random weights (biases and norms too), and its tokenizer."""
    family = KINDS[kind]
    vocab = max(tokenizer.get_vocab().values()) + 1 + 3  # three ids without a token
    settings = {**SHAPE, "vocab_size": vocab, **family.settings, **changes}
    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_config(family.config(**settings))
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    model.to(dtype).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {"tokenizer_class": family.tokenizer_class, "bos_token": family.bos, "eos_token": family.eos}
    pad = {"pad_token": "<|endoftext|>"} if family.bos is None else {}
    template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    text = json.dumps({**config, **pad, "chat_template": template, "clean_up_tokenization_spaces": False})
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")
    return folder


def trained(kind: str, size: int = 700) -> Tokenizer:
    """A small vocabulary trained on fixture texts under the family's own rules."""
    tokenizer = _with_rules(models.BPE(), kind)
    texts = [text for line in PAIRS.read_text(encoding="utf-8").splitlines() for text in json.loads(line).values()]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=size, initial_alphabet=sorted(alphabet)))
    learnt = json.loads(tokenizer.to_str())["model"]
    merges = [tuple(pair) for pair in learnt["merges"]]
    family = KINDS[kind]
    tokenizer = _with_rules(models.BPE(learnt["vocab"], merges, ignore_merges=family.whole_words), kind)
    return _with_added(tokenizer, kind, family.special, family.added)


@cache
def real(kind: str, reference: Path) -> Tokenizer:
    """The family's published vocabulary, from the tokens and merges that llama.cpp carries to test itself with."""
    family = KINDS[kind]
    rows, merges = _published(reference / "models" / family.vocabulary)
    vocab = {text: number for number, (text, type_) in enumerate(rows) if type_ == gguf.TokenType.NORMAL}
    special = [text for text, type_ in rows if type_ == gguf.TokenType.CONTROL]
    tokenizer = _with_rules(models.BPE(vocab, list(merges), ignore_merges=family.whole_words), kind)
    return _with_added(tokenizer, kind, special, family.added if kind == "qwen3" else ())


@cache
def _published(path: Path) -> tuple[Sequence[tuple[str, int]], Sequence[tuple[str, str]]]:
    """Text and type of each token, and the merges; reading them takes seconds."""
    fields = gguf.GGUFReader(path).fields
    names = ("tokens", "token_type", "merges")
    tokens, types, merges = (fields[f"tokenizer.ggml.{name}"].contents() for name in names)
    return tuple(zip(tokens, types, strict=True)), tuple(tuple(pair.split(" ")) for pair in merges)


def _with_rules(model: models.BPE, kind: str) -> Tokenizer:
    family = KINDS[kind]
    tokenizer = Tokenizer(model)
    split = pre_tokenizers.Split(Regex(family.regex), behavior="isolated", invert=False)
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([split, level])
    tokenizer.decoder = decoders.ByteLevel()
    if family.composes:
        tokenizer.normalizer = normalizers.NFC()
    return tokenizer


def _with_added(tokenizer: Tokenizer, kind: str, special: Sequence[str], added: Sequence[str]) -> Tokenizer:
    tokenizer.add_special_tokens([AddedToken(text, normalized=False, special=True) for text in special])
    tokenizer.add_tokens([AddedToken(text, normalized=False) for text in added])
    level = processors.ByteLevel(trim_offsets=False)
    bos = KINDS[kind].bos
    if bos is None:
        tokenizer.post_processor = level
        return tokenizer
    number = tokenizer.token_to_id(bos)
    first = processors.TemplateProcessing(f"{bos} $A", f"{bos} $A {bos}:1 $B:1", [(bos, number)])
    tokenizer.post_processor = processors.Sequence([level, first])
    return tokenizer


def pack_gptq(
    weights: np.ndarray, group: int, *, symmetric: bool, scattered: bool, seed: int = 0
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Round a float matrix (O, I) to GPTQ's 4-bit parts; also gives the matrix that the parts stand for."""
    outputs, inputs = weights.shape
    rng = np.random.default_rng(seed)
    groups = np.arange(inputs) // group
    groups = rng.permutation(groups) if scattered else groups
    count = int(groups.max()) + 1
    scales, zeros = np.empty((count, outputs), np.float16), np.empty((count, outputs), np.int64)
    quants = np.empty((inputs, outputs), np.int64)
    for number in range(count):
        block = weights[:, groups == number]  # (O, members)
        low, high = block.min(1), block.max(1)
        reach = 2 * np.abs(block).max(1) if symmetric else high - low
        scales[number] = reach / 15
        zeros[number] = 8 if symmetric else np.clip(np.round(-low / scales[number].astype(np.float32)), 1, 15)
        scaled = block / scales[number].astype(np.float32)[:, None]
        quants[groups == number] = np.clip(np.round(scaled + zeros[number][:, None]), 0, 15).T
    meant = (scales[groups].astype(np.float32) * (quants - zeros[groups]).astype(np.float32)).T
    parts = {
        "qweight": _packed(quants),
        "qzeros": np.ascontiguousarray(_packed((zeros - 1).T).T),
        "scales": scales,
        "g_idx": groups.astype(np.int32),
    }
    return parts, np.ascontiguousarray(meant)


def _packed(numbers: np.ndarray) -> np.ndarray:
    """(8 N, M) of 4-bit numbers to (N, M) words, lowest bits first."""
    split = numbers.astype(np.uint32).reshape(-1, 8, numbers.shape[1])
    words = sum(split[:, place] << np.uint32(4 * place) for place in range(8))
    return np.asarray(words, dtype=np.uint32).view(np.int32)


def to_gptq(folder: Path, out: Path, *, symmetric: bool, scattered: bool, empty_biases: bool = False) -> Path:
    """A float checkpoint's folder as a GPTQ one; ``meant.npz`` beside it holds the matrices that it stands for."""
    from safetensors.numpy import load_file

    out.mkdir()
    for path in folder.iterdir():
        if path.suffix != ".safetensors":
            (out / path.name).write_bytes(path.read_bytes())
    tensors: dict[str, np.ndarray] = {}
    meant: dict[str, np.ndarray] = {}
    for name, weights in load_file(folder / "model.safetensors").items():
        base = name.removesuffix(".weight")
        if not base.endswith("_proj"):
            tensors[name] = weights
            continue
        parts, meant[name] = pack_gptq(weights.astype(np.float32), 32, symmetric=symmetric, scattered=scattered)
        tensors.update({f"{base}.{part}": values for part, values in parts.items()})
        if empty_biases and not base.endswith(("q_proj", "k_proj", "v_proj")):
            tensors[f"{base}.bias"] = np.zeros(len(weights), np.float16)
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    np.savez(out.with_suffix(".npz"), **meant)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["quantization_config"] = {
        **{"quant_method": "gptq", "bits": 4, "group_size": 32, "desc_act": scattered, "sym": symmetric},
    }
    (out / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return out
