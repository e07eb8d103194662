"""Reading safetensors: the values are torch's, and damage is named."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from convert.checkpoint.folder import index_folder, weight_files, weights_sha256
from convert.checkpoint.safetensors import index_file
from convert.errors import InputError, UnsupportedError
from models.bundle import sha256_of
from tests.convert import tiny

DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.float64]


@settings(max_examples=30, deadline=None)
@given(
    shapes=st.lists(st.lists(st.integers(0, 5), max_size=3), min_size=1, max_size=4),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 1000),
)
def test_values_are_those_that_torch_saved(shapes: list[list[int]], dtype: torch.dtype, seed: int) -> None:
    torch.manual_seed(seed)
    tensors = {f"t{number}": torch.randn(shape).to(dtype) for number, shape in enumerate(shapes)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.safetensors"
        save_file(tensors, path)
        refs = index_file(path)
        assert list(refs) == sorted(tensors)
        for name, ref in refs.items():
            np.testing.assert_array_equal(ref.read(), tensors[name].float().numpy())


def test_shards_hold_what_the_single_file_holds(base: Path, tmp_path: Path) -> None:
    sharded = tiny.shard(base, tmp_path / "sharded")
    whole, parts = index_folder(base), index_folder(sharded)
    assert set(whole) == set(parts)
    for name, ref in whole.items():
        np.testing.assert_array_equal(ref.read(), parts[name].read())


def test_the_digest_of_one_file_is_its_own_and_of_several_depends_on_all(base: Path, tmp_path: Path) -> None:
    assert weights_sha256(base) == sha256_of(base / "model.safetensors")
    sharded = tiny.shard(base, tmp_path / "sharded")
    before = weights_sha256(sharded)
    flip(weight_files(sharded)[1], -1)
    assert weights_sha256(sharded) != before


@pytest.mark.parametrize("change", [-1, -1000, 1])
def test_a_file_of_another_length_is_refused(base: Path, tmp_path: Path, change: int) -> None:
    data = (base / "model.safetensors").read_bytes()
    path = tmp_path / "x.safetensors"
    path.write_bytes(data[:change] if change < 0 else data + b"\0" * change)
    with pytest.raises(InputError, match=r"x\.safetensors.*truncated or damaged"):
        index_file(path)


@pytest.mark.parametrize("data", [b"", b"\x02\0\0", b"\xff" * 64, b"\x02\0\0\0\0\0\0\0[]", b"\x04\0\0\0\0\0\0\0nope"])
def test_what_is_no_safetensors_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"x\.safetensors"):
        index_file(path)


def test_nan_is_refused_with_the_tensors_name(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"good": torch.ones(2), "bad": torch.tensor([1.0, float("nan"), float("inf")])}, path)
    refs = index_file(path)
    refs["good"].read()
    with pytest.raises(InputError, match="bad holds 2 NaN or infinite values of 3"):
        refs["bad"].read()


def test_integers_are_refused_as_a_quantised_checkpoint(tmp_path: Path) -> None:
    save_file({"qweight": torch.ones(2, dtype=torch.int32)}, tmp_path / "x.safetensors")
    with pytest.raises(UnsupportedError, match="qweight is of type I32"):
        index_file(tmp_path / "x.safetensors")


def test_an_index_that_names_a_missing_file_or_tensor_is_refused(base: Path, tmp_path: Path) -> None:
    sharded = tiny.shard(base, tmp_path / "sharded")
    index = sharded / "model.safetensors.index.json"
    table = json.loads(index.read_text())
    table["weight_map"]["model.extra.weight"] = "model-00001-of-00002.safetensors"
    index.write_text(json.dumps(table))
    with pytest.raises(InputError, match=r"disagree about model\.extra\.weight"):
        index_folder(sharded)
    weight_files(sharded)[0].unlink()
    with pytest.raises(InputError, match=r"00001-of-00002\.safetensors: no such file"):
        index_folder(sharded)


def test_a_folder_without_safetensors_says_how_to_save_them(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="save_pretrained"):
        index_folder(tmp_path)


def flip(path: Path, position: int) -> None:
    """Change one byte."""
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    path.write_bytes(bytes(data))
