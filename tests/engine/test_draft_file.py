"""Drafts over a restart: the same as before, or none, whatever has become of the file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runtime.engine.draft_file import DraftFile
from runtime.engine.drafts import DraftIndex
from tests.engine.drafted import ANSWER, after, experienced


def test_a_saved_index_drafts_the_same_after_a_restart(tmp_path: Path) -> None:
    index = experienced(DraftIndex())
    index.add(ANSWER, [7, 8, 9])
    path = tmp_path / "new" / "drafts.bin"
    assert DraftFile(index, path, "model a").save()
    again = DraftIndex()
    assert DraftFile(again, path, "model a").load()
    assert again.tokens == index.tokens
    for cut in range(0, len(ANSWER), 3):
        assert after(again, ANSWER[:cut], [7, 8, 9]) == after(index, ANSWER[:cut], [7, 8, 9])
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["drafts.bin"]


def test_an_index_that_has_wrapped_saves_what_it_still_holds(tmp_path: Path) -> None:
    index = experienced(DraftIndex(100))
    index.add(ANSWER)
    assert DraftFile(index, tmp_path / "d", "m").save()
    again = DraftIndex(100)
    assert DraftFile(again, tmp_path / "d", "m").load()
    assert after(again, ANSWER[:12]) == tuple(ANSWER[12:20])


def test_another_models_file_a_missing_one_and_a_larger_one_are_ignored(tmp_path: Path) -> None:
    index = experienced(DraftIndex())
    assert DraftFile(index, tmp_path / "d", "model a").save()
    assert not DraftFile(DraftIndex(), tmp_path / "d", "model b").load()
    assert not DraftFile(DraftIndex(), tmp_path / "none", "model a").load()
    assert not DraftFile(DraftIndex(), tmp_path, "model a").load()
    assert not DraftFile(DraftIndex(64), tmp_path / "d", "model a").load()


def test_every_flipped_byte_and_every_cut_is_noticed(tmp_path: Path) -> None:
    index = DraftIndex(64)
    index.add(ANSWER[:8])
    path = tmp_path / "d"
    assert DraftFile(index, path, "m").save()
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        fresh = DraftIndex(64)
        assert not DraftFile(fresh, path, "m").load() and fresh.tokens == 0
        path.write_bytes(whole[:at])
        assert not DraftFile(DraftIndex(64), path, "m").load()
    path.write_bytes(whole + b"\0")
    assert not DraftFile(DraftIndex(64), path, "m").load()


def test_a_file_that_cannot_be_written_is_logged_and_leaves_the_old_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    index = DraftIndex(64)
    (tmp_path / "file").write_bytes(b"old")
    assert not DraftFile(index, tmp_path / "file" / "drafts", "m").save()
    assert "not saved" in caplog.text
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    assert not DraftFile(index, tmp_path / "folder", "m").save()
    assert os.listdir(tmp_path) and not list(tmp_path.glob(".*.partial"))
