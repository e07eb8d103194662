"""An adapter as a file of its own: put on the base at run time it computes what the merged model computes."""

from __future__ import annotations

import ctypes
import json
import shutil
from pathlib import Path

import gguf
import llama_cpp
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from convert.__main__ import main
from convert.base import Base
from convert.checkpoint.weights import Float32Array
from convert.errors import ConvertError, InputError, UnsupportedError
from convert.gguf.source import read_source
from convert.gguf.tensors import Precision
from convert.gguf.writer import write_gguf
from convert.lora.adapter import read_adapter
from convert.lora.hotswap import HotswapOptions, base_keys, refuse_hotswap_of_other_base, write_hotswap
from convert.lora.merge import LoraPatch
from convert.quantization.libllama import GgufModel
from tests.convert import tiny

ROW = [1, *range(30, 90), 7, 300]

#: Relative error that a file of its own may have against the merged model.
TOLERANCE = 0.01

KINDS: dict[str, dict[str, object]] = {
    "plain": {},
    "rslora": {"use_rslora": True, "r": 8},
    "alpha_pattern": {"alpha_pattern": {"q_proj": 32, r"model\.layers\.1\.mlp\.up_proj": 2}},
    "both patterns": {
        "alpha_pattern": {"(k|v)_proj": 24},
        "rank_pattern": {"layers.0.self_attn.k_proj": 2, "up_proj": 16},
    },
    "patterns and rslora": {
        "alpha_pattern": {"q_proj": 3},
        "rank_pattern": {"q_proj": 9, "down_proj": 1},
        "use_rslora": True,
    },
    "head": {"target_modules": ["o_proj", "lm_head"], "use_rslora": True},
}


class Wearing(GgufModel):
    """A model that has an adapter on, at full strength."""

    def wear(self, path: Path) -> None:
        worn = llama_cpp.llama_adapter_lora_init(self._model, str(path).encode())
        assert worn, f"{path} was not taken"
        adapters = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(worn)
        assert llama_cpp.llama_set_adapters_lora(self._context, adapters, 1, (ctypes.c_float * 1)(1.0)) == 0


