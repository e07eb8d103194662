"""Adapters that do not stream go through PEFT to the very same GGUF writer, and every tensor of theirs is applied."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from convert.__main__ import main
from convert.base import Base
from convert.checkpoint.folder import index_folder
from convert.errors import InputError, UnsupportedError
from convert.fidelity.figures import compare
from convert.fidelity.reference import load_model
from convert.fidelity.reference import logits as reference_logits
from convert.gguf.source import read_source
from convert.gguf.tensors import Precision
from convert.gguf.writer import write_gguf
from convert.lora.adapter import read_adapter
from convert.lora.merge import LoraPatch, refuse_misfit
from convert.lora.merging import merging, write_merged_folder
from convert.quantization.libllama import GgufModel
from tests.convert import tiny

ROW = [1, *range(30, 90), 7, 300]

KINDS: dict[str, dict[str, object]] = {
    "dora": {"use_dora": True},
    "dora and rslora": {"use_dora": True, "use_rslora": True, "rank_pattern": {"q_proj": 2}},
    "saved head": {"modules_to_save": ["lm_head"]},
    "embedding": {"target_modules": ["q_proj", "embed_tokens"]},
    "single tokens": {"trainable_token_indices": [5, 9]},
}


def write_adapter(base: Path, out: Path, **settings: object) -> Path:
    """An adapter every tensor of which differs from what PEFT starts with."""
    folder = tiny.write_adapter(base, out, **settings)
    path = folder / "adapter_model.safetensors"
    torch.manual_seed(3)
    tensors = load_file(path)
    changed = {
        name: v if "lora_A" in name or "lora_B" in name else v + 0.05 * torch.rand_like(v)
        for name, v in tensors.items()
    }
    save_file(changed, path)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_the_gguf_computes_what_peft_and_transformers_compute(kind: str, base: Path, tmp_path: Path) -> None:
    folder = write_adapter(base, tmp_path / "adapter", **KINDS[kind])
    adapter, scratch = read_adapter(folder), tmp_path / "scratch"
    assert adapter.through_peft
    with merging(Base(base, "tiny", "local"), adapter, scratch) as (merged, patch):
        assert (merged.name, patch) == (base.name, None)
        path = write_gguf(read_source(merged, Precision.F32), tmp_path / "m.gguf", patch)
    assert not scratch.exists()
    with GgufModel(path, threads=1) as llama:
        found = compare([ROW], [reference_logits(load_model(base, folder), ROW)], [llama.logits(ROW)])
        bare = compare([ROW], [reference_logits(load_model(base), ROW)], [llama.logits(ROW)])
    assert found.mean_kld < 1e-5
    assert bare.mean_kld > 100 * found.mean_kld


def test_merge_and_gguf_take_it_from_the_command_line(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_adapter(base, tmp_path / "adapter", use_dora=True)
    shared = ["--base", str(base), "--adapter", str(folder), "--json", "--out"]
    assert main(["merge", *shared, str(tmp_path / "merged" / "tiny")]) == 0
    assert "use_dora" in json.loads(capsys.readouterr().out)["through_peft"]
    assert main(["gguf", *shared, str(tmp_path / "direct.gguf")]) == 0
    detour = ["gguf", "--base", str(tmp_path / "merged" / "tiny"), "--out", str(tmp_path / "detour.gguf")]
    assert main(detour) == 0
    assert (tmp_path / "direct.gguf").read_bytes() == (tmp_path / "detour.gguf").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "detour.gguf", "direct.gguf", "merged"]
    for name in ("tokenizer.model", "config.json"):
        assert (tmp_path / "merged" / "tiny" / name).read_bytes() == (base / name).read_bytes()


def test_through_peft_a_plain_adapter_gives_what_the_stream_gives(base: Path, adapter: Path, tmp_path: Path) -> None:
    from convert.lora.folder import write_folder
    from convert.lora.peft_merge import PeftPatch

    loaded = read_adapter(adapter)
    slow = load_file(write_folder(base, tmp_path / "peft", PeftPatch(base, loaded)) / "model.safetensors")
    fast = load_file(write_folder(base, tmp_path / "stream", LoraPatch(loaded)) / "model.safetensors")
    assert set(slow) == set(fast)
    for name in slow:
        np.testing.assert_allclose(fast[name].numpy(), slow[name].numpy(), rtol=1e-5, atol=1e-6)


def test_the_stream_refuses_what_it_would_apply_in_part(base: Path, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="use_dora"):
        LoraPatch(read_adapter(write_adapter(base, tmp_path / "adapter", use_dora=True)))


def test_a_tensor_that_peft_would_pass_over_is_named(base: Path, tmp_path: Path) -> None:
    folder = write_adapter(base, tmp_path / "adapter", modules_to_save=["lm_head"])
    path = folder / "adapter_model.safetensors"
    stray = {"base_model.model.model.layers.1.lm_head.weight": torch.ones(4)}
    save_file({**load_file(path), **stray}, path)
    with pytest.raises(InputError, match=r"layers\.1\.lm_head\.weight is not what the model has"):
        write_merged_folder(Base(base, "tiny", "local"), read_adapter(folder), tmp_path / "out" / "merged")
    assert not (tmp_path / "out").exists()


def test_saved_modules_that_the_file_lacks_are_named(base: Path, adapter: Path, tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    shutil.copytree(adapter, folder)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**config, "modules_to_save": ["lm_head"]}))
    with pytest.raises(InputError, match="no tensor of lm_head, which modules_to_save names"):
        read_adapter(folder)


def test_a_saved_module_of_another_shape_is_refused(base: Path, tokenizer: Path, tmp_path: Path) -> None:
    folder = write_adapter(base, tmp_path / "adapter", modules_to_save=["lm_head"])
    path = folder / "adapter_model.safetensors"
    tensors = load_file(path)
    tensors["base_model.model.lm_head.weight"] = torch.ones(tiny.VOCAB + 3, 256)
    save_file(tensors, path)
    with pytest.raises(InputError, match=r"PEFT cannot put it on .*lm_head"):
        write_merged_folder(Base(base, "tiny", "local"), read_adapter(folder), tmp_path / "merged")


def test_a_head_or_embedding_that_are_one_are_not_changed_apart(base: Path, tmp_path: Path) -> None:
    for number, settings in enumerate(({"modules_to_save": ["lm_head"]}, {"target_modules": ["embed_tokens"]})):
        folder = write_adapter(base, tmp_path / str(number), **settings)
        with pytest.raises(InputError, match="tied"):
            refuse_misfit(read_adapter(folder), index_folder(base), tied=True)
