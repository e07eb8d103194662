"""Our GGUF of SentencePiece Llamas against the converter that the pinned llama-cpp-python carries."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from convert.gguf.source import read_source
from convert.gguf.tensors import Precision
from convert.gguf.writer import write_gguf
from tests.convert import tiny
from tests.convert.gguf.reference import convert, find_reference

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def reference() -> Path:
    return find_reference()


def add_tokens(folder: Path) -> None:
    """Added tokens of both kinds, one of them beyond the embedding."""
    path = folder / "tokenizer_config.json"
    config = json.loads(path.read_text())
    config["add_prefix_space"] = True
    config["added_tokens_decoder"] = {
        "0": {"content": "<unk>", "special": True},
        str(tiny.VOCAB): {"content": "<|extra|>", "special": False},
        str(tiny.VOCAB + 1): {"content": "\u2581plain", "special": False},
        "9999": {"content": "<beyond>", "special": True},
    }
    path.write_text(json.dumps(config))
    (folder / "added_tokens.json").write_text(json.dumps({"<json>": tiny.VOCAB + 2, "<over>": 9999}))


def describe(folder: Path) -> None:
    """A model card and sampling advice, which become keys."""
    card = "license: apache-2.0\nlanguage:\n- en\ntags:\n- chat\ndatasets:\n- some/set\nbase_model: some/base-1B"
    (folder / "README.md").write_text(f"---\n{card}\n---\n# Tiny\n")
    advice = {"temperature": 0.7, "top_k": 40, "top_p": 0.95, "repetition_penalty": 1.1}
    (folder / "generation_config.json").write_text(json.dumps(advice))


def old_config(folder: Path) -> None:
    """The fields of transformers 4, as published models have them; defaults left out."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    for name in ("rope_parameters", "head_dim", "num_key_value_heads", "rms_norm_eps"):
        config.pop(name, None)
    path.write_text(json.dumps({**config, "rope_theta": 10000, "rope_scaling": {"type": "linear", "factor": 2.0}}))


CASES: dict[str, tuple[dict[str, object], Callable[[Path], object]]] = {
    "grouped heads": ({}, lambda folder: None),
    "bfloat16": ({"dtype": torch.bfloat16}, lambda folder: None),
    "float16, tied": ({"dtype": torch.float16, "tie_word_embeddings": True}, lambda folder: None),
    "wide heads": ({"head_dim": 128}, lambda folder: None),
    "added tokens": ({"vocab_size": tiny.VOCAB + 5}, add_tokens),
    "model card": ({}, describe),
    "transformers 4": ({"num_key_value_heads": 4}, old_config),
}


@pytest.mark.parametrize("precision", list(Precision))
@pytest.mark.parametrize("case", [*CASES, "shards"])
def test_every_byte_is_the_references(
    case: str, precision: Precision, reference: Path, tokenizer: Path, tmp_path: Path
) -> None:
    settings, change = CASES.get(case, ({}, lambda folder: None))
    folder = tiny.write_base(tmp_path / "Tiny-Chat-1M-v2", tokenizer, **settings)  # type: ignore[arg-type]
    change(folder)
    if case == "shards":
        shutil.move(tiny.shard(folder, tmp_path / "sharded"), tmp_path / "Tiny-Sharded")
        folder = tmp_path / "Tiny-Sharded"
    theirs = convert(reference, folder, precision.value, tmp_path / "theirs.gguf")
    ours = write_gguf(read_source(folder, precision), tmp_path / "ours.gguf")
    assert ours.read_bytes() == theirs.read_bytes()
