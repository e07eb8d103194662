"""Where a base comes from: a folder, or a hub over HTTP."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from convert.base import resolve_base
from convert.errors import InputError
from convert.gguf.source import read_source
from convert.gguf.writer import write_gguf
from tests.convert.hub import COMMIT, serve_hub
from tests.paths import ROOT

REPO = "some-lab/tiny-chat"


def convert(*arguments: str, hub: str, cache: Path) -> subprocess.CompletedProcess[str]:
    """``python -m convert`` with a hub of our own: the client reads its address when it is imported."""
    settings = {"HF_ENDPOINT": hub, "HF_HOME": str(cache), "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-m", "convert", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )


def test_a_folder_is_taken_as_it_is(base: Path) -> None:
    found = resolve_base(str(base))
    assert (found.folder, found.id, found.revision) == (base, "tiny", "local")
    assert resolve_base(str(base), "seed 0").revision == "seed 0"


@pytest.mark.parametrize("name", ["nowhere", "/no/such/folder", "a/b/c", ""])
def test_what_is_neither_folder_nor_hub_id_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="hub id"):
        resolve_base(name)


def test_a_hub_id_is_downloaded_once_and_converted(base: Path, tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    for path in (*base.iterdir(),):
        (tmp_path / "repo" / path.name).write_bytes(path.read_bytes())
    (tmp_path / "repo" / "chat_template.jinja").write_text("{{ messages }}")  # newer models keep it in no other file
    (tmp_path / "repo" / "pytorch_model.bin").write_bytes(b"a pickle that nobody asked for")
    out, cache = tmp_path / "hub.gguf", tmp_path / "cache"
    arguments = ("gguf", "--base", REPO, "--out", str(out), "--name", "m")
    with serve_hub(REPO, tmp_path / "repo") as hub:
        first = convert(*arguments, hub=hub, cache=cache)
    assert first.returncode == 0, first.stderr
    snapshot = next(cache.rglob(COMMIT + "/config.json")).parent
    assert not (snapshot / "pytorch_model.bin").exists()
    assert (snapshot / "chat_template.jinja").is_file()
    assert out.read_bytes() == write_gguf(read_source(snapshot, name="m"), tmp_path / "local.gguf").read_bytes()
    offline = convert(*arguments, hub=hub, cache=cache)
    assert offline.returncode == 0, "the cache should do without the hub: " + offline.stderr


def test_without_a_hub_the_message_says_what_to_do(tmp_path: Path) -> None:
    arguments = ("gguf", "--base", REPO, "--out", str(tmp_path / "x.gguf"))
    failed = convert(*arguments, hub="http://127.0.0.1:9", cache=tmp_path)
    assert failed.returncode == 2
    assert f"hf download {REPO} --local-dir DIR" in failed.stderr
    assert "Traceback" not in failed.stderr
