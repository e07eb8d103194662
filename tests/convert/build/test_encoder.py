"""A build takes a sentence encoder in: exported or ready, measured, licensed; a damaged one is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from convert.__main__ import main
from convert.embed.export import EMBED_JSON
from models.bundle import open_bundle
from models.manifest import EMBED, EMBED_TOKENIZER
from tests.convert.building import Configure
from tests.convert.embed.test_export import write_encoder


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    return write_encoder(tmp_path / "encoder")


@pytest.fixture
def licensed(licences: Path, tmp_path: Path) -> str:
    """The licence file with one for the encoder."""
    found = json.loads(licences.read_text())
    found["licences"].append({"covers": "embed", "name": "tiny", "spdx": "MIT", "source": "tests"})
    path = tmp_path / "licences.json"
    path.write_text(json.dumps(found))
    return str(path)


def test_an_encoder_is_exported_packed_and_taken_from_the_bundle_again(
    configure: Configure, encoder: Path, licensed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = configure("one", embed=str(encoder), licences=licensed, imatrix=False)
    assert first.run(capsys)["done"][:2] == ["guard", "embed"]
    manifest = open_bundle(first.out).manifest
    assert {EMBED, EMBED_TOKENIZER} <= set(manifest.files)
    found = manifest.checks["embed"]
    assert found["int8"]["cosine_mean"] > 0.95  # type: ignore[index]
    assert first.run(capsys)["done"] == []
    second = configure("two", embed=str(first.work / "embed"), licences=licensed, imatrix=False)
    third = configure("three", embed=str(first.out), licences=licensed, imatrix=False)
    for build in (second, third):
        build.run(capsys)
        assert build.bytes() == first.bytes()
    (encoder / "config.json").write_text((encoder / "config.json").read_text() + "\n")
    assert first.run(capsys)["done"][0] == "embed"


def test_an_encoder_that_is_missing_unlicensed_or_given_twice_is_refused(
    configure: Configure, encoder: Path, licensed: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in (EMBED, EMBED_TOKENIZER, EMBED_JSON):
        (tmp_path / name).write_bytes(b"{}")
    twice = [str(tmp_path / EMBED), str(tmp_path / EMBED_TOKENIZER)]
    for name, changes, words in (
        ("missing", {"embed": "nowhere", "licences": licensed}, "nowhere"),
        ("unlicensed", {"embed": str(encoder)}, "names no licence for embed"),
        ("twice", {"embed": str(encoder), "licences": licensed, "extras": twice}, "expected one encoder"),
        ("damaged", {"embed": str(tmp_path), "licences": licensed}, "expected a tokenizer"),
    ):
        build = configure(name, **changes)
        for command in ("plan", "run"):
            assert main([command, str(build.config)]) == 2
            assert words in "".join(capsys.readouterr())
        assert not build.work.exists()
