"""Llama 3, Qwen2 and Qwen3: llama.cpp computes what transformers computes, and splits every line alike."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from convert.errors import ConvertError, InputError, UnsupportedError
from convert.fidelity.figures import compare
from convert.fidelity.reference import load_model, logits
from convert.gguf.rope import Rope, llama3_factors
from convert.gguf.source import read_source
from convert.gguf.special import added_by_itself
from convert.gguf.tensors import Precision
from convert.gguf.writer import write_gguf
from convert.quantization.libllama import GgufModel
from convert.tokenizer import encoder, load_tokenizer
from tests.convert.gguf.checkpoints import KINDS, trained, write_checkpoint
from tests.convert.gguf.lines import COUNT, lines

ROWS = [list(range(30, 90)), [300, 7], list(range(400, 260, -3))]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for each family, never changed."""
    root = tmp_path_factory.mktemp("families")
    return {kind: write_checkpoint(root / kind, kind, trained(kind)) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_llama_cpp_computes_what_transformers_computes(kind: str, models: dict[str, Path], tmp_path: Path) -> None:
    path = write_gguf(read_source(models[kind], Precision.F32), tmp_path / "m.gguf")
    model = load_model(models[kind])
    with GgufModel(path, threads=1) as llama:
        found = compare(ROWS, [logits(model, row) for row in ROWS], [llama.logits(row) for row in ROWS])
    assert found.top1_agreement >= 0.99
    assert found.mean_kld < 1e-5  # llama.cpp keeps keys and values in float16


@pytest.mark.parametrize("kind", KINDS)
def test_the_checkpoints_own_tokenizer_and_llama_cpp_split_two_thousand_lines_alike(
    kind: str, models: dict[str, Path], tmp_path: Path
) -> None:
    path = write_gguf(read_source(models[kind]), tmp_path / "m.gguf")
    tokenizer = Tokenizer.from_file(str(models[kind] / "tokenizer.json"))
    texts = lines([*KINDS[kind].special, *KINDS[kind].added])
    with GgufModel(path, vocab_only=True) as llama:
        wrong = [t for t in texts if llama.encode(t) != tokenizer.encode(t, add_special_tokens=False).ids]
    assert (len(texts), wrong) == (COUNT, [])


@pytest.mark.parametrize("kind", KINDS)
def test_the_training_tokenizer_splits_like_llama_cpp_also_where_accents_stand_alone(
    kind: str, models: dict[str, Path], tmp_path: Path
) -> None:
    path = write_gguf(read_source(models[kind]), tmp_path / "m.gguf")
    training = encoder(load_tokenizer(models[kind]))
    texts = lines([*KINDS[kind].special, *KINDS[kind].added], composed=False)
    with GgufModel(path, vocab_only=True) as llama:
        wrong = [text for text in texts if llama.encode(text) != training(text)]
    assert wrong == []


def test_sentencepiece_splits_two_thousand_lines_like_the_training_tokenizer(base: Path, f16: Path) -> None:
    training = encoder(load_tokenizer(base))
    with GgufModel(f16, vocab_only=True) as llama:
        wrong = [text for text in lines(["<|user|>", "</s>"], composed=False) if llama.encode(text) != training(text)]
    assert wrong == []


@pytest.mark.parametrize("theta", [10000.0, 500000.0, 1000000.0])
@pytest.mark.parametrize("width", [16, 64, 80, 96, 128])
def test_llama3_factors_are_those_of_the_published_rule_to_the_last_bit(width: int, theta: float) -> None:
    rope = Rope("llama3", theta, 32.0, 1.0, 4.0, 8192)
    expected = []
    for wave in 2 * math.pi / (1.0 / (theta ** (torch.arange(0, width, 2, dtype=torch.float32) / width))):
        if wave < 8192 / 4.0:
            expected.append(1.0)
        elif wave > 8192 / 1.0:
            expected.append(32.0)
        else:
            smooth = (8192 / wave - 1.0) / (4.0 - 1.0)
            expected.append(float(1 / ((1 - smooth) / 32.0 + smooth)))
    assert llama3_factors(rope, width).tolist() == torch.tensor(expected, dtype=torch.float32).tolist()


def test_qwen_warns_that_llama_cpp_does_not_compose_characters(models: dict[str, Path]) -> None:
    assert any("NFC" in text for text in read_source(models["qwen2"]).warnings)
    assert read_source(models["llama3"]).warnings == ()


def test_ids_without_a_token_are_padding_and_added_tokens_keep_their_kind(models: dict[str, Path]) -> None:
    vocabulary = read_source(models["qwen3"]).vocabulary
    rows = dict(zip(vocabulary.tokens, vocabulary.types, strict=True))
    assert vocabulary.pre == "qwen2"
    assert (rows[b"<|im_end|>"], rows[b"<think>"], rows[b"!"]) == (3, 4, 1)
    assert [rows[f"[PAD{number}]".encode()] for number in range(len(rows) - 3, len(rows))] == [5, 5, 5]


@pytest.mark.parametrize(
    ("steps", "config", "flags"),
    [
        ([], {}, {}),
        ([], {"add_bos_token": True, "add_eos_token": False}, {"bos": True, "eos": False}),
        ([{"type": "ByteLevel"}], {"add_bos_token": True}, {"bos": False, "eos": False}),
        (
            [{"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>"}}, {"Sequence": {"id": "A"}}]}],
            {"bos_token": {"content": "<s>"}, "cls_token": "<c>"},
            {"bos": True},
        ),
        (
            [{"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<x>"}}, {"Sequence": {"id": "A"}}]}],
            {"bos_token": "<s>", "cls_token": "<c>"},
            {"bos": False},
        ),
        (
            [{"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "</s>"}}]}],
            {},
            {"eos": True},
        ),
    ],
)
def test_the_post_processor_says_which_tokens_are_added(
    steps: list[object], config: dict[str, object], flags: dict[str, bool]
) -> None:
    assert added_by_itself({"post_processor": {"type": "Sequence", "processors": steps}}, config) == flags


