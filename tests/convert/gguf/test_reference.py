"""Llama 3, Qwen2, Qwen3 and GPTQ with real vocabularies, byte for byte against llama.cpp's own converter."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from convert.gguf.source import read_source
from convert.gguf.tensors import Precision
from convert.gguf.writer import write_gguf
from convert.quantization.libllama import GgufModel
from tests.convert import tiny
from tests.convert.gguf.checkpoints import KINDS, real, to_gptq, write_checkpoint
from tests.convert.gguf.lines import COUNT, lines
from tests.convert.gguf.reference import convert, find_reference

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def reference() -> Path:
    return find_reference()


@pytest.fixture(scope="module")
def models(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each family; the reference knows a pre-tokenizer only by a hash that the real vocabulary has."""
    root = tmp_path_factory.mktemp("families")
    return {
        kind: write_checkpoint(root / f"Tiny-{kind}-Chat", kind, real(kind, reference), torch.bfloat16)
        for kind in KINDS
    }


def same(folder: Path, precision: Precision, reference: Path, tmp_path: Path) -> bool:
    """Whether both converters write the same bytes; large files are not left behind."""
    theirs = convert(reference, folder, precision.value, tmp_path / "theirs.gguf")
    ours = write_gguf(read_source(folder, precision), tmp_path / "ours.gguf")
    equal = ours.read_bytes() == theirs.read_bytes()
    theirs.unlink()
    ours.unlink()
    return equal


@pytest.mark.parametrize("precision", list(Precision))
@pytest.mark.parametrize("kind", KINDS)
def test_every_byte_is_the_references(
    kind: str, precision: Precision, models: dict[str, Path], reference: Path, tmp_path: Path
) -> None:
    assert same(models[kind], precision, reference, tmp_path)


def shards(folder: Path) -> None:
    """Two files and an index in place of one file."""
    out = tiny.shard(folder, folder.with_name("shards"))
    shutil.rmtree(folder)
    shutil.move(out, folder)


def old_config(folder: Path) -> None:
    """The fields of transformers 4, as published models have them; defaults left out."""
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    if rope["rope_type"] != "default":
        config["rope_scaling"] = rope
    for name in ("rms_norm_eps", "layer_types"):
        config.pop(name, None)
    path.write_text(json.dumps(config), encoding="utf-8")


VARIANTS: dict[str, tuple[str, torch.dtype, dict[str, object], Callable[[Path], object]]] = {
    "llama3 in shards": ("llama3", torch.bfloat16, {}, shards),
    "llama3 of transformers 4": ("llama3", torch.float16, {}, old_config),
    "llama3 tied, plain rope": (
        *("llama3", torch.float32),
        *({"tie_word_embeddings": True, "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0}}, str),
    ),
    "qwen2 of transformers 4": ("qwen2", torch.float16, {}, old_config),
    "qwen2 with a head of its own": ("qwen2", torch.float32, {"tie_word_embeddings": False}, str),
    "qwen3 tied, in shards": ("qwen3", torch.float16, {"tie_word_embeddings": True}, shards),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_variants_have_every_byte_of_the_references(variant: str, reference: Path, tmp_path: Path) -> None:
    kind, dtype, changes, change = VARIANTS[variant]
    folder = write_checkpoint(tmp_path / "Tiny-1M", kind, real(kind, reference), dtype, **changes)
    change(folder)
    assert same(folder, Precision.F16, reference, tmp_path)


@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize("symmetric", [False, True])
def test_gptq_has_every_byte_of_the_references(
    symmetric: bool, scattered: bool, reference: Path, tmp_path: Path
) -> None:
    plain = write_checkpoint(tmp_path / "Tiny-1M", "qwen2", real("qwen2", reference), torch.float16)
    folder = to_gptq(plain, tmp_path / "Tiny-1M-GPTQ", symmetric=symmetric, scattered=scattered)
    assert same(folder, Precision.F16, reference, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_the_real_vocabulary_and_llama_cpp_split_two_thousand_lines_alike(
    kind: str, models: dict[str, Path], tmp_path: Path
) -> None:
    path = write_gguf(read_source(models[kind]), tmp_path / "m.gguf")
    tokenizer = Tokenizer.from_file(str(models[kind] / "tokenizer.json"))
    texts = lines([*KINDS[kind].special, *KINDS[kind].added])
    with GgufModel(path, vocab_only=True) as llama:
        wrong = [t for t in texts if llama.encode(t) != tokenizer.encode(t, add_special_tokens=False).ids]
    assert (len(texts), wrong) == (COUNT, [])
