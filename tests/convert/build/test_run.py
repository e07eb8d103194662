"""The whole conversion by its command line: done once, resumed, killed, damaged, refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from convert.__main__ import main
from convert.base import resolve_base
from convert.build.config import read_run_config
from convert.build.plan import make_plan
from models.bundle import open_bundle
from tests.convert import tiny
from tests.convert.build.stages import STAGES
from tests.convert.building import Configure
from tests.convert.test_checkpoint import flip
from tests.paths import ROOT


def test_a_run_is_done_once_and_another_one_gives_the_same_bytes(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = configure("one"), configure("two")
    assert first.run(capsys)["done"] == STAGES
    again = first.run(capsys)
    assert (again["done"], again["skipped"]) == ([], STAGES)
    second.run(capsys)
    assert first.bytes() == second.bytes()
    checks = open_bundle(first.out).manifest.checks
    assert {"token_parity", "f16_against_transformers", "quantized_against_f16", "tolerances"} <= set(checks)
    assert not list(first.config.parent.rglob("*.partial"))


def test_a_flipped_byte_is_refused_by_verify_and_repaired_by_run(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    build = configure()
    build.run(capsys)
    whole = build.bytes()
    flip(build.out / "model.gguf", 5000)
    assert main(["verify", str(build.out)]) == 2
    error = capsys.readouterr().err
    assert "model.gguf: has sha256" in error
    assert "rebuild the bundle" in error
    assert build.run(capsys)["done"] == ["pack"]
    flip(build.work / "model-f16.gguf", -5)
    flip(build.work / "guard" / "guard.onnx", -5)
    assert build.run(capsys)["done"] == ["guard", "gguf"]
    assert build.bytes() == whole
    assert main(["verify", str(build.out)]) == 0


def test_changed_inputs_redo_what_depends_on_them(
    configure: Configure, base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = configure()
    build.run(capsys)
    text = build.config.read_text()
    build.config.write_text(text + '\ndescription = "another"')
    assert build.run(capsys)["done"] == ["pack"]
    build.config.write_text(text.replace("positions = 60", "positions = 61"))
    assert build.run(capsys)["done"] == ["check", "pack"]
    build.config.write_text("\n".join(line for line in text.splitlines() if not line.startswith("adapter")))
    assert build.run(capsys)["done"] == STAGES[1:]
    assert open_bundle(build.out).manifest.adapter is None


def test_the_guard_can_come_from_a_bundle(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    first = configure("one")
    first.run(capsys)
    second = configure("two", guard=str(first.out))
    second.run(capsys)
    assert first.bytes() == second.bytes()
    flip(first.out / "guard.onnx", -5)
    assert main(["plan", str(second.config)]) == 2
    assert "guard.onnx: has sha256" in capsys.readouterr().out


def test_the_example_for_tinyllama_is_complete_but_for_the_download() -> None:
    config = read_run_config(ROOT / "convert" / "examples" / "tinyllama.toml")
    assert config.base == "TinyLlama/TinyLlama-1.1B-Chat-v1.0"
    plan = make_plan(config, lambda: resolve_base(config.base, download=False))
    here = [words for words in plan.refusals if "hf download" not in words and "models/demo" not in words]
    assert here == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"licences": None}, "licences is missing"),
        ({"positions": "many"}, "positions is 'many'; expected int"),
        ({"quant": "Q3_K_S"}, "quant is 'Q3_K_S'; expected one of Q4_K_M"),
        ({"demonstration": 1}, "demonstration is 1; expected bool"),
        ({"guard_checkpoint": "x.ckpt"}, "both guard and guard_checkpoint"),
        ({"guard": None}, "no guard"),
    ],
)
def test_a_wrong_configuration_is_refused_by_key(
    configure: Configure, capsys: pytest.CaptureFixture[str], changes: dict[str, object], words: str
) -> None:
    assert main(["run", str(configure(**changes).config)]) == 2
    assert words in capsys.readouterr().err


def test_a_configuration_file_and_options_are_not_mixed(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(configure().config), "--threads", "2"]) == 2
    assert "not both" in capsys.readouterr().err


def test_check_says_by_its_exit_code_whether_the_files_belong_together(
    base: Path, adapter: Path, f16: Path, q4: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--float", str(f16), "--quantized", str(q4), "--positions", "60", "--threads", "1", "--json"]
    assert main(["check", "--base", str(base), *files]) == 0
    assert json.loads(capsys.readouterr().out)["ok"] is True
    assert main(["check", "--base", str(base), "--adapter", str(adapter), *files]) == 1
    assert len(json.loads(capsys.readouterr().out)["failures"]) >= 1


def test_the_stages_by_hand_give_the_runs_model(
    configure: Configure, base: Path, adapter: Path, guard: Path, licences: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build = configure(imatrix=False)
    build.run(capsys)
    folder = build.config.parent / "hand"
    float_gguf, model, checks = folder / "f16.gguf", folder / "model.gguf", folder / "checks.json"
    shared = ["--base", str(base), "--adapter", str(adapter)]
    assert main(["gguf", *shared, "--out", str(float_gguf), "--name", "tiny"]) == 0
    assert main(["quantize", str(float_gguf), str(model), "--threads", "1"]) == 0
    checks.write_text(json.dumps(open_bundle(build.out).manifest.checks))
    options = ["--guard", str(guard), "--licences", str(licences), "--model", str(model), "--checks", str(checks)]
    assert main(["pack", *shared, *options, "--out", str(folder / "tiny")]) == 0
    assert {path.name: path.read_bytes() for path in (folder / "tiny").iterdir()} == build.bytes()


@pytest.mark.parametrize(
    "command", ["run", "plan", "finetune", "evaluate", "merge", "gguf", "quantize", "check", "pack"]
)
def test_help_names_every_option(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_bad_usage_is_exit_code_two(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["unheard-of"], ["quantize", "only-one"]):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 2


def test_folders_that_hold_no_model_or_adapter_are_named(
    base: Path, f16: Path, q4: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    files = ["--float", str(f16), "--quantized", str(q4)]
    evaluation = ["evaluate", "--base", str(base), "--data", str(tiny.PAIRS), "--adapter", str(tmp_path / "empty")]
    for arguments in (
        ["check", "--base", str(tmp_path / "empty"), *files],
        ["check", "--base", str(base), "--adapter", str(tmp_path / "empty"), *files],
        [*evaluation, "--samples", "1", "--max-new-tokens", "1"],
        ["gguf", "--base", str(tmp_path / "empty"), "--out", str(tmp_path / "x.gguf")],
        ["gguf", "--base", str(base), "--out", "/proc/no-such-place/x.gguf"],
    ):
        assert main(arguments) == 2
        assert "empty" in (said := capsys.readouterr().err) or "no-such-place" in said
