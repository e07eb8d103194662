"""``python -m runtime``: what it refuses, with which code, and what it prints."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from runtime.__main__ import main
from tests.paths import DEMO


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO, tmp_path / "demo"))


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run and expect exit code 2; the one line that says why."""
    assert main(arguments) == 2
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("error: ")
    return said


@pytest.mark.parametrize("command", ["serve", "chat", "check"])
def test_a_flipped_byte_stops_every_command(command: str, damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = damaged / "model.gguf"
    data = bytearray(model.read_bytes())
    data[-1] ^= 1
    model.write_bytes(data)
    said = refused(capsys, command, "--bundle", str(damaged))
    assert "model.gguf" in said
    assert "convert run" in said


def test_a_missing_file_is_named(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (damaged / "guard.onnx").unlink()
    assert "guard.onnx: is missing" in refused(capsys, "check", "--bundle", str(damaged))


def test_a_missing_licence_is_named(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = damaged / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["licences"] = [one for one in manifest["licences"] if one["covers"] != "guard"]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert "licence for guard" in refused(capsys, "check", "--bundle", str(damaged))


def test_a_wrong_tokenizer_is_noticed(damaged: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = damaged / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["tokenizer_vectors"][0]["ids"].append(7)
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert "encodes" in refused(capsys, "check", "--bundle", str(damaged))


def test_a_guard_that_cannot_work_stops_the_start_unless_degraded_is_asked_for(
    damaged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The checksum is made right again, so that only the classifier itself is broken."""
    from models.bundle import sha256_of

    guard = damaged / "guard.onnx"
    guard.write_bytes(b"not a model")
    path = damaged / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["files"]["guard.onnx"] = {"sha256": sha256_of(guard), "bytes": guard.stat().st_size}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert "guard.onnx" in refused(capsys, "check", "--bundle", str(damaged))
    assert main(["check", "--bundle", str(damaged), "--allow-degraded", "--json"]) == 0
    health = json.loads(capsys.readouterr().out)["health"]
    assert health["guard"] == "degraded"
    assert health["degraded"]


def test_check_answers_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--bundle", str(DEMO), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["good"]
    assert found["answer"]
    assert found["health"]["guard"] == "on"


@pytest.mark.parametrize(
    "arguments", [["--port", "x"], ["--threads", "-1"], ["--log-level", "loud"], ["--answer-timeout-s", "0"], ["--no"]]
)
def test_bad_usage_is_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["serve", *arguments])
    assert stopped.value.code == 2
    assert arguments[-1] in capsys.readouterr().err


def test_the_environment_gives_defaults(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TELLERBOX_BUNDLE", "/nowhere/at/all")
    assert "/nowhere/at/all" in refused(capsys, "check")
