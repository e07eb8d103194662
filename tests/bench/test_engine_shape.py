"""Models of random weights: the types, sizes and scales of Q4_K_M, and answers that encode to what they were."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from bench.bare.assistant import chat_template
from bench.errors import UsageError
from bench.shape import Shape, has_more_bits, q4_k_blocks, q6_k_blocks, write_shape
from tests.paths import DEMO

MODEL = DEMO / "model.gguf"
TINY = Shape(layers=4, width=256, hidden=512, heads=4, kv_heads=2, vocabulary=4608, context_tokens=512)
Q4, Q6 = gguf.GGMLQuantizationType.Q4_K, gguf.GGMLQuantizationType.Q6_K


@pytest.mark.parametrize(("make", "kind"), [(q4_k_blocks, Q4), (q6_k_blocks, Q6)])
def test_random_blocks_hold_weights_around_zero(make: object, kind: gguf.GGMLQuantizationType) -> None:
    weights = gguf.dequantize(make(400, np.random.default_rng(3)), kind)  # type: ignore[operator]
    assert weights.shape == (400, 256)
    assert abs(weights.mean()) < 0.002
    assert 0.018 < weights.std() < 0.022
    assert abs(weights).max() < 0.06


def test_more_bits_go_to_the_layers_of_q4_k_m() -> None:
    finer = [layer for layer in range(22) if has_more_bits(layer, 22)]
    assert finer == [0, 1, 4, 7, 10, 13, 16, 19, 20, 21]


def test_types_of_a_real_q4_k_m_are_the_same(tmp_path: Path) -> None:
    """The demonstration model was quantised by llama.cpp itself."""
    real = {tensor.name: tensor for tensor in gguf.GGUFReader(MODEL).tensors}
    write_shape(Shape(8, 256, 768, 4, 2, 4608), MODEL, tmp_path / "x.gguf")
    made = {tensor.name: tensor for tensor in gguf.GGUFReader(tmp_path / "x.gguf").tensors}
    assert {name: one.tensor_type for name, one in made.items()} == {n: one.tensor_type for n, one in real.items()}
    assert list(made["blk.3.ffn_down.weight"].shape) == list(real["blk.3.ffn_down.weight"].shape)


def test_tokenizer_is_kept_and_filled_with_characters(tmp_path: Path) -> None:
    write_shape(TINY, MODEL, tmp_path / "x.gguf")
    real, made = gguf.GGUFReader(MODEL), gguf.GGUFReader(tmp_path / "x.gguf")
    old, new = (reader.fields["tokenizer.ggml.tokens"].contents() for reader in (real, made))
    assert new[: len(old)] == old
    assert len(set(new)) == len(new) == TINY.vocabulary
    assert {len(token) for token in new[len(old) :]} == {1}
    assert chat_template(tmp_path / "x.gguf") == chat_template(MODEL)
    output = next(tensor for tensor in made.tensors if tensor.name == "output.weight")
    logits = gguf.dequantize(output.data, Q6)
    assert not logits[: len(old)].any()
    assert logits[len(old) :].any(axis=1).all()


def test_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_shape(TINY, MODEL, tmp_path / name, seed)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c


def test_progress_ends_at_the_whole(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    write_shape(TINY, MODEL, tmp_path / "x", written=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1] < (tmp_path / "x").stat().st_size


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        (Shape(1, width=300), "width 300; expected a multiple of 256"),
        (Shape(1, 256, hidden=100), "hidden 100; expected a multiple of 256"),
        (Shape(1, 256, 256, heads=4, kv_heads=3), "4 heads, 3 KV heads"),
        (Shape(1, 256, 256, 4, 2, vocabulary=100), "vocabulary 100; expected more than the 4096 tokens"),
        (Shape(1, 256, 256, 4, 2, vocabulary=99_999), "vocabulary 99999; expected at most 3"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(tmp_path: Path, shape: Shape, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        write_shape(shape, MODEL, tmp_path / "x")


def test_no_tokenizer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        write_shape(TINY, tmp_path / "missing.gguf", tmp_path / "x")
