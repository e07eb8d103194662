"""A build's quantising is guided by texts that its check does not measure with; the manifest says by what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import pytest

from convert.__main__ import main
from convert.build.calibration import texts_of
from convert.fidelity.texts import check_texts
from convert.quantization.imatrix import needs_entry, read_imatrix
from convert.quantization.quantize import read_shapes
from models.bundle import open_bundle, sha256_of
from tests.convert import tiny
from tests.convert.building import Build, Configure

#: Without the adapter, whose random factors leave ties that rounding decides.
SUPPORT = {"data": str(tiny.PAIRS), "calibration_tokens": 500, "adapter": None}


def record(build: Build) -> dict[str, Any]:
    found: dict[str, Any] = dict(open_bundle(build.out).manifest.checks)["quantization"]  # type: ignore[assignment]
    return found


def test_the_importance_matrix_covers_the_model_and_is_named_in_the_manifest(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    build, plain = configure("guided", **SUPPORT), configure("plain", imatrix=False, **SUPPORT)
    assert build.run(capsys)["warnings"] == []
    path = build.work / "imatrix.gguf"
    assert set(read_imatrix(path).entries) == set(needs_entry(read_shapes(build.work / "model-f16.gguf")))
    made = record(build)
    assert made["imatrix"]["sha256"] == sha256_of(path)
    assert made["imatrix"]["tokens"] == 500
    assert made["imatrix"]["datasets"] == ["support: pairs.jsonl", "general: general text of this project"]
    assert made["types"] is None
    hand = build.work.parent / "hand.gguf"
    options = ["--data", str(tiny.PAIRS), "--tokens", "500", "--threads", "1"]
    assert main(["imatrix", str(build.work / "model-f16.gguf"), str(hand), *options]) == 0
    assert hand.read_bytes() == path.read_bytes()
    assert "imatrix" not in plain.run(capsys)["done"]
    assert record(plain)["imatrix"] is None
    assert build.bytes()["model.gguf"] != plain.bytes()["model.gguf"]


@pytest.mark.parametrize("data", [None, tiny.PAIRS])
def test_no_text_is_both_calibrated_on_and_checked_with(data: Path | None) -> None:
    calibrated, checked = texts_of(data), check_texts(data)
    mixed = set(calibrated.mixed())
    assert mixed
    assert not mixed & {*checked.conversations, *checked.general}


def test_other_calibration_redoes_what_depends_on_it(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    build = configure(**SUPPORT)
    build.run(capsys)
    whole = build.bytes()
    (build.work / "imatrix.gguf").unlink()
    assert build.run(capsys)["done"] == ["imatrix"]
    assert build.bytes() == whole
    text = build.config.read_text()
    build.config.write_text(text.replace("calibration_tokens = 500", "calibration_tokens = 300"))
    assert build.run(capsys)["done"] == ["imatrix", "quantize", "check", "pack"]


def test_searched_types_are_what_the_model_is_stored_in_and_the_same_again(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    build, second = configure("one", search_types=True, **SUPPORT), configure("two", search_types=True, **SUPPORT)
    assert build.run(capsys)["done"] == ["guard", "gguf", "imatrix", "types", "quantize", "check", "pack"]
    found = record(build)["types"]
    stored = {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(build.out / "model.gguf").tensors}
    assert {name: stored[name] for name in found["types"]} == found["types"]
    assert found["bytes"] <= found["budget_bytes"]
    second.run(capsys)
    assert build.bytes() == second.bytes()


def test_q8_0_looks_at_no_importance_matrix_and_computes_none(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    build = configure(quant="Q8_0")
    assert "imatrix" not in build.run(capsys)["done"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"calibration_tokens": 5}, "calibration_tokens is 5; expected 128 or more"),
        ({"imatrix": False, "search_types": True}, "search_types without imatrix"),
    ],
)
def test_what_cannot_be_calibrated_is_refused_by_plan_and_run(
    configure: Configure, capsys: pytest.CaptureFixture[str], changes: dict[str, object], words: str
) -> None:
    build = configure(**changes)
    for command in ("plan", "run"):
        assert main([command, str(build.config)]) == 2
        assert words in "".join(capsys.readouterr())
    assert not build.work.exists()


def test_text_that_is_missing_or_too_short_is_said(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    for name, data, words in (("none", None, "no support text is given"), ("short", str(tiny.PAIRS), "pairs.jsonl: ")):
        build = configure(name, data=data, calibration_tokens=1_000_000)
        capsys.readouterr()
        assert main(["plan", str(build.config)]) == 0
        assert words in capsys.readouterr().out
