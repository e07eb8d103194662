"""Quantising in a child process: a file that llama.cpp loads, or none at all."""

from __future__ import annotations

import threading
from pathlib import Path

import gguf
import numpy as np
import pytest

from convert.errors import InputError, QuantizeError, UnsupportedError
from convert.gguf.source import read_source
from convert.gguf.writer import write_gguf
from convert.quantization.libllama import GgufModel
from convert.quantization.quantize import QuantType, indivisible_rows, quantize, read_shapes
from tests.convert import tiny


def test_q4_k_m_is_loaded_by_llama_cpp_and_reported_truthfully(f16: Path, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    made = quantize(f16, tmp_path / "q4.gguf", threads=1, progress=lambda *step: steps.append(step))
    types = {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(made.path).tensors}
    assert types["blk.0.ffn_up.weight"] == "Q4_K"
    assert types["output.weight"] == "Q6_K"
    assert types["output_norm.weight"] == "F32"
    assert made.types == {kind: list(types.values()).count(kind) for kind in sorted(set(types.values()))}
    assert made.bytes == made.path.stat().st_size < f16.stat().st_size / 2
    assert steps[-1] == ("quantize", len(types), len(types))
    assert [done for _, done, _ in steps] == sorted(done for _, done, _ in steps)
    with GgufModel(made.path, threads=1) as model:
        assert model.logits([1, 300, 301]).shape == (3, tiny.VOCAB)
    assert [path.name for path in tmp_path.iterdir()] == ["q4.gguf"]


def test_the_same_source_gives_the_same_bytes(f16: Path, q4: Path, tmp_path: Path) -> None:
    assert quantize(f16, tmp_path / "again.gguf", threads=2).path.read_bytes() == q4.read_bytes()


def test_rows_that_would_silently_get_another_type_are_refused(tokenizer: Path, tmp_path: Path) -> None:
    folder = tiny.write_base(tmp_path / "m", tokenizer, hidden_size=192, intermediate_size=512)
    source = write_gguf(read_source(folder), tmp_path / "m.gguf")
    with pytest.raises(UnsupportedError, match=r"do not divide by 256: output\.weight \(192\)"):
        quantize(source, tmp_path / "out" / "q4.gguf")
    assert not (tmp_path / "out").exists()
    assert quantize(source, tmp_path / "q8.gguf", QuantType.Q8_0, threads=1).types.keys() == {"F32", "Q8_0"}


@pytest.mark.parametrize(
    ("width", "q4", "q8"), [(256, False, False), (288, True, False), (100, True, True), (1, True, True)]
)
def test_divisibility_is_by_the_quantisations_block(width: int, q4: bool, q8: bool) -> None:
    shapes = {"matrix": (3, width), "norm": (width,)}
    assert bool(indivisible_rows(shapes, QuantType.Q4_K_M)) == q4
    assert bool(indivisible_rows(shapes, QuantType.Q8_0)) == q8


def test_a_failing_child_is_reported_with_its_words_and_leaves_nothing(tmp_path: Path) -> None:
    writer = gguf.GGUFWriter(tmp_path / "odd.gguf", "no-such-architecture")
    writer.add_tensor("token_embd.weight", np.zeros((4, 256), np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    with pytest.raises(QuantizeError, match="unknown model architecture: 'no-such-architecture'"):
        quantize(tmp_path / "odd.gguf", tmp_path / "out" / "q4.gguf", threads=1)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_quantised_source_is_refused(q4: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is of type Q\d_K; expected a float GGUF"):
        quantize(q4, tmp_path / "twice.gguf")


def test_cancelling_kills_the_child_and_leaves_nothing(f16: Path, tmp_path: Path) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(QuantizeError, match="cancelled"):
        quantize(f16, tmp_path / "out" / "q4.gguf", cancelled=cancelled)
    assert list((tmp_path / "out").iterdir()) == []


def test_what_is_no_gguf_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"not a gguf at all, but long enough to have a header")
    with pytest.raises(InputError, match=r"x\.gguf"):
        read_shapes(tmp_path / "x.gguf")
    with pytest.raises(InputError, match="no such file"):
        read_shapes(tmp_path / "y.gguf")
