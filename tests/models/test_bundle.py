"""A bundle is opened only whole: every damage is refused with the file's name and a remedy."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.bundle import open_bundle, sha256_of
from models.errors import BundleError, BundleNotFoundError, IntegrityError, ManifestError
from models.manifest import read_manifest
from tests.paths import DEMO

Json = dict[str, Any]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A copy of the demonstration bundle that may be damaged."""
    return Path(shutil.copytree(DEMO, tmp_path / "demo"))


def edit(bundle: Path, change: Callable[[Json], object]) -> None:
    path = bundle / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def test_the_demonstration_bundle_is_whole_and_says_what_it_is() -> None:
    manifest = open_bundle(DEMO).manifest
    assert manifest.demonstration
    assert "not TinyLlama" in manifest.description


def test_a_manifest_survives_being_written(bundle: Path) -> None:
    manifest = read_manifest(bundle)
    (bundle / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    assert read_manifest(bundle) == manifest


@pytest.mark.parametrize("name", ["model.gguf", "guard.onnx", "guard-tokenizer.json"])
def test_one_flipped_byte_is_refused(bundle: Path, name: str) -> None:
    path = bundle / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match=name) as refused:
        open_bundle(bundle)
    assert refused.value.remedy


@pytest.mark.parametrize("name", ["model.gguf", "guard.onnx", "guard-tokenizer.json"])
def test_a_missing_or_cut_file_is_refused(bundle: Path, name: str) -> None:
    path = bundle / name
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(IntegrityError, match=name):
        open_bundle(bundle)
    path.unlink()
    with pytest.raises(IntegrityError, match=f"{name}: is missing"):
        open_bundle(bundle)


DAMAGES: dict[str, tuple[Callable[[Json], object], str]] = {
    "no licence of the base": (
        lambda m: m.update(licences=[one for one in m["licences"] if one["covers"] != "base"]),
        "licence for base",
    ),
    "no licence of a training set": (
        lambda m: m["training_sets"].append("some-set"),
        "licence for some-set",
    ),
    "a label without a threshold": (lambda m: m["guard"]["labels"].append("threat"), "threshold"),
    "a label twice": (lambda m: m["guard"]["labels"].append(m["guard"]["labels"][0]), "labels"),
    "a threshold that is no probability": (
        lambda m: m["guard"]["thresholds"].update({m["guard"]["labels"][0]: 1.5}),
        "1.5",
    ),
    "another chat template": (lambda m: m["chat"].update(template="{{ 1 }}"), "chat template"),
    "a file that is not listed": (lambda m: m["files"].pop("guard.onnx"), "guard.onnx"),
    "a file outside the folder": (
        lambda m: m["files"].update({"../x": {"sha256": "0", "bytes": 1}}),
        "plain file name",
    ),
}


@pytest.mark.parametrize("damage", sorted(DAMAGES))
def test_a_manifest_that_does_not_fit_is_refused(bundle: Path, damage: str) -> None:
    change, complaint = DAMAGES[damage]
    edit(bundle, change)
    with pytest.raises(IntegrityError, match=complaint):
        open_bundle(bundle)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda m: m.pop("base"), "'base'"),
        (lambda m: m.update(context_tokens="2048"), "context_tokens"),
        (lambda m: m.update(context_tokens=True), "context_tokens"),
        (lambda m: m.update(format=99), "99"),
        (lambda m: m["tokenizer_vectors"].append({"text": "x", "ids": ["1"]}), "ids"),
        (lambda m: m.update(licences={}), "licences"),
    ],
)
def test_a_malformed_field_is_named(bundle: Path, change: Callable[[Json], object], complaint: str) -> None:
    edit(bundle, change)
    with pytest.raises(ManifestError, match=complaint):
        open_bundle(bundle)


def add(bundle: Path, name: str) -> None:
    (bundle / name).write_bytes(b"GGUF")
    entry = {"sha256": sha256_of(bundle / name), "bytes": 4}
    edit(bundle, lambda manifest: manifest["files"].update({name: entry}))
    adapter = name.removeprefix("adapter-").removesuffix(".gguf")
    licence = {"covers": "adapter", "name": adapter, "spdx": "MIT", "source": "tests"}
    edit(bundle, lambda manifest: manifest["licences"].append(licence))


def test_adapters_are_files_with_a_name_of_their_own(bundle: Path) -> None:
    assert open_bundle(bundle).adapters == {}
    add(bundle, "adapter-refunds-v2.gguf")
    add(bundle, "adapter-default.gguf")
    assert open_bundle(bundle).adapters == {
        "default": bundle / "adapter-default.gguf",
        "refunds-v2": bundle / "adapter-refunds-v2.gguf",
    }
    (bundle / "adapter-default.gguf").write_bytes(b"GGUL")
    with pytest.raises(IntegrityError, match=r"adapter-default\.gguf"):
        open_bundle(bundle)


@pytest.mark.parametrize("name", ["", "none", "Refunds", "-v2", "a b", "ü", "a" * 33, "v2\n"])
def test_an_adapter_whose_name_cannot_be_used_is_refused(bundle: Path, name: str) -> None:
    add(bundle, f"adapter-{name}.gguf")
    with pytest.raises(IntegrityError, match="expected adapter-NAME"):
        open_bundle(bundle)


@pytest.mark.parametrize("name", ["0", "a" * 32, "nones", "refunds_v2.1"])
def test_an_adapter_with_an_unusual_name_is_not(bundle: Path, name: str) -> None:
    add(bundle, f"adapter-{name}.gguf")
    assert list(open_bundle(bundle).adapters) == [name]


def test_what_is_no_bundle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleNotFoundError, match="--bundle"):
        open_bundle(tmp_path / "none")
    with pytest.raises(BundleNotFoundError, match=r"manifest\.json"):
        open_bundle(tmp_path)
    (tmp_path / "manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(ManifestError, match="JSON"):
        open_bundle(tmp_path)


def test_an_unlisted_file_cannot_be_asked_for() -> None:
    with pytest.raises(BundleError, match="secret"):
        open_bundle(DEMO).path("secret")
