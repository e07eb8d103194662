"""Whatever is done to a log is found, and named by file and line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from guards.audit.chain import FILE, GENESIS, TURN, Link, seal
from guards.audit.errors import AuditReadError
from guards.audit.key import read_key
from guards.audit.log import Anchor, AuditOptions
from guards.audit.verify import verify
from tests.guards.audit.conftest import Edit, Place

SMALL = AuditOptions(file_bytes=1500, total_bytes=1 << 20)


def test_an_untouched_log_is_good(place: Place) -> None:
    place.write(7, SMALL)
    report = place.verify()
    assert report.good, report.findings
    assert report.files == len(place.files()) > 2
    assert (report.turns, report.lines) == (7, 7 + report.files)
    assert (report.first_seq, report.last_seq) == (1, report.lines)
    assert "nothing is changed or missing" in report.report()
    assert report.to_dict()["good"] is True


def test_a_log_without_a_turn_is_good(place: Place) -> None:
    place.write(0)
    assert place.verify().good
    assert place.verify().turns == 0


def test_any_changed_byte_is_found(place: Place) -> None:
    place.write(2)
    (path,) = place.files()
    whole = path.read_bytes()
    for flip in (0x01, 0x20):
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :])
            findings = place.verify().findings
            assert findings, f"byte {at} ({whole[at : at + 1]!r})"
            assert findings[0].line == min(1 + whole[:at].count(b"\n"), 3)
    path.write_bytes(whole)
    assert place.verify().good


def test_any_changed_byte_of_the_head_is_found(place: Place) -> None:
    place.write(1)
    path = place.folder / "head"
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x01]) + whole[at + 1 :])
        assert [finding.file for finding in place.verify().findings] == ["head"], at


def edit(path: Path, change: Edit) -> None:
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))


@pytest.mark.parametrize("line", range(8))
def test_any_deleted_line_is_found(place: Place, line: int) -> None:
    place.write(7)
    edit(place.files()[0], lambda lines: lines[:line] + lines[line + 1 :])
    (first, *_) = place.verify().findings
    assert (first.file, first.line) == ("audit-00000001.jsonl", min(line + 1, 7))


def test_any_two_swapped_lines_are_found(place: Place) -> None:
    place.write(5)
    (path,) = place.files()
    whole = path.read_bytes()
    for low in range(6):
        for high in range(low + 1, 6):
            lines = whole.splitlines(keepends=True)
            lines[low], lines[high] = lines[high], lines[low]
            path.write_bytes(b"".join(lines))
            assert place.verify().findings[0].line == low + 1


@pytest.mark.parametrize("line", range(6))
def test_a_duplicated_line_is_found(place: Place, line: int) -> None:
    place.write(5)
    edit(place.files()[0], lambda lines: [*lines[: line + 1], lines[line], *lines[line + 1 :]])
    (first, *_) = place.verify().findings
    assert first.line == line + 2
    assert f"line number {line + 1} again" in first.problem


def test_a_line_forged_with_another_key_is_found(place: Place) -> None:
    place.write(3)
    report = place.verify()
    forged, _ = seal(b"guessed" * 5, Link(TURN, report.last_seq + 1, report.last_mac, "", 1.0, {"in": "allow"}))
    edit(place.files()[0], lambda lines: [*lines, forged])
    assert [(found.line, found.problem) for found in place.verify().findings] == [(5, "is changed or forged")]


def test_a_line_of_another_log_with_the_same_key_is_found(place: Place, tmp_path: Path) -> None:
    place.write(3)
    other = Place(tmp_path / "other", place.key)
    other.write(6, first=10)
    edit(
        place.files()[0],
        lambda lines: [*lines[:2], other.files()[0].read_bytes().splitlines(keepends=True)[2], *lines[3:]],
    )
    assert place.verify().findings[0].line == 3


@pytest.mark.parametrize("kept", [0, 1, 100])
def test_a_file_that_was_cut_off_is_found(place: Place, kept: int) -> None:
    place.write(3)
    (path,) = place.files()
    path.write_bytes(path.read_bytes()[:-kept] if kept else b"")
    (finding, *_) = place.verify().findings
    assert "the head file knows of 4" in finding.problem
    assert finding.file == path.name


def test_a_missing_file_is_found_wherever_it_was(place: Place) -> None:
    place.write(12, SMALL)
    files = place.files()
    assert len(files) > 3
    for path in files:
        content = path.read_bytes()
        path.unlink()
        report = place.verify()
        assert report.findings, path.name
        path.write_bytes(content)
    assert place.verify().good


def test_exchanged_files_are_found(place: Place) -> None:
    place.write(12, SMALL)
    one, other = place.files()[1:3]
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    assert place.verify().findings[0].file == one.name


def test_a_missing_head_is_found(place: Place) -> None:
    place.write(2)
    (place.folder / "head").unlink()
    assert [finding.file for finding in place.verify().findings] == ["head"]


def test_an_older_state_is_found_by_the_anchor(place: Place, tmp_path: Path) -> None:
    place.write(2)
    shutil.copytree(place.folder, tmp_path / "older")
    place.write(2, first=2)
    report = place.verify()
    anchor = Anchor(report.last_seq, report.last_mac)
    key = read_key(place.key)
    assert verify(place.folder, key, anchor).good
    place.write(1, first=4)
    assert verify(place.folder, key, anchor).good
    assert verify(tmp_path / "older", key).good  # by itself nothing shows it
    assert "the anchor knows of 5" in verify(tmp_path / "older", key, anchor).findings[0].problem
    assert "is not the one" in verify(place.folder, key, Anchor(3, GENESIS)).findings[0].problem


def test_a_first_line_in_the_middle_is_found(place: Place) -> None:
    """Even one that was written with the key."""
    place.write(1)
    report = place.verify()
    extra, _ = seal(read_key(place.key), Link(FILE, report.last_seq + 1, report.last_mac, "", 1.0, {"file": 1}))
    edit(place.files()[0], lambda lines: [*lines, extra])
    assert "in another place" in place.verify().findings[0].problem


def test_where_there_is_no_log_there_is_nothing_to_verify(place: Place, tmp_path: Path) -> None:
    place.write(1)
    key = read_key(place.key)
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "nowhere"):
        with pytest.raises(AuditReadError, match=folder.name):
            verify(folder, key)