def change_json(file: str, change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    """Damage: another value in a JSON file."""

    def apply(folder: Path) -> None:
        value = json.loads((folder / file).read_text(encoding="utf-8"))
        change(value)
        (folder / file).write_text(json.dumps(value), encoding="utf-8")

    return apply


def other_regex(tokenizer: dict) -> None:
    tokenizer["pre_tokenizer"]["pretokenizers"][0]["pattern"]["Regex"] = r"\p{L}+|\s+"


def drop_bias(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    del tensors["model.layers.1.self_attn.k_proj.bias"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


REFUSED: dict[str, tuple[str, Callable[[Path], object], type[ConvertError], str]] = {
    "regex": ("qwen2", change_json("tokenizer.json", other_regex), UnsupportedError, r"pre-tokenizer '\\\\p\{L\}"),
    "no regex": (
        *("llama3", change_json("tokenizer.json", lambda t: t.update(pre_tokenizer={"type": "Whitespace"}))),
        *(UnsupportedError, "Whitespace"),
    ),
    "normalizer": (
        *("qwen2", change_json("tokenizer.json", lambda t: t.update(normalizer={"type": "NFKC"}))),
        *(UnsupportedError, "NFKC"),
    ),
    "word pieces": (
        *("qwen2", change_json("tokenizer.json", lambda t: t["model"].update(type="WordPiece"))),
        *(UnsupportedError, "no byte-level BPE"),
    ),
    "no tokenizer": ("qwen3", lambda f: (f / "tokenizer.json").unlink(), UnsupportedError, "holds neither"),
    "small embedding": (
        *("qwen3", change_json("config.json", lambda c: c.update(vocab_size=9))),
        *(InputError, "has shape|embedding has 9 rows"),
    ),
    "window": (
        *("qwen2", change_json("config.json", lambda c: c.update(use_sliding_window=True))),
        *(UnsupportedError, "use_sliding_window"),
    ),
    "missing bias": ("qwen2", drop_bias, InputError, r"lacks model\.layers\.1\.self_attn\.k_proj\.bias"),
    "llama3 rope": (
        *("qwen2", change_json("config.json", lambda c: c.update(rope_parameters={"rope_type": "llama3"}))),
        *(UnsupportedError, "llama3"),
    ),
}


@pytest.mark.parametrize("damage", REFUSED)
def test_what_llama_cpp_would_compute_or_split_otherwise_is_refused(
    damage: str, models: dict[str, Path], tmp_path: Path
) -> None:
    kind, change, error, words = REFUSED[damage]
    folder = tmp_path / "m"
    shutil.copytree(models[kind], folder)
    change(folder)
    with pytest.raises(error, match=words):
        read_source(folder)
