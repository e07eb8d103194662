"""Folders as models are published: other fields, files and shards than transformers writes today."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from transformers import AutoTokenizer

from tests.convert import tiny
from tests.convert.gguf.checkpoints import real, write_checkpoint

#: The family whose vocabulary is SentencePiece; the others are of ``checkpoints.KINDS``.
LLAMA = "llama"


def same(folder: Path) -> None:
    """As transformers wrote it."""


def shards(folder: Path) -> None:
    """Two files and an index in place of one file."""
    out = tiny.shard(folder, folder.with_name("shards"))
    shutil.rmtree(folder)
    shutil.move(out, folder)


def add_tokens(folder: Path) -> None:
    """Added tokens of both kinds, one of them beyond the embedding."""
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["add_prefix_space"] = True
    config["added_tokens_decoder"] = {
        "0": {"content": "<unk>", "special": True},
        str(tiny.VOCAB): {"content": "<|extra|>", "special": False},
        str(tiny.VOCAB + 1): {"content": "\u2581plain", "special": False},
        "9999": {"content": "<beyond>", "special": True},
    }
    path.write_text(json.dumps(config), encoding="utf-8")
    added = {"<json>": tiny.VOCAB + 2, "<over>": 9999}
    (folder / "added_tokens.json").write_text(json.dumps(added), encoding="utf-8")


def describe(folder: Path) -> None:
    """A model card and sampling advice, which become keys."""
    card = "license: apache-2.0\nlanguage:\n- en\ntags:\n- chat\ndatasets:\n- some/set\nbase_model: some/base-1B"
    (folder / "README.md").write_text(f"---\n{card}\n---\n# Tiny\n", encoding="utf-8")
    advice = {"temperature": 0.7, "top_k": 40, "top_p": 0.95, "repetition_penalty": 1.1}
    (folder / "generation_config.json").write_text(json.dumps(advice), encoding="utf-8")


def old_config(folder: Path) -> None:
    """The fields of transformers 4, with defaults left out."""
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    if rope["rope_type"] != "default":
        config["rope_scaling"] = rope
    for name in ("rms_norm_eps", "layer_types"):
        config.pop(name, None)
    path.write_text(json.dumps(config), encoding="utf-8")


def older_config(folder: Path) -> None:
    """The fields of the first Llamas, with every default left out."""
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    for name in ("rope_parameters", "head_dim", "num_key_value_heads", "rms_norm_eps"):
        config.pop(name, None)
    config = {**config, "rope_theta": 10000, "rope_scaling": {"type": "linear", "factor": 2.0}}
    path.write_text(json.dumps(config), encoding="utf-8")


def with_json(folder: Path) -> None:
    """``tokenizer.json`` beside ``tokenizer.model``, as TinyLlama is published; the template in a file of its own."""
    AutoTokenizer.from_pretrained(folder).backend_tokenizer.save(str(folder / "tokenizer.json"))
    template_apart(folder)


def template_apart(folder: Path) -> None:
    """``chat_template.jinja``, as transformers 5 saves it."""
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    (folder / "chat_template.jinja").write_text(config.pop("chat_template"), encoding="utf-8")
    path.write_text(json.dumps(config), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Variant:
    """One folder.

    Attributes:
        family: LLAMA or a key of ``checkpoints.KINDS``.
        dtype: of the checkpoint.
        settings: of the model's configuration.
        change: what is done to the written folder.
    """

    family: str
    dtype: torch.dtype = torch.float32
    settings: Mapping[str, object] = field(default_factory=dict)
    change: Callable[[Path], None] = same

    def write(self, folder: Path, tokenizer: Path, reference: Path) -> Path:
        """Write it.

        Args:
            folder: where; its last part becomes the model's name.
            tokenizer: folder of a SentencePiece vocabulary.
            reference: llama.cpp's folder, which holds the real byte-level vocabularies.
        """
        if self.family == LLAMA:
            tiny.write_base(folder, tokenizer, dtype=self.dtype, **self.settings)
        else:
            write_checkpoint(folder, self.family, real(self.family, reference), self.dtype, **self.settings)
        self.change(folder)
        return folder


_TIED: Mapping[str, object] = {"tie_word_embeddings": True}
_PLAIN_ROPE: Mapping[str, object] = {"rope_parameters": {"rope_type": "default", "rope_theta": 500000.0}}

VARIANTS: Mapping[str, Variant] = {
    "llama in float16, tied": Variant(LLAMA, torch.float16, _TIED),
    "llama with wide heads": Variant(LLAMA, settings={"head_dim": 128}),
    "llama with added tokens": Variant(LLAMA, settings={"vocab_size": tiny.VOCAB + 5}, change=add_tokens),
    "llama with a model card": Variant(LLAMA, change=describe),
    "llama of transformers 4": Variant(LLAMA, settings={"num_key_value_heads": 4}, change=older_config),
    "llama in shards": Variant(LLAMA, torch.bfloat16, change=shards),
    "llama with tokenizer.json": Variant(LLAMA, change=with_json),
    "llama of CodeLlama's size": Variant(LLAMA, torch.float16, {"vocab_size": 32016, "hidden_size": 64}),
    "qwen3 with a template apart": Variant("qwen3", torch.float16, change=template_apart),
    "llama3 in shards": Variant("llama3", torch.bfloat16, change=shards),
    "llama3 of transformers 4": Variant("llama3", torch.float16, change=old_config),
    "llama3 tied, plain rope": Variant("llama3", settings={**_TIED, **_PLAIN_ROPE}),
    "qwen2 of transformers 4": Variant("qwen2", torch.float16, change=old_config),
    "qwen2 with a head of its own": Variant("qwen2", settings={"tie_word_embeddings": False}),
    "qwen3 tied, in shards": Variant("qwen3", torch.float16, _TIED, shards),
}
