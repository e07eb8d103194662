"""The GGUF writer: llama.cpp computes what transformers computes; what is not known is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from convert.errors import ConvertError, InputError, UnsupportedError
from convert.fidelity.figures import compare
from convert.fidelity.reference import load_model, logits
from convert.gguf.source import read_source
from convert.gguf.tensors import Precision, permute_rows
from convert.gguf.writer import write_gguf
from convert.quantization.libllama import GgufModel
from tests.convert import tiny

ROWS = [[1, *range(30, 90)], [1, 300, 7], [1, *range(400, 260, -3)]]

VARIANTS: dict[str, dict[str, object]] = {
    "grouped heads": {},
    "no groups": {"num_key_value_heads": 4},
    "one key head": {"num_key_value_heads": 1},
    "tied": {"tie_word_embeddings": True},
    "wide heads": {"head_dim": 128},
    "linear rope": {"rope_parameters": {"rope_type": "linear", "rope_theta": 5000.0, "factor": 2.0}},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_llama_cpp_computes_what_transformers_computes(variant: str, tokenizer: Path, tmp_path: Path) -> None:
    folder = tiny.write_base(tmp_path / "m", tokenizer, **VARIANTS[variant])
    path = write_gguf(read_source(folder, Precision.F32), tmp_path / "m.gguf")
    model = load_model(folder)
    with GgufModel(path, threads=1) as llama:
        found = compare(ROWS, [logits(model, row) for row in ROWS], [llama.logits(row) for row in ROWS])
    assert found.top1_agreement >= 0.99
    assert found.mean_kld < 1e-5  # llama.cpp keeps keys and values in float16


@pytest.mark.parametrize("precision", list(Precision))
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_stored_values_are_the_checkpoints_rounded_once(
    tokenizer: Path, tmp_path: Path, precision: Precision, dtype: torch.dtype
) -> None:
    folder = tiny.write_base(tmp_path / "m", tokenizer, dtype=dtype)
    path = write_gguf(read_source(folder, precision), tmp_path / "m.gguf")
    reader = gguf.GGUFReader(path)
    stored = {tensor.name: tensor for tensor in reader.tensors}
    weights = load_file(folder / "model.safetensors")
    target = {Precision.F32: torch.float32, Precision.F16: torch.float16, Precision.BF16: torch.bfloat16}[precision]
    for name, source, kind in (
        ("token_embd.weight", "model.embed_tokens.weight", target),
        ("blk.1.ffn_down.weight", "model.layers.1.mlp.down_proj.weight", target),
        ("blk.0.attn_norm.weight", "model.layers.0.input_layernorm.weight", torch.float32),
    ):
        raw = np.ascontiguousarray(stored[name].data).tobytes()
        assert raw == weights[source].to(kind).view(torch.uint8).numpy().tobytes()


def test_shards_and_single_file_give_the_same_tensors(base: Path, f16: Path, tmp_path: Path) -> None:
    path = write_gguf(read_source(tiny.shard(base, tmp_path / "sharded")), tmp_path / "m.gguf")
    first, second = (
        {tensor.name: bytes(np.ascontiguousarray(tensor.data)) for tensor in gguf.GGUFReader(file).tensors}
        for file in (f16, path)
    )
    assert first == second


@given(heads=st.integers(1, 4), pairs=st.integers(1, 4), columns=st.integers(1, 3))
def test_permuted_rows_put_both_halves_of_a_pair_side_by_side(heads: int, pairs: int, columns: int) -> None:
    rows = heads * 2 * pairs
    weights = np.arange(rows * columns, dtype=np.float32).reshape(rows, columns)
    moved = permute_rows(weights, heads)
    for head in range(heads):
        start = head * 2 * pairs
        for pair in range(pairs):
            np.testing.assert_array_equal(moved[start + 2 * pair], weights[start + pair])
            np.testing.assert_array_equal(moved[start + 2 * pair + 1], weights[start + pairs + pair])


def test_padding_and_added_tokens_follow_the_reference(tokenizer: Path, tmp_path: Path) -> None:
    folder = tiny.write_base(tmp_path / "m", tokenizer, vocab_size=tiny.VOCAB + 4)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config["added_tokens_decoder"] = {
        str(tiny.VOCAB): {"content": "<|extra|>", "special": False},
        str(tiny.VOCAB + 1): {"content": "\u2581plain\u2581word", "special": False},
        str(tiny.VOCAB + 2): {"content": "<stop>", "special": True},
        str(tiny.VOCAB + 99): {"content": "<beyond>", "special": True},
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    vocabulary = read_source(folder).vocabulary
    rows = list(zip(vocabulary.tokens, vocabulary.scores, vocabulary.types, strict=True))
    assert len(rows) == tiny.VOCAB + 4
    assert rows[: 4 - 1] == [(b"<unk>", 0.0, 2), (b"<s>", 0.0, 3), (b"</s>", 0.0, 3)]
    assert rows[3] == (b"<0x00>", 0.0, 6)
    assert rows[tiny.VOCAB :] == [
        (b"<|extra|>", -1000.0, 3),
        (b" plain word", -1000.0, 4),
        (b"<stop>", -1000.0, 3),
        (f"[PAD{tiny.VOCAB + 3}]".encode(), -10000.0, 5),
    ]


def change_config(**changes: object) -> Callable[[Path], None]:
    """Damage: other values in config.json."""

    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def change_tensors(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    """Damage: other tensors."""

    def apply(folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        change(tensors)
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})

    return apply


NORM = "model.layers.1.input_layernorm.weight"
UP = "model.layers.0.mlp.up_proj.weight"

REFUSED: dict[str, tuple[Callable[[Path], object], type[ConvertError], str]] = {
    "architecture": (change_config(architectures=["MambaForCausalLM"]), UnsupportedError, "MambaForCausalLM"),
    "two architectures": (change_config(architectures=[]), InputError, "architectures"),
    "activation": (change_config(hidden_act="gelu"), UnsupportedError, "hidden_act"),
    "rope": (change_config(rope_parameters={"rope_type": "yarn", "factor": 8.0}), UnsupportedError, "yarn"),
    "llama3 rope": (
        change_config(rope_parameters={"rope_type": "llama3", "factor": 8.0}),
        InputError,
        "low_freq_factor",
    ),
    "quantised": (change_config(quantization_config={"bits": 4}), UnsupportedError, "quantised"),
    "field type": (change_config(num_hidden_layers="2"), InputError, "num_hidden_layers"),
    "field missing": (change_config(vocab_size=None), InputError, "vocab_size"),
    "more layers": (change_config(num_hidden_layers=3), InputError, r"lacks model\.layers\.2"),
    "fewer layers": (change_config(num_hidden_layers=1), UnsupportedError, r"model\.layers\.1"),
    "other width": (change_config(intermediate_size=768), InputError, "has shape"),
    "turned tensor": (change_tensors(lambda t: t.update({UP: t[UP].T.contiguous()})), InputError, f"{UP} has shape"),
    "missing tensor": (change_tensors(lambda t: t.pop(NORM)), InputError, NORM),
    "missing head": (change_tensors(lambda t: t.pop("lm_head.weight")), InputError, "lm_head"),
    "unknown tensor": (change_tensors(lambda t: t.update(extra=torch.ones(2))), UnsupportedError, "extra"),
    "no tokenizer": (lambda folder: (folder / "tokenizer.model").unlink(), UnsupportedError, "tokenizer.model"),
    "bad tokenizer": (lambda folder: (folder / "tokenizer.model").write_bytes(b"x"), InputError, "tokenizer.model"),
    "no config": (lambda folder: (folder / "config.json").unlink(), InputError, "config.json"),
}


@pytest.mark.parametrize("damage", REFUSED)
def test_what_cannot_be_converted_is_refused_by_name_before_anything_is_written(
    damage: str, base: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "m"
    shutil.copytree(base, folder)
    change, error, words = REFUSED[damage]
    change(folder)
    with pytest.raises(error, match=words):
        read_source(folder)


def test_a_small_embedding_refuses_a_large_vocabulary(tokenizer: Path, tmp_path: Path) -> None:
    folder = tiny.write_base(tmp_path / "m", tokenizer, vocab_size=tiny.VOCAB - 1)
    with pytest.raises(InputError, match=f"{tiny.VOCAB} tokens; the model's embedding has {tiny.VOCAB - 1}"):
        read_source(folder)


@pytest.mark.parametrize(("value", "words"), [(float("nan"), "NaN"), (float("inf"), "infinite"), (1e6, "bf16")])
def test_weights_that_cannot_be_stored_are_refused_and_nothing_is_left(
    base: Path, tmp_path: Path, value: float, words: str
) -> None:
    folder = tmp_path / "m"
    shutil.copytree(base, folder)
    change_tensors(lambda tensors: tensors["model.layers.1.mlp.up_proj.weight"][3, 5].fill_(value))(folder)
    with pytest.raises(InputError, match=rf"up_proj.*{words}"):
        write_gguf(read_source(folder), tmp_path / "out" / "m.gguf")
    assert list((tmp_path / "out").iterdir()) == []
