"""Packing: a bundle that a server opens, the same bytes each time, and nothing without a licence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from convert.base import resolve_base
from convert.build.bundle import EXTRAS, BundleSpec, pack, read_chat, read_guard, refuse_extras
from convert.build.config import make_run_config
from convert.build.licences import read_licences
from convert.build.spec import make_spec
from convert.chat import SYSTEM_PROMPT, ZEPHYR_TEMPLATE
from convert.errors import InputError
from convert.fidelity.texts import PROBES
from models.bundle import open_bundle
from models.errors import IntegrityError
from models.manifest import Licence
from tests.convert import tiny


@pytest.fixture(scope="module")
def spec(base: Path, adapter: Path, q4: Path, guard: Path, licences: Path) -> BundleSpec:
    values = {"base": str(base), "adapter": adapter, "out": Path("tiny"), "licences": licences, "demonstration": True}
    config = make_run_config(values, source="test")
    return make_spec(config, resolve_base(str(base)), q4, guard, {"found": 1})


def test_the_bundle_opens_and_says_what_went_into_it(
    spec: BundleSpec, base: Path, adapter: Path, tmp_path: Path
) -> None:
    manifest = pack(spec, tmp_path / "tiny").manifest
    assert manifest == open_bundle(tmp_path / "tiny").manifest
    assert manifest.name == "tiny"
    assert manifest.demonstration
    assert manifest.context_tokens == 512
    assert manifest.base.sha256 == resolve_base(str(base)).sha256
    assert manifest.adapter is not None
    assert manifest.adapter.config == json.loads((adapter / "adapter_config.json").read_text())
    assert manifest.chat.template == ZEPHYR_TEMPLATE
    assert manifest.chat.system_prompt == SYSTEM_PROMPT
    assert [vector.text for vector in manifest.tokenizer_vectors] == list(PROBES)
    assert {"llama-cpp-python", "transformers", "gguf"} <= set(manifest.tools)
    assert manifest.checks == {"found": 1}


def test_the_same_spec_gives_the_same_bytes(spec: BundleSpec, tmp_path: Path) -> None:
    first, second = pack(spec, tmp_path / "a").folder, pack(spec, tmp_path / "b").folder
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes()
    assert not [path for path in tmp_path.iterdir() if path.name not in ("a", "b")]


def test_a_refused_pack_leaves_the_old_bundle_as_it_was(spec: BundleSpec, tmp_path: Path) -> None:
    old = pack(spec, tmp_path / "tiny").manifest
    unlicensed = replace(spec, name="other", licences=replace(spec.licences, licences=()))
    with pytest.raises(IntegrityError, match="names no licence for adapter, base, guard, pairs"):
        pack(unlicensed, tmp_path / "tiny")
    assert open_bundle(tmp_path / "tiny").manifest == old
    assert [path.name for path in tmp_path.iterdir()] == ["tiny"]


def test_a_new_bundle_replaces_the_old_one_as_a_whole(spec: BundleSpec, tmp_path: Path) -> None:
    pack(spec, tmp_path / "tiny")
    (tmp_path / "tiny" / "left-over").write_text("x")
    assert pack(replace(spec, name="new"), tmp_path / "tiny").manifest.name == "new"
    assert not (tmp_path / "tiny" / "left-over").exists()


@pytest.mark.parametrize("missing", ["base", "adapter", "guard", "data"])
def test_a_missing_licence_is_named_before_anything_is_built(missing: str, tmp_path: Path) -> None:
    path = tiny.write_licences(tmp_path / "licences.json", without=[missing])
    with pytest.raises(InputError, match=f"names no licence for {'pairs' if missing == 'data' else missing}"):
        read_licences(path).require(path, adapter=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "malformed"),
        ("[]", "list"),
        ('{"training_sets": []}', "licences"),
        ('{"training_sets": [1], "licences": []}', r"training_sets\[0\]"),
        ('{"training_sets": [], "licences": [{"covers": "all", "name": "n", "spdx": "s", "source": "s"}]}', "'all'"),
        ('{"training_sets": [], "licences": [{"covers": "base", "name": "n", "source": "s"}]}', "'spdx'"),
    ],
)
def test_a_malformed_licence_file_is_refused_by_field(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "licences.json"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_licences(path)


def test_licences_can_be_toml(tmp_path: Path) -> None:
    path = tmp_path / "licences.toml"
    path.write_text('training_sets = []\n[[licences]]\ncovers = "base"\nname = "n"\nspdx = "MIT"\nsource = "s"\n')
    assert read_licences(path).licences[0].spdx == "MIT"


def test_only_known_extras_are_carried(spec: BundleSpec, tmp_path: Path) -> None:
    (tmp_path / "intents.npz").write_bytes(b"x")
    bundle = pack(replace(spec, extras=(tmp_path / "intents.npz",)), tmp_path / "tiny")
    assert bundle.has("intents.npz")
    (tmp_path / "notes.txt").write_bytes(b"x")
    with pytest.raises(InputError, match=r"notes\.txt: bundles hold no such file"):
        refuse_extras([tmp_path / "notes.txt"])
    with pytest.raises(InputError, match="given 2 times"):
        refuse_extras([tmp_path / "intents.npz"] * 2)
    with pytest.raises(InputError, match="no such file"):
        refuse_extras([tmp_path / "embed.onnx"])
    (tmp_path / "embed.onnx").write_bytes(b"x")
    with pytest.raises(InputError, match=r"embed-tokenizer\.json: is not given"):
        refuse_extras([tmp_path / "embed.onnx"])
    assert EXTRAS.fullmatch("adapter-refunds.gguf")
    assert not EXTRAS.fullmatch("../adapter-x.gguf")
    assert not EXTRAS.fullmatch("adapter-none.gguf")
    assert not EXTRAS.fullmatch("adapter-Refunds.gguf")


def test_a_guard_without_one_of_its_files_is_refused(tmp_path: Path) -> None:
    folder = tiny.write_guard(tmp_path / "guard")
    (folder / "guard.json").write_text(
        '{"labels": ["toxicity"], "thresholds": {"toxicity": "high"}, "calibration": {}}'
    )
    with pytest.raises(InputError, match=r"thresholds.*'toxicity' is str"):
        read_guard(folder)
    (folder / "guard.onnx").unlink()
    with pytest.raises(InputError, match=r"guard\.onnx: no such file"):
        read_guard(folder)


def test_the_template_comes_from_the_jinja_file_if_there_is_one(base: Path, tmp_path: Path) -> None:
    (tmp_path / "tokenizer_config.json").write_text("{}")
    with pytest.raises(InputError, match="chat template"):
        read_chat(tmp_path, "")
    (tmp_path / "chat_template.jinja").write_text("{{ messages }}")
    assert read_chat(tmp_path, "").template == "{{ messages }}"
    assert read_chat(base, "").template == ZEPHYR_TEMPLATE


def test_an_encoder_and_adapters_to_switch_to_want_licences_of_their_own(spec: BundleSpec, tmp_path: Path) -> None:
    parts = [tmp_path / name for name in ("embed.onnx", "embed-tokenizer.json", "adapter-refunds.gguf")]
    for part in parts:
        part.write_bytes(part.name.encode())
    carrying = replace(spec, extras=tuple(parts))
    with pytest.raises(IntegrityError, match="names no licence for embed, adapter refunds"):
        pack(carrying, tmp_path / "tiny")
    own = (
        Licence("embed", "all-MiniLM-L6-v2", "Apache-2.0", "https://example.org"),
        Licence("adapter", "refunds", "MIT", "https://example.org"),
    )
    licensed = replace(spec.licences, licences=(*spec.licences.licences, *own))
    bundle = pack(replace(carrying, licences=licensed), tmp_path / "tiny")
    assert [part.name for part in parts if bundle.has(part.name)] == [part.name for part in parts]
    assert list(bundle.adapters) == ["refunds"]
