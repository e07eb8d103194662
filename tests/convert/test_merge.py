"""Merging: what PEFT's merge_and_unload gives, for every plain LoRA; what nothing can merge is refused by name."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from convert.base import Base
from convert.checkpoint.folder import index_folder
from convert.errors import ConvertError, InputError, UnsupportedError
from convert.fidelity.reference import load_model
from convert.gguf.source import read_source
from convert.gguf.writer import write_gguf
from convert.lora import merge
from convert.lora.adapter import TRAINING, read_adapter, refuse_other_base
from convert.lora.merge import LoraPatch, refuse_misfit
from convert.lora.merging import merging, write_merged_folder
from tests.convert import tiny

KINDS: dict[str, dict[str, object]] = {
    "plain": {},
    "rslora": {"use_rslora": True, "r": 8},
    "alpha_pattern": {"alpha_pattern": {"q_proj": 32, r"model\.layers\.1\.mlp\.up_proj": 2}},
    "rank_pattern": {"rank_pattern": {"layers.0.self_attn.v_proj": 2, "down_proj": 16}, "use_rslora": True},
    "regular expressions": {"rank_pattern": {r".*\.1\..*": 3}, "alpha_pattern": {"(q|k)_proj": 1, "proj": 64}},
    "some layers": {"target_modules": ["q_proj", "v_proj"], "layers_to_transform": [1]},
    "head": {"target_modules": ["o_proj", "lm_head"]},
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_merged_folder_is_what_peft_merges(kind: str, base: Path, tmp_path: Path) -> None:
    folder = tiny.write_adapter(base, tmp_path / "adapter", **KINDS[kind])
    out = write_merged_folder(Base(base, "tiny", "local"), read_adapter(folder), tmp_path / "merged")
    merged = load_file(out / "model.safetensors")
    expected = load_model(base, folder).state_dict()
    plain = load_model(base).state_dict()
    assert set(merged) == set(expected)
    changed = 0
    for name, values in expected.items():
        torch.testing.assert_close(merged[name], values, rtol=1e-5, atol=1e-6)
        changed += not torch.equal(values, plain[name])
    assert changed == len(read_adapter(folder).pairs)


def test_merging_on_the_way_into_a_gguf_gives_the_merged_folders_gguf(
    base: Path, adapter: Path, tmp_path: Path
) -> None:
    loaded = read_adapter(adapter)
    folder = write_merged_folder(Base(base, "tiny", "local"), loaded, tmp_path / "tiny")
    direct = write_gguf(read_source(base, name="m"), tmp_path / "direct.gguf", LoraPatch(loaded))
    detour = write_gguf(read_source(folder, name="m"), tmp_path / "detour.gguf")
    assert direct.read_bytes() == detour.read_bytes()


def test_pieces_of_a_matrix_give_what_the_whole_gives(
    base: Path, adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded, refs = read_adapter(adapter), index_folder(base)
    name = "model.layers.0.self_attn.k_proj.weight"
    whole = LoraPatch(loaded).apply(name, refs[name].read())
    rows, columns = whole.shape
    for piece in (1, 3, rows - 1):
        monkeypatch.setattr(merge, "PIECE_BYTES", 4 * columns * piece)
        pieces = LoraPatch(loaded).apply(name, refs[name].read())
        torch.testing.assert_close(torch.from_numpy(pieces), torch.from_numpy(whole))


def test_a_tensor_that_passes_in_blocks_is_merged_block_by_block(base: Path, adapter: Path) -> None:
    loaded, refs = read_adapter(adapter), index_folder(base)
    patch, blocks = LoraPatch(loaded), LoraPatch(loaded)
    for name, ref in refs.items():
        whole, rows = patch.apply(name, ref.read()), ref.shape[0]
        for start in range(0, rows, 100):
            block = blocks.apply(name, ref.read()[start : start + 100], start)
            torch.testing.assert_close(torch.from_numpy(block), torch.from_numpy(whole[start : start + 100]))
    blocks.finish()
    short = LoraPatch(loaded)
    for name, ref in refs.items():
        short.apply(name, ref.read()[:-1])
    with pytest.raises(InputError, match="updates"):
        short.finish()


def test_the_stream_takes_the_base_as_it_lies_and_leaves_nothing_behind(
    base: Path, adapter: Path, tmp_path: Path
) -> None:
    with merging(Base(base, "tiny", "local"), read_adapter(adapter), tmp_path / "scratch") as (folder, patch):
        assert folder == base
        assert isinstance(patch, LoraPatch)
    with merging(Base(base, "tiny", "local"), None, tmp_path / "scratch") as (folder, patch):
        assert (folder, patch) == (base, None)
    assert list(tmp_path.iterdir()) == []


def change_config(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "adapter_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


def change_tensors(change: Callable[[dict[str, torch.Tensor]], object]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        path = folder / "adapter_model.safetensors"
        tensors = load_file(path)
        change(tensors)
        save_file(tensors, path)

    return apply


Q = "base_model.model.model.layers.0.self_attn.q_proj"

REFUSED: dict[str, tuple[Callable[[Path], object], type[ConvertError], str]] = {
    "dora without magnitudes": (change_config(use_dora=True), InputError, "lora_magnitude_vector"),
    "bias": (change_config(bias="all"), UnsupportedError, "bias"),
    "layer_replication": (change_config(layer_replication=[[0, 1]]), UnsupportedError, "layer_replication"),
    "transposed": (change_config(fan_in_fan_out=True), UnsupportedError, "fan_in_fan_out"),
    "unheard of": (change_config(use_tomorrows_method=True), UnsupportedError, "use_tomorrows_method"),
    "pissa": (change_config(init_lora_weights="pissa_niter_4"), UnsupportedError, "pissa"),
    "activated later": (change_config(alora_invocation_tokens=[5]), UnsupportedError, "alora_invocation_tokens"),
    "biases of lora": (change_config(lora_bias=True), UnsupportedError, "lora_bias"),
    "not lora": (change_config(peft_type="LOKR"), UnsupportedError, "LOKR"),
    "ia3": (change_config(peft_type="IA3"), UnsupportedError, "IA3"),
    "no pattern": (change_config(alpha_pattern={"q_proj(": 4}), InputError, "alpha_pattern"),
    "endless alpha": (change_config(lora_alpha=float("inf")), InputError, "lora_alpha"),
    "no rank": (change_config(r="sixteen"), InputError, "'sixteen'"),
    "other rank": (change_config(r=5), InputError, "rank 5"),
    "dora tensor": (
        change_tensors(lambda t: t.update({f"{Q}.lora_magnitude_vector": torch.ones(2)})),
        UnsupportedError,
        "lora_magnitude_vector",
    ),
    "bias tensor": (
        change_tensors(lambda t: t.update({"base_model.model.model.layers.0.self_attn.q_proj.bias": torch.ones(256)})),
        UnsupportedError,
        r"q_proj\.bias",
    ),
    "unsaved module": (
        change_tensors(lambda t: t.update({"base_model.model.lm_head.weight": torch.ones(2, 2)})),
        UnsupportedError,
        r"lm_head\.weight",
    ),
    "half a pair": (change_tensors(lambda t: t.pop(f"{Q}.lora_B.weight")), InputError, r"q_proj has only lora_A"),
    "empty": (change_tensors(lambda t: t.clear()), InputError, "no tensors"),
    "truncated": (
        lambda folder: (folder / "adapter_model.safetensors").write_bytes(
            (folder / "adapter_model.safetensors").read_bytes()[:-5]
        ),
        InputError,
        "truncated",
    ),
    "no weights": (lambda folder: (folder / "adapter_model.safetensors").unlink(), InputError, "adapter_model"),
}


@pytest.mark.parametrize("damage", REFUSED)
def test_what_is_no_plain_lora_is_refused_by_name(damage: str, adapter: Path, tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    shutil.copytree(adapter, folder)
    change, error, words = REFUSED[damage]
    change(folder)
    with pytest.raises(error, match=words):
        read_adapter(folder)


def test_an_update_without_a_tensor_is_refused_before_and_after(base: Path, adapter: Path, tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    shutil.copytree(adapter, folder)
    change_tensors(lambda t: t.update({k.replace("layers.0", "layers.7"): v.clone() for k, v in list(t.items())}))(
        folder
    )
    loaded = read_adapter(folder)
    with pytest.raises(InputError, match=r"model\.layers\.7\..* and \d+ more, which the base does not have"):
        refuse_misfit(loaded, index_folder(base), tied=False)
    with pytest.raises(InputError, match=r"model\.layers\.7"):
        write_gguf(read_source(base), tmp_path / "out" / "m.gguf", LoraPatch(loaded))
    with pytest.raises(InputError, match=r"model\.layers\.7"):
        write_merged_folder(Base(base, "tiny", "local"), loaded, tmp_path / "out" / "merged")
    assert list((tmp_path / "out").iterdir()) == []


def test_nan_in_an_adapter_is_refused(base: Path, adapter: Path, tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    shutil.copytree(adapter, folder)
    change_tensors(lambda t: t[f"{Q}.lora_A.weight"][0, 0].fill_(float("nan")))(folder)
    with pytest.raises(InputError, match=r"q_proj\.lora_A\.weight holds 1 NaN"):
        write_gguf(read_source(base), tmp_path / "m.gguf", LoraPatch(read_adapter(folder)))


def test_a_head_that_is_also_the_embedding_is_not_updated(tokenizer: Path, base: Path, tmp_path: Path) -> None:
    folder = tiny.write_adapter(base, tmp_path / "adapter", target_modules=["lm_head"])
    with pytest.raises(InputError, match="tied"):
        refuse_misfit(read_adapter(folder), index_folder(base), tied=True)


def test_an_adapter_of_another_shape_is_refused(tokenizer: Path, adapter: Path, tmp_path: Path) -> None:
    other = tiny.write_base(tmp_path / "other", tokenizer, intermediate_size=768)
    with pytest.raises(InputError, match="pass the base that it was trained on"):
        refuse_misfit(read_adapter(adapter), index_folder(other), tied=False)


def test_an_adapter_that_names_another_base_is_refused(base: Path, adapter: Path, tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    shutil.copytree(adapter, folder)
    change_config(base_model_name_or_path="TinyLlama/TinyLlama-1.1B-Chat-v1.0")(folder)
    refuse_other_base(read_adapter(folder), Base(base, "TinyLlama/TinyLlama-1.1B-Chat-v1.0", "x"))
    refuse_other_base(read_adapter(folder), Base(base, "some-folder", "local"))
    with pytest.raises(InputError, match=r"trained on TinyLlama/TinyLlama-1\.1B-Chat-v1\.0; the base is other/model"):
        refuse_other_base(read_adapter(folder), Base(base, "other/model", "x"))
    refuse_other_base(read_adapter(folder), Base(base, "tinyllama/tinyllama-1.1b-chat-v1.0", "x"))


def test_a_recorded_digest_decides_about_the_base(base: Path, tokenizer: Path, adapter: Path, tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    shutil.copytree(adapter, folder)
    mine = Base(base, "tiny", "local")
    (folder / TRAINING).write_text(json.dumps({"base_sha256": mine.sha256}))
    refuse_other_base(read_adapter(folder), mine)
    twin = Base(tiny.write_base(tmp_path / "twin", tokenizer, seed=5), "tiny", "local")
    with pytest.raises(InputError, match=twin.sha256):
        refuse_other_base(read_adapter(folder), twin)
