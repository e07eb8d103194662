"""What is refused before anything is written, by the command line: each damage with what it is and what to do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from convert.__main__ import main
from convert.build.estimate import StageEstimate
from convert.build.room import judge_ram
from convert.checkpoint.folder import weights_sha256
from convert.gguf.gptq import WARNING
from tests.convert import tiny
from tests.convert.build.stages import STAGES
from tests.convert.building import Configure
from tests.convert.gguf.checkpoints import to_gptq
from tests.convert.test_checkpoint import flip

Tree = dict[str, tuple[int, int, int]]
Damage = Callable[[Path], dict[str, object]]


def tree(folder: Path) -> Tree:
    """Everything under a folder, and the folder: when it was changed, how long it is, its mode."""
    stats = {str(path): path.stat() for path in (folder, *folder.rglob("*"))}
    return {path: (stat.st_mtime_ns, stat.st_size, stat.st_mode) for path, stat in stats.items()}


@pytest.fixture
def parts(base: Path, adapter: Path, guard: Path, licences: Path, tmp_path: Path) -> Path:
    """Copies that may be damaged."""
    folder = tmp_path / "parts"
    for path in (base, adapter, guard):
        shutil.copytree(path, folder / {base: "base", adapter: "adapter", guard: "guard"}[path])
    shutil.copy(licences, folder / "licences.json")
    return folder


def change(path: Path, edit: Callable[[dict[str, np.ndarray]], object]) -> dict[str, object]:
    tensors = dict(load_file(path))
    edit(tensors)
    save_file(tensors, path, metadata={"format": "pt"})
    return {}


def add_unknown(tensors: dict[str, np.ndarray]) -> None:
    for side in "AB":
        known = next(name for name in tensors if f"layers.1.mlp.up_proj.lora_{side}" in name)
        tensors[known.replace("layers.1", "layers.7")] = tensors[known]


def set_nan(tensors: dict[str, np.ndarray]) -> None:
    tensors["model.layers.1.mlp.up_proj.weight"][3, 5] = np.nan


def cut(path: Path) -> dict[str, object]:
    path.write_bytes(path.read_bytes()[:-7])
    return {}


def wrong_base(parts: Path) -> dict[str, object]:
    (parts / "adapter" / "training.json").write_text(json.dumps({"base_sha256": "0" * 64}))
    return {}


def flipped_base(parts: Path) -> dict[str, object]:
    """The adapter's record has the base's digest; then one byte of the base changes."""
    record = {"base_sha256": weights_sha256(parts / "base")}
    (parts / "adapter" / "training.json").write_text(json.dumps(record))
    flip(parts / WEIGHTS, -4)
    return {}


def set_nan_factor(tensors: dict[str, np.ndarray]) -> None:
    next(value for name, value in tensors.items() if "up_proj.lora_B" in name)[1, 2] = np.nan


def no_licence(parts: Path) -> dict[str, object]:
    tiny.write_licences(parts / "licences.json", without=["adapter"])
    return {}


WEIGHTS = "base/model.safetensors"
FACTORS = "adapter/adapter_model.safetensors"

#: Name -> damage, words that say what is wrong, words that say what to do.
DAMAGES: dict[str, tuple[Damage, str, str]] = {
    "one flipped byte": (flipped_base, "trained on a base with sha256", "pass the base that it was trained on"),
    "wrong base": (wrong_base, "trained on a base with sha256 0000", "pass the base that it was trained on"),
    "missing licence": (no_licence, "names no licence for adapter", "add a table under `licences`"),
    "missing tensor": (
        lambda parts: change(parts / WEIGHTS, lambda tensors: tensors.pop("model.norm.weight")),
        "lacks model.norm.weight",
        "copy or download the folder again",
    ),
    "unapplied adapter tensor": (
        lambda parts: change(parts / FACTORS, add_unknown),
        "updates model.layers.7.mlp.up_proj.weight, which the base does not have",
        "pass the base that it was trained on",
    ),
    "NaN weight": (
        lambda parts: change(parts / WEIGHTS, set_nan),
        "model.layers.1.mlp.up_proj.weight holds 1 NaN",
        "train or export the model again",
    ),
    "NaN in the adapter": (
        lambda parts: change(parts / FACTORS, set_nan_factor),
        "up_proj.lora_B.weight holds 1 NaN",
        "train or export the model again",
    ),
    "truncated safetensors": (
        lambda parts: cut(parts / WEIGHTS),
        "model.safetensors: ",
        "copy or download the folder again",
    ),
    "truncated adapter": (
        lambda parts: cut(parts / FACTORS),
        "adapter_model.safetensors: ",
        "copy or download the folder again",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_refused_by_plan_and_run_with_what_to_do(
    name: str, parts: Path, configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    damage, what, remedy = DAMAGES[name]
    folders = {part: str(parts / part) for part in ("base", "adapter", "guard")}
    build = configure(**{**folders, "licences": str(parts / "licences.json"), **damage(parts)})
    before = tree(build.config.parent.parent)
    for command in ("plan", "run"):
        capsys.readouterr()
        assert main([command, str(build.config)]) == 2
        said = "".join(capsys.readouterr())
        assert what in said
        assert remedy in said
        if command == "plan":
            assert tree(build.config.parent.parent) == before
    assert not build.out.exists()
    assert not list(build.config.parent.rglob("*.gguf"))
    assert not list(build.config.parent.rglob("*.partial"))


def test_the_plan_names_every_tensor_that_is_not_finite_before_a_run_begins(
    parts: Path, configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    def spoil(tensors: dict[str, np.ndarray]) -> None:
        set_nan(tensors)
        tensors["model.norm.weight"][:2] = np.inf

    change(parts / WEIGHTS, spoil)
    build = configure(base=str(parts / "base"), adapter=None)
    assert main(["plan", str(build.config), "--json"]) == 2
    refusals = json.loads(capsys.readouterr().out)["refusals"]
    assert len(refusals) == 2
    for name, count in (("model.layers.1.mlp.up_proj.weight", 1), ("model.norm.weight", 2)):
        said = next(text for text in refusals if name in text)
        assert f"model.safetensors: {name} holds {count} NaN or infinite values" in said
        assert "train or export the model again" in said
    assert not build.work.exists()


def test_the_plan_passes_on_what_converts_with_loss(
    tokenizer: Path, configure: Configure, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = tiny.write_base(tmp_path / "plain", tokenizer)
    packed = to_gptq(plain, tmp_path / "packed", symmetric=True, scattered=False)
    build = configure(base=str(packed), adapter=None)
    assert main(["plan", str(build.config), "--json"]) == 0
    assert WARNING in json.loads(capsys.readouterr().out)["warnings"]


def test_one_flipped_byte_of_a_bundles_guard_is_refused_by_plan_and_run(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    first = configure("one")
    first.run(capsys)
    flip(first.out / "guard.onnx", -5)
    second = configure("two", guard=str(first.out))
    for command in ("plan", "run"):
        assert main([command, str(second.config)]) == 2
        said = "".join(capsys.readouterr())
        assert "guard.onnx: has sha256" in said
        assert "rebuild the bundle" in said
    assert not second.out.exists()


def test_plan_says_sizes_and_changes_nothing_at_all(
    configure: Configure, base: Path, adapter: Path, guard: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = configure()
    before = [tree(folder) for folder in (build.config.parent, base, adapter, guard)]
    here = {path.name: path.stat().st_mtime_ns for path in Path().iterdir()}
    assert main(["plan", str(build.config), "--json"]) == 0
    assert [tree(folder) for folder in (build.config.parent, base, adapter, guard)] == before
    assert {path.name: path.stat().st_mtime_ns for path in Path().iterdir()} == here
    plan = json.loads(capsys.readouterr().out)
    assert plan["architecture"] == "LlamaForCausalLM"
    assert [stage["name"] for stage in plan["stages"]] == STAGES
    assert plan["ram_bytes"] == max(stage["ram_bytes"] for stage in plan["stages"])
    assert plan["ram_available_bytes"] > 0
    build.run(capsys)
    real = (build.work / "model-f16.gguf").stat().st_size
    assert 0.9 * real < plan["float_bytes"] <= real
    assert 0.7 * plan["quantized_bytes"] < (build.work / "model.gguf").stat().st_size < 1.4 * plan["quantized_bytes"]


def test_plan_and_run_name_every_refusal_at_once_and_write_nothing(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    build = configure(licences="none.json", guard="nowhere", data="missing.csv", context_tokens=100_000)
    before = tree(build.config.parent)
    for command in ("plan", "run"):
        assert main([command, str(build.config)]) == 2
        said = "".join(capsys.readouterr())
        for words in ("none.json", "nowhere", "missing.csv", "100000"):
            assert words in said
    assert tree(build.config.parent) == before


def test_memory_that_a_machine_lacks_is_refused_and_memory_in_use_is_warned_of() -> None:
    stages = [StageEstimate("gguf", 100), StageEstimate("check", 300)]
    assert judge_ram(stages, 400, 300) == judge_ram(stages, 301, 300)
    tight = judge_ram(stages, 400, 299)
    assert (len(tight.warnings), len(tight.refusals), tight.needed_bytes) == (1, 0, 300)
    assert "stage check" in tight.warnings[0]
    small = judge_ram(stages, 299, 50)
    assert (len(small.warnings), len(small.refusals)) == (1, 1)
    assert "convert on a larger one" in small.refusals[0]
