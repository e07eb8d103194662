"""GPTQ checkpoints: the numbers packed in them come out exactly; the double loss is warned of; damage is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from convert.__main__ import main
from convert.checkpoint.folder import index_folder
from convert.errors import ConvertError, InputError, UnsupportedError
from convert.gguf.config import read_config
from convert.gguf.gptq import WARNING, GptqSettings, read_gptq, unpacked
from convert.gguf.source import read_source
from convert.gguf.tensors import Precision
from convert.gguf.writer import write_gguf
from tests.convert.gguf.checkpoints import to_gptq, trained, write_checkpoint

GATE = "model.layers.1.mlp.gate_proj"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Qwen2 in float32, never changed."""
    return write_checkpoint(tmp_path_factory.mktemp("plain") / "m", "qwen2", trained("qwen2"))


@pytest.fixture(scope="module")
def packed(plain: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same in GPTQ with zeros of its own, scattered groups and the empty biases of AutoGPTQ; never changed."""
    out = tmp_path_factory.mktemp("packed") / "m"
    return to_gptq(plain, out, symmetric=False, scattered=True, empty_biases=True)


@pytest.mark.parametrize("scattered", [False, True])
@pytest.mark.parametrize("symmetric", [False, True])
def test_the_gguf_holds_the_very_matrices_that_were_packed(
    symmetric: bool, scattered: bool, plain: Path, tmp_path: Path
) -> None:
    folder = to_gptq(plain, tmp_path / "m", symmetric=symmetric, scattered=scattered)
    path = write_gguf(read_source(folder, Precision.F32), tmp_path / "m.gguf")
    stored = {tensor.name: np.array(tensor.data) for tensor in gguf.GGUFReader(path).tensors}
    targets = {plan.source.name: plan.target for plan in read_source(folder).tensors}
    meant = np.load(tmp_path / "m.npz")
    assert len(meant.files) == 2 * 7
    for name in meant.files:
        np.testing.assert_array_equal(stored[targets[name]], meant[name])


def test_four_bits_stay_near_the_weights_that_they_were_rounded_from(plain: Path, packed: Path) -> None:
    floats = load_file(plain / "model.safetensors")
    sources, _ = unpacked(index_folder(packed, integers=True), read_config(packed).gptq, floats)  # type: ignore[arg-type]
    for name in (f"{GATE}.weight", "model.layers.0.self_attn.q_proj.weight"):
        error = np.abs(sources[name].read() - floats[name])
        step = np.ptp(floats[name], axis=1, keepdims=True) / 15  # no group's step is wider than its whole row's
        assert (error <= 0.51 * step + 1e-3 * np.abs(floats[name]).max()).all()


def test_a_block_of_rows_is_that_part_of_the_whole(packed: Path) -> None:
    source = next(plan.source for plan in read_source(packed).tensors if plan.source.name == f"{GATE}.weight")
    whole = source.read()
    for start, stop in ((0, 1), (3, 11), (len(whole) - 1, len(whole)), (5, 5)):
        np.testing.assert_array_equal(source.rows(start, stop), whole[start:stop])


def test_a_matrix_worked_out_by_hand(tmp_path: Path) -> None:
    """Two groups of eight inputs, eight outputs; output 0 is 1, 2, 3 ... minus its zero point, times its scale."""
    quants = np.zeros((16, 8), np.uint32)  # (I, O)
    quants[:, 0] = np.arange(16)
    stored_zeros = np.zeros((2, 8), np.uint32)  # (G, O); format gptq stores them one too small
    stored_zeros[:, 0] = (4, 11)
    scales = np.ones((2, 8), np.float16)
    scales[:, 0] = (0.5, 0.25)
    shifts = np.uint32(4) * np.arange(8, dtype=np.uint32)
    words = (quants.reshape(2, 8, 8) << shifts[None, :, None]).sum(1, dtype=np.uint32)  # (I / 8, O)
    zeros = (stored_zeros.reshape(2, 1, 8) << shifts).sum(2, dtype=np.uint32)  # (G, O / 8)
    groups = np.array([1] * 4 + [0] * 8 + [1] * 4, np.int32)
    parts = {"qweight": words.view(np.int32), "qzeros": zeros.view(np.int32), "scales": scales, "g_idx": groups}
    save_file({f"x.{part}": value for part, value in parts.items()}, tmp_path / "model.safetensors")
    for layout, offset in (("gptq", 1), ("gptq_v2", 0)):
        settings = gptq_settings(tmp_path, checkpoint_format=layout)
        sources, _ = unpacked(index_folder(tmp_path, integers=True), settings, ())
        zero, scale = np.array([4, 11]) + offset, np.array([0.5, 0.25])
        expected = scale[groups] * (np.arange(16) - zero[groups])
        np.testing.assert_array_equal(sources["x.weight"].read()[0], expected)
        np.testing.assert_array_equal(sources["x.weight"].read()[1:], np.full((7, 16), -offset))


def gptq_settings(folder: Path, **changes: object) -> GptqSettings:
    """Of groups of eight."""
    settings = {"quant_method": "gptq", "bits": 4, "group_size": 8, "desc_act": True, **changes}
    found = read_gptq({"quantization_config": settings}, folder / "config.json")
    assert found is not None
    return found


def test_without_g_idx_groups_follow_each_other(plain: Path, tmp_path: Path) -> None:
    folder = to_gptq(plain, tmp_path / "m", symmetric=True, scattered=False)
    with_index = read_all(folder)
    tensors = load_file(folder / "model.safetensors")
    save_file(
        {name: value for name, value in tensors.items() if not name.endswith(".g_idx")},
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    found = read_all(folder)
    assert set(found) == set(with_index)
    for name, values in found.items():
        np.testing.assert_array_equal(values, with_index[name])


def read_all(folder: Path) -> dict[str, np.ndarray]:
    return {plan.source.name: plan.source.read() for plan in read_source(folder).tensors}


def test_the_double_loss_is_warned_of_and_empty_biases_are_told(plain: Path, packed: Path) -> None:
    said = read_source(packed).warnings
    assert WARNING in said
    assert any(text.startswith("8 biases that are zero throughout were left out") for text in said)
    assert WARNING not in read_source(plain).warnings


def test_the_gguf_command_prints_the_warnings(packed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["gguf", "--base", str(packed), "--out", str(tmp_path / "m.gguf")]
    assert main(command) == 0
    assert WARNING in capsys.readouterr().out
    assert main([*command, "--json"]) == 0
    assert WARNING in json.loads(capsys.readouterr().out)["warnings"]


def setting(name: str, value: object) -> Callable[[Path], None]:
    """Damage: another value in ``quantization_config``."""

    def change(folder: Path) -> None:
        path = folder / "config.json"
        config = json.loads(path.read_text(encoding="utf-8"))
        config["quantization_config"][name] = value
        path.write_text(json.dumps(config), encoding="utf-8")

    return change


def tensor(name: str, edit: Callable[[np.ndarray], np.ndarray | None]) -> Callable[[Path], None]:
    """Damage: another tensor; None takes it out."""

    def change(folder: Path) -> None:
        tensors = load_file(folder / "model.safetensors")
        value = edit(tensors.pop(name))
        if value is not None:
            tensors[name] = np.ascontiguousarray(value)
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})

    return change


REFUSED: dict[str, tuple[Callable[[Path], None], type[ConvertError], str]] = {
    "eight bits": (setting("bits", 8), UnsupportedError, "GPTQ with 8 bits.*expected 4 bits"),
    "another method": (setting("quant_method", "awq"), UnsupportedError, "'awq'.*convert the original model"),
    "another layout": (setting("checkpoint_format", "marlin"), UnsupportedError, "'marlin'.*expected.*gptq_v2"),
    "no group size": (setting("group_size", None), InputError, "has no group_size"),
    "other groups": (setting("group_size", 16), InputError, r"qzeros has shape \[4, .*groups of 16 say \[8, "),
    "no scales": (tensor(f"{GATE}.scales", lambda _: None), InputError, f"lacks {GATE}.scales"),
    "no order": (tensor(f"{GATE}.g_idx", lambda _: None), InputError, f"lacks {GATE}.g_idx"),
    "cut zeros": (tensor(f"{GATE}.qzeros", lambda t: t[:1]), InputError, f"{GATE}.qzeros has shape"),
    "a bias": (tensor(f"{GATE}.bias", lambda t: t + 1), UnsupportedError, f"{GATE}.bias is not zero"),
    "unknown group": (tensor(f"{GATE}.g_idx", lambda t: t + 1), InputError, "names group 2; there are 2"),
    "NaN scale": (tensor(f"{GATE}.scales", lambda t: t * np.nan), InputError, f"{GATE}.scales holds .* NaN"),
}


@pytest.mark.parametrize("damage", REFUSED)
def test_what_cannot_be_unpacked_is_refused_by_name(damage: str, packed: Path, tmp_path: Path) -> None:
    change, error, words = REFUSED[damage]
    folder = shutil.copytree(packed, tmp_path / "m")
    change(folder)
    with pytest.raises(error, match=words):
        write_gguf(read_source(folder), tmp_path / "m.gguf")
    assert not (tmp_path / "m.gguf").exists()
