"""The importance matrix: what the matrices really saw, in llama.cpp's file, and refused where it says nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest

from convert.errors import InputError
from convert.fidelity.texts import CalibrationTexts
from convert.quantization.collect import CollectOptions, MatrixWatch, calibration_rows, collect_imatrix
from convert.quantization.ggml import GgmlTensor
from convert.quantization.imatrix import Entry, Imatrix, needs_entry, read_imatrix, require_coverage, write_imatrix
from convert.quantization.libllama import GgufModel
from convert.quantization.quantize import read_shapes

NAME = "blk.0.attn_q.weight"


def test_sums_are_the_squares_of_what_went_into_the_matrix(f16: Path) -> None:
    texts = CalibrationTexts(("where is my refund",), (), ("one line",))
    found = collect_imatrix(f16, texts, CollectOptions(tokens=50, threads=1))
    with GgufModel(f16, vocab_only=True) as vocabulary:
        ids = [vocabulary.bos, *vocabulary.encode("where is my refund")]
    weights = {tensor.name: np.asarray(tensor.data, np.float64) for tensor in gguf.GGUFReader(f16).tensors}
    rows = weights["token_embd.weight"][ids]  # (T, 256)
    rows /= np.sqrt((rows * rows).mean(axis=1, keepdims=True) + 1e-5)
    rows *= weights["blk.0.attn_norm.weight"]
    np.testing.assert_allclose(found.entries[NAME].sums, (rows * rows).sum(axis=0), rtol=1e-4)
    assert {entry.rows for entry in found.entries.values()} == {len(ids)} == {found.tokens}
    np.testing.assert_array_equal(found.entries[NAME].sums, found.entries["blk.0.attn_v.weight"].sums)


def test_every_matrix_and_the_output_are_covered(f16: Path, imatrix: Imatrix) -> None:
    shapes = read_shapes(f16)
    assert set(imatrix.entries) == set(needs_entry(shapes))
    assert "output.weight" in imatrix.entries
    assert "token_embd.weight" not in imatrix.entries
    assert imatrix.tokens == 700
    assert {entry.rows for entry in imatrix.entries.values()} == {700}
    assert len(imatrix.datasets) == 2


def test_a_head_tied_to_the_embedding_needs_an_entry_for_it() -> None:
    matrix, norm = (8, 256), (256,)
    tied = {"token_embd.weight": matrix, "blk.0.attn_norm.weight": norm}
    assert needs_entry(tied) == {"token_embd.weight": 256}
    assert needs_entry({**tied, "output.weight": matrix}) == {"output.weight": 256}


def test_the_same_texts_give_the_same_file(
    f16: Path, texts: CalibrationTexts, imatrix_file: Path, tmp_path: Path
) -> None:
    again = collect_imatrix(f16, texts, CollectOptions(tokens=700, threads=1))
    assert write_imatrix(again, tmp_path / "again.gguf").read_bytes() == imatrix_file.read_bytes()


def test_the_file_is_laid_out_as_llama_cpp_lays_it_out(imatrix: Imatrix, imatrix_file: Path) -> None:
    reader = gguf.GGUFReader(imatrix_file)
    keys = [key for key in reader.fields if not key.startswith("GGUF.")]
    assert keys == ["general.type", "imatrix.datasets", "imatrix.chunk_count", "imatrix.chunk_size"]
    assert reader.fields["imatrix.chunk_count"].contents() == 2  # 700 tokens in chunks of 512
    names = [tensor.name for tensor in reader.tensors]
    assert names == [name + end for name in sorted(imatrix.entries) for end in (".in_sum2", ".counts")]
    assert {tensor.tensor_type.name for tensor in reader.tensors} == {"F32"}
    by_name = {tensor.name: [int(n) for n in tensor.shape] for tensor in reader.tensors}
    assert by_name[NAME + ".in_sum2"] == [256, 1]
    assert by_name[NAME + ".counts"] == [1, 1]


def test_what_was_written_is_read_back(imatrix: Imatrix, imatrix_file: Path) -> None:
    found = read_imatrix(imatrix_file)
    assert found.datasets == imatrix.datasets
    assert found.entries.keys() == imatrix.entries.keys()
    for name, entry in imatrix.entries.items():
        np.testing.assert_allclose(found.entries[name].mean_squares, entry.mean_squares, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (None, r"1 matrices: output\.weight \(missing\)"),
        (Entry(np.zeros(256), 700), r"output\.weight \(all zero or not finite\)"),
        (Entry(np.full(256, np.nan), 700), r"output\.weight \(all zero or not finite\)"),
        (Entry(np.ones(256), 0), r"output\.weight \(all zero or not finite\)"),
        (Entry(np.ones(255), 700), r"output\.weight \(255 columns, the model's has 256\)"),
    ],
)
def test_a_matrix_that_is_not_covered_is_named(f16: Path, imatrix: Imatrix, change: Entry | None, words: str) -> None:
    entries = dict(imatrix.entries)
    entries.pop("output.weight")
    if change is not None:
        entries["output.weight"] = change
    with pytest.raises(InputError, match=words):
        require_coverage(replace(imatrix, entries=entries), read_shapes(f16), "x.gguf")


def test_what_is_no_importance_matrix_is_refused(f16: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"general\.type is not 'imatrix'"):
        read_imatrix(f16)
    (tmp_path / "x.dat").write_bytes(b"\x01\x00\x00\x00 an older format, or anything else of some length")
    with pytest.raises(InputError, match="not a readable GGUF"):
        read_imatrix(tmp_path / "x.dat")
    with pytest.raises(InputError, match="convert imatrix"):
        read_imatrix(tmp_path / "none.gguf")


def test_rows_hold_as_many_tokens_as_were_asked_for() -> None:
    def encode(text: str) -> list[int]:
        return [int(word) for word in text.split()]

    assert calibration_rows(["5 6", "", "7 8 9", "4"], encode, 1, 6) == [[1, 5, 6], [1, 7, 8]]
    with pytest.raises(InputError, match="--data"):
        calibration_rows([""], encode, 1, 6)


def test_an_exception_while_watching_comes_out_after_the_computation(f16: Path) -> None:
    def take(name: str, weight: GgmlTensor, inputs: GgmlTensor) -> None:
        raise InputError(f"{name} is not wanted")

    watch = MatrixWatch([NAME], take)
    with GgufModel(f16, threads=1, watch=watch) as model:
        model.compute([1, 5, 6])
        with pytest.raises(InputError, match=r"attn_q\.weight is not wanted"):
            watch.check()


def test_watching_changes_no_logit(f16: Path) -> None:
    seen: list[tuple[str, int]] = []
    watch = MatrixWatch([NAME], lambda name, weight, inputs: seen.append((name, int(inputs.ne[1]))))
    with (
        GgufModel(f16, threads=1) as plain,
        GgufModel(f16, threads=1, watch=watch) as other,
    ):
        np.testing.assert_array_equal(plain.logits([1, 300, 301]), other.logits([1, 300, 301]))
    assert seen == [(NAME, 3)]
