"""What guides llama.cpp's quantising: it is used as given, or refused by name."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import gguf
import numpy as np
import pytest

from convert.errors import InputError, QuantizeError, UnsupportedError
from convert.gguf.source import read_source
from convert.gguf.writer import write_gguf
from convert.quantization.ggml import quantize_rows
from convert.quantization.imatrix import Imatrix, write_imatrix
from convert.quantization.quantize import Guidance, QuantType, mixture, quantize
from tests.convert import tiny

#: A build of llama.cpp's own tool, from the sources that llama-cpp-python carries.
LLAMA_QUANTIZE = os.environ.get("TELLERBOX_LLAMA_QUANTIZE", "")

#: Tensor and what it is stored as below.
TYPES = {"blk.0.ffn_up.weight": "Q5_K", "output.weight": "Q8_0", "token_embd.weight": "Q3_K"}


def stored(path: Path) -> dict[str, bytes]:
    return {tensor.name: tensor.data.tobytes() for tensor in gguf.GGUFReader(path).tensors}


def test_the_importance_matrix_weights_the_rounding(
    f16: Path, q4: Path, imatrix: Imatrix, imatrix_file: Path, tmp_path: Path
) -> None:
    made = quantize(f16, tmp_path / "q.gguf", threads=1, guidance=Guidance(imatrix_file))
    name = "blk.0.ffn_up.weight"
    source = next(tensor for tensor in gguf.GGUFReader(f16).tensors if tensor.name == name)
    weights = imatrix.entries[name].mean_squares
    rows = np.asarray(source.data, np.float32)
    expected = quantize_rows(rows, gguf.GGMLQuantizationType.Q4_K, weights).tobytes()
    assert stored(made.path)[name] == expected != stored(q4)[name]
    assert made.bytes == q4.stat().st_size


def test_single_tensors_get_the_types_that_they_were_given(f16: Path, tmp_path: Path) -> None:
    made = quantize(f16, tmp_path / "q.gguf", threads=1, guidance=Guidance(types=TYPES))
    types = {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(made.path).tensors}
    assert {name: types[name] for name in TYPES} == TYPES
    assert types["blk.1.ffn_up.weight"] == "Q4_K"


def test_the_mixture_is_known_beforehand(f16: Path, q4: Path) -> None:
    types = {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(q4).tensors}
    assert mixture(f16, QuantType.Q4_K_M) == types
    assert set(mixture(f16, QuantType.Q8_0).values()) == {"F32", "Q8_0"}


def test_an_importance_matrix_with_a_hole_is_refused(f16: Path, imatrix: Imatrix, tmp_path: Path) -> None:
    entries = {name: entry for name, entry in imatrix.entries.items() if name != "blk.1.attn_v.weight"}
    path = write_imatrix(replace(imatrix, entries=entries), tmp_path / "hole.gguf")
    with pytest.raises(InputError, match=r"hole\.gguf: .*blk\.1\.attn_v\.weight \(missing\)"):
        quantize(f16, tmp_path / "out" / "q.gguf", guidance=Guidance(path))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("types", "words"),
    [
        ({"blk.9.ffn_up.weight": "Q4_K"}, "the model has no such tensor"),
        ({"output.weight": "Q9_K"}, "expected a type of ggml such as Q4_K"),
    ],
)
def test_unknown_tensors_and_types_are_refused(f16: Path, tmp_path: Path, types: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        quantize(f16, tmp_path / "q.gguf", guidance=Guidance(types=types))


def test_a_type_that_rows_do_not_divide_by_is_refused(tokenizer: Path, tmp_path: Path) -> None:
    folder = tiny.write_base(tmp_path / "m", tokenizer, hidden_size=192, intermediate_size=512)
    source = write_gguf(read_source(folder), tmp_path / "m.gguf")
    with pytest.raises(UnsupportedError, match=r"rows of 192 do not divide by 256"):
        quantize(source, tmp_path / "q.gguf", QuantType.Q8_0, guidance=Guidance(types={"output.weight": "Q6_K"}))


def test_a_tensor_that_llama_cpp_never_quantises_is_reported(f16: Path, tmp_path: Path) -> None:
    with pytest.raises(QuantizeError, match=r"output_norm\.weight was to be Q8_0 and is F32"):
        quantize(f16, tmp_path / "q.gguf", threads=1, guidance=Guidance(types={"output_norm.weight": "Q8_0"}))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(not LLAMA_QUANTIZE, reason="TELLERBOX_LLAMA_QUANTIZE names no build of llama-quantize")
def test_llama_quantize_reads_our_importance_matrix_and_makes_the_same_tensors(
    f16: Path, imatrix: Imatrix, imatrix_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "theirs.gguf"
    command = [LLAMA_QUANTIZE, "--imatrix", str(imatrix_file)]
    for name, kind in TYPES.items():
        command += ["--tensor-type", f"^{re.escape(name)}$={kind}"]  # a pattern: unanchored it is found in attn_output
    done = subprocess.run([*command, str(f16), str(out), "Q4_K_M", "1"], capture_output=True, text=True, check=True)
    assert f"loaded {len(imatrix.entries)} importance matrix entries from {imatrix_file} computed on 2 chunks" in (
        done.stdout + done.stderr
    )
    ours = quantize(f16, tmp_path / "ours.gguf", threads=1, guidance=Guidance(imatrix_file, TYPES))
    assert stored(out) == stored(ours.path)