@pytest.fixture(scope="module")
def f32(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Path:
    return write_gguf(read_source(base, Precision.F32), tmp_path_factory.mktemp("gguf") / "f32.gguf")


def error(found: Float32Array, wanted: Float32Array) -> float:
    return float(np.linalg.norm(found - wanted) / np.linalg.norm(wanted))


def logits(model: Path, adapter: Path | None = None) -> Float32Array:
    llama = Wearing(model, threads=1)
    try:
        if adapter:
            llama.wear(adapter)
        return llama.logits(ROW)
    finally:
        llama.close()


@pytest.mark.parametrize("precision", [Precision.F32, Precision.F16])
@pytest.mark.parametrize("kind", KINDS)
def test_put_on_at_run_time_it_computes_what_the_merged_model_computes(
    kind: str, precision: Precision, base: Path, f32: Path, tmp_path: Path
) -> None:
    adapter = read_adapter(tiny.write_adapter(base, tmp_path / "adapter", **KINDS[kind]))
    merged = logits(write_gguf(read_source(base, Precision.F32), tmp_path / "merged.gguf", LoraPatch(adapter)))
    file = write_hotswap(Base(base, "tiny", "local"), adapter, tmp_path / "a.gguf", HotswapOptions(precision))
    worn, bare = logits(f32, file), logits(f32)
    assert error(worn, merged) <= TOLERANCE
    assert error(worn - bare, merged - bare) <= TOLERANCE  # of the change itself, which is the smaller figure
    assert error(bare, merged) > 10 * TOLERANCE


@pytest.mark.parametrize("kind", ["rslora", "alpha_pattern"])
def test_over_a_float16_base_it_computes_what_the_float16_merged_model_computes(
    kind: str, base: Path, f16: Path, tmp_path: Path
) -> None:
    adapter = read_adapter(tiny.write_adapter(base, tmp_path / "adapter", **KINDS[kind]))
    merged = logits(write_gguf(read_source(base), tmp_path / "merged.gguf", LoraPatch(adapter)))
    assert (
        error(logits(f16, write_hotswap(Base(base, "t", "local"), adapter, tmp_path / "a.gguf")), merged) <= TOLERANCE
    )


def test_the_factors_of_a_plain_adapter_are_kept_bit_for_bit(base: Path, adapter: Path, tmp_path: Path) -> None:
    loaded = read_adapter(adapter)
    reader = gguf.GGUFReader(write_hotswap(Base(base, "t", "local"), loaded, tmp_path / "a.gguf"))
    stored = {tensor.name: tensor.data for tensor in reader.tensors}
    assert len(stored) == 2 * len(loaded.pairs)
    weights = load_file(adapter / "adapter_model.safetensors")
    down = "base_model.model.model.layers.1.mlp.down_proj.lora_"
    np.testing.assert_array_equal(stored["blk.1.ffn_down.weight.lora_a"], weights[f"{down}A.weight"].numpy())
    np.testing.assert_array_equal(stored["blk.1.ffn_down.weight.lora_b"], weights[f"{down}B.weight"].numpy())


def test_the_file_says_what_it_is_and_which_base_it_is_for(
    base: Path, adapter: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "adapter-refunds.gguf"
    command = ["adapter", "--base", str(base), "--adapter", str(adapter), "--out", str(out), "--json"]
    assert main([*command, "--name", "refunds", "--licence", "Apache-2.0", "--precision", "f16"]) == 0
    assert json.loads(capsys.readouterr().out)["updates"] == 14
    fields = {key: field.contents() for key, field in gguf.GGUFReader(out).fields.items()}
    wanted = {
        "general.architecture": "llama",
        "general.type": "adapter",
        "general.name": "refunds",
        "general.license": "Apache-2.0",
        "general.base_model.count": 1,
        "general.base_model.0.name": "tiny",
        "general.file_type": 1,
        "adapter.type": "lora",
        "adapter.lora.alpha": 8.0,
        "tellerbox.base.sha256": Base(base, "tiny", "local").sha256,
        "tellerbox.adapter.sha256": read_adapter(adapter).sha256,
    }
    assert {key: fields.get(key) for key in wanted} == wanted


def test_a_hub_id_is_written_out_whether_the_base_or_peft_knows_it() -> None:
    nowhere, chat = Path("nowhere"), "TinyLlama/TinyLlama-1.1B-Chat-v1.0"
    keys = base_keys(Base(nowhere, chat, "abc"), {"base_model_name_or_path": "/home/me/model"})
    assert keys == {
        "general.base_model.count": 1,
        "general.base_model.0.name": "TinyLlama-1.1B-Chat-v1.0",
        "general.base_model.0.organization": "TinyLlama",
        "general.base_model.0.repo_url": f"https://huggingface.co/{chat}",
        "general.base_model.0.version": "abc",
    }
    assert base_keys(Base(nowhere, "copy", "abc"), {"base_model_name_or_path": chat}) == keys
    assert base_keys(Base(nowhere, "copy", "local"), {})["general.base_model.0.name"] == "copy"


def test_one_made_for_another_base_is_told_by_its_digest(
    base: Path, adapter: Path, f16: Path, tokenizer: Path, tmp_path: Path
) -> None:
    mine = Base(base, "tiny", "local")
    file = write_hotswap(mine, read_adapter(adapter), tmp_path / "a.gguf")
    refuse_hotswap_of_other_base(file, mine.sha256)
    twin = Base(tiny.write_base(tmp_path / "twin", tokenizer, seed=5), "tiny", "local")  # of the very same shapes
    with pytest.raises(InputError, match=rf"made for a base with sha256 {mine.sha256}; this one has {twin.sha256}"):
        refuse_hotswap_of_other_base(file, twin.sha256)
    with pytest.raises(InputError, match="expected 'lora'"):
        refuse_hotswap_of_other_base(f16, mine.sha256)
    with pytest.raises(InputError, match="not a readable GGUF"):
        refuse_hotswap_of_other_base(adapter / "adapter_config.json", mine.sha256)


def test_llama_cpp_refuses_one_for_a_base_of_another_shape(
    base: Path, adapter: Path, tokenizer: Path, tmp_path: Path
) -> None:
    other = tiny.write_base(tmp_path / "other", tokenizer, intermediate_size=768)
    file = write_hotswap(Base(base, "tiny", "local"), read_adapter(adapter), tmp_path / "a.gguf")
    with pytest.raises(AssertionError, match="not taken"):
        logits(write_gguf(read_source(other), tmp_path / "other.gguf"), file)
    with pytest.raises(InputError, match="the base has"):
        write_hotswap(Base(other, "other", "local"), read_adapter(adapter), tmp_path / "b.gguf")
    assert not (tmp_path / "b.gguf").exists()


REFUSED: dict[str, tuple[dict[str, object], float, Precision, type[ConvertError], str]] = {
    "dora": ({"use_dora": True}, 1.0, Precision.F32, UnsupportedError, "use_dora"),
    "saved modules": ({"modules_to_save": ["lm_head"]}, 1.0, Precision.F32, UnsupportedError, "modules_to_save"),
    "beyond float16": ({}, 1e6, Precision.F16, InputError, "--precision f32"),
    "below float16": ({}, 1e-6, Precision.F16, InputError, "--precision f32"),
    "precision": ({}, 1.0, Precision.BF16, InputError, "bf16"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_such_a_file_cannot_hold_is_refused_and_nothing_is_left(why: str, base: Path, tmp_path: Path) -> None:
    settings, size, precision, kind, words = REFUSED[why]
    folder = tiny.write_adapter(base, tmp_path / "adapter", **settings)
    path = folder / "adapter_model.safetensors"
    save_file({name: size * values for name, values in load_file(path).items()}, path)
    with pytest.raises(kind, match=words):
        write_hotswap(
            Base(base, "t", "local"), read_adapter(folder), tmp_path / "out" / "a.gguf", HotswapOptions(precision)
        )
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_an_adapter_stored_in_bfloat16_is_read_as_it_is(base: Path, adapter: Path, f32: Path, tmp_path: Path) -> None:
    folder = tmp_path / "half"
    shutil.copytree(adapter, folder)
    path = folder / "adapter_model.safetensors"
    save_file({name: values.to(torch.bfloat16) for name, values in load_file(path).items()}, path)
    loaded = read_adapter(folder)
    merged = logits(write_gguf(read_source(base, Precision.F32), tmp_path / "merged.gguf", LoraPatch(loaded)))
    assert error(logits(f32, write_hotswap(Base(base, "t", "local"), loaded, tmp_path / "a.gguf")), merged) <= TOLERANCE
