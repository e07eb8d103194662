"""The writer of the audit log: its files, its crashes, its full disks."""

from __future__ import annotations

import json
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from guards.audit.errors import AuditBusyError, AuditKeyError, AuditWriteError
from guards.audit.key import read_key
from guards.audit.log import AuditLog, AuditOptions
from tests.guards.audit.conftest import Place, record
from tests.paths import ROOT

SMALL = AuditOptions(file_bytes=1500, total_bytes=1 << 20)


def turns(place: Place) -> list[dict[str, object]]:
    rows = [json.loads(line) for path in place.files() for line in path.read_text("utf-8").splitlines()]
    return [row["data"] for row in rows if row["kind"] == "turn"]


def test_a_log_goes_on_after_a_restart(place: Place) -> None:
    place.write(2)
    place.write(3, first=2)
    assert len(place.files()) == 1
    report = place.verify()
    assert (report.good, report.turns, report.notices) == (True, 5, ())


def test_only_the_owner_may_read(place: Place) -> None:
    place.write(3, SMALL)
    assert place.folder.stat().st_mode & 0o777 == 0o700
    for path in (place.key, *place.folder.iterdir()):
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_old_files_are_deleted_and_the_log_says_so(place: Place) -> None:
    options = AuditOptions(file_bytes=3000, total_bytes=9000)
    largest = 0
    with place.open(options) as log:
        for number in range(60):
            log.append(record(number))
            largest = max(largest, sum(path.stat().st_size for path in place.files()))
    assert largest <= 9000
    assert place.files()[0].name != "audit-00000001.jsonl"
    report = place.verify()
    assert report.good, report.findings
    assert report.dropped_files > 0
    place.files()[0].unlink()
    assert "the log begins here" in place.verify().findings[0].problem


def test_a_deletion_that_a_crash_interrupted_is_no_finding(place: Place) -> None:
    """Older files than the log says it begins with, may be there; the next start deletes them."""
    options = AuditOptions(file_bytes=3000, total_bytes=9000)
    place.write(12, options)
    kept = {path.name: path.read_bytes() for path in place.files()}
    place.write(12, options, first=12)
    for name, content in list(kept.items())[1:]:
        (place.folder / name).write_bytes(content)
    assert place.verify().good, place.verify().findings
    place.write(1, options, first=24)
    assert not {path.name for path in place.files()} & set(kept)
    assert place.verify().good


CHILD = """
import sys
from pathlib import Path
from guards.audit.log import AuditLog, AuditOptions
from tests.guards.audit.conftest import record
log = AuditLog(Path(sys.argv[1]), Path(sys.argv[2]), AuditOptions(file_bytes=20_000, total_bytes=1 << 24))
print("ready", flush=True)
number = 0
while True:
    log.append(record(number))
    number += 1
    print(number, flush=True)
"""


def test_a_killed_process_loses_nothing_that_it_was_told_is_written(place: Place) -> None:
    acknowledged = 0
    for delay_s in (0.03, 0.1, 0.2):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(place.folder), str(place.key)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(delay_s)
        child.send_signal(signal.SIGKILL)
        said = child.stdout.read().split()
        child.wait()
        acknowledged += int(said[-1]) if said else 0
        report = place.verify()
        assert report.good, report.findings
        assert acknowledged <= report.turns <= acknowledged + 1
        acknowledged = report.turns
    place.write(1)
    assert place.verify().good
    assert acknowledged > 10


@pytest.mark.parametrize("torn_bytes", [1, 75, 300])
def test_a_line_that_a_crash_cut_off_is_recorded_as_such(place: Place, torn_bytes: int) -> None:
    place.write(2)
    (path,) = place.files()
    before, head = path.read_bytes(), (place.folder / "head").read_bytes()
    place.write(1, first=2)
    line = path.read_bytes()[len(before) :]
    path.write_bytes(before + line[:torn_bytes])
    (place.folder / "head").write_bytes(head)  # the head is told of a line once that is whole
    (notice,) = place.verify().notices
    assert f"{torn_bytes} bytes of an unfinished line" in notice.problem
    place.write(1, first=3)
    report = place.verify()
    assert report.good, report.findings
    assert (len(place.files()), report.turns) == (2, 3)
    (notice,) = report.notices
    assert f"{torn_bytes} bytes of a line that a crash cut off" in notice.problem
    path.write_bytes(before + line[: torn_bytes - 1] + b"?")
    assert "bytes that are no line" in place.verify().findings[0].problem
    path.write_bytes(before)
    assert "are missing" in place.verify().findings[0].problem


def test_lines_cut_off_behind_the_writers_back_stay_found_after_a_restart(place: Place) -> None:
    place.write(4)
    (path,) = place.files()
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:3]))
    place.write(2, first=4)
    (finding,) = place.verify().findings
    assert (finding.file, finding.line) == ("audit-00000002.jsonl", 1)
    assert "2 lines before it were missing" in finding.problem


@pytest.mark.parametrize("harm", ["cut", "grown", "deleted", "all deleted", "other file"])
def test_meddling_with_a_running_log_is_found(place: Place, harm: str) -> None:
    with place.open() as log:
        log.append(record(1))
        log.append(record(2))
        (path,) = place.files()
        content = path.read_bytes()
        match harm:
            case "cut":
                path.write_bytes(content[:-400])
            case "grown":
                path.write_bytes(content + b"{}\n")
            case "deleted":
                path.unlink()
            case "all deleted":
                shutil.rmtree(place.folder)
            case "other file":
                path.unlink()
                path.write_bytes(content[: len(content) // 2])
        log.append(record(3))
        log.append(record(4))
        assert log.problem is None
    report = place.verify()
    assert not report.good
    assert report.turns >= 2
    place.write(1)
    assert not place.verify().good


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_a_lost_head_is_recorded_at_the_next_start(place: Place, content: bytes) -> None:
    place.write(2)
    (place.folder / "head").write_bytes(content)
    place.write(1, first=2)
    (finding,) = place.verify().findings
    assert "head file was missing or damaged" in finding.problem


def test_a_file_without_one_genuine_line_is_gone_on_from(place: Place) -> None:
    place.write(2)
    place.files()[0].write_bytes(b"nonsense\n")
    place.write(2, first=2)
    report = place.verify()
    assert report.turns == 2
    assert (report.findings[0].file, report.findings[0].line) == ("audit-00000001.jsonl", 1)
    assert report.last_seq == 6


@contextmanager
def full_disk(limit_bytes: int) -> Iterator[None]:
    """No file can grow beyond the limit: what a full disk looks like to a writer."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_counted_and_told_by_the_next_line(place: Place) -> None:
    with place.open() as log:
        log.append(record(1))
        assert log.problem is None
        with full_disk(place.files()[0].stat().st_size + 100):
            for number in (2, 3, 4):
                with pytest.raises(AuditWriteError, match="could not be written"):
                    log.append(record(number))
        assert log.failures == 3
        assert "make room" in (log.problem or "")
        assert place.verify().good
        log.append(record(5))
        assert log.problem is None
        log.append(record(6))
    report = place.verify()
    assert report.good, report.findings
    assert (report.turns, report.missed) == (3, 3)
    assert [turn.get("missed") for turn in turns(place)] == [None, 3, None]


def test_a_disk_that_is_full_when_a_file_is(place: Place) -> None:
    with place.open(SMALL) as log:
        while len(place.files()) < 2:
            log.append(record(1))
        with full_disk(100):
            for _ in range(9):
                with pytest.raises(AuditWriteError):
                    log.append(record(2))
        assert not list(place.folder.glob("*.new"))
        log.append(record(3))
    assert place.verify().good
    assert place.verify().missed == 9


def test_a_full_disk_of_its_own(place: Place) -> None:
    """Even the first file cannot be begun: the service has to know before it starts."""
    with full_disk(10), pytest.raises((AuditWriteError, AuditKeyError)):
        place.open()
    place.write(1)
    assert place.verify().turns == 1


def test_what_cannot_be_written_down_is_counted(place: Place) -> None:
    with place.open() as log:
        with pytest.raises(AuditWriteError):
            log.append(replace(record(1), at=math.nan))
        log.append(record(2))
    assert place.verify().missed == 1


def test_many_threads_write_one_chain(place: Place) -> None:
    with place.open(replace(SMALL, file_bytes=20_000)) as log:
        threads = [
            threading.Thread(target=lambda: [log.append(record(number)) for number in range(25)]) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    report = place.verify()
    assert report.good
    assert report.turns == 200


def test_a_log_is_good_while_it_is_being_written(place: Place) -> None:
    stop = threading.Event()
    with place.open(AuditOptions(file_bytes=4000, total_bytes=16_000, sync_s=60)) as log:

        def write() -> None:
            while not stop.is_set():
                log.append(record(1))

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for _ in range(30):
                assert place.verify().good, place.verify().findings
        finally:
            stop.set()
            writer.join()


def test_two_processes_cannot_write_one_log(place: Place) -> None:
    with place.open(), pytest.raises(AuditBusyError, match="another process"):
        place.open()
    place.open().close()


def test_a_closed_log_takes_nothing(place: Place) -> None:
    log = place.open()
    log.close()
    log.close()
    with pytest.raises(AuditWriteError, match="closed"):
        log.append(record(1))


def test_the_anchor_is_the_last_line(place: Place) -> None:
    with place.open() as log:
        log.append(record(1))
        anchor = log.anchor
    assert (anchor.seq, anchor.mac) == (place.verify().last_seq, place.verify().last_mac)


def test_no_new_key_is_made_for_an_old_log(place: Place) -> None:
    place.write(1)
    place.key.unlink()
    with pytest.raises(AuditKeyError, match="the key that the log began with"):
        place.open()
    assert not place.key.exists()


def test_a_log_needs_room_for_three_files(place: Place) -> None:
    with pytest.raises(ValueError, match="total_bytes is 100"):
        AuditLog(place.folder, place.key, AuditOptions(file_bytes=50, total_bytes=100))


def test_a_folder_that_cannot_be_written_is_named(place: Place) -> None:
    place.folder.write_text("a file")
    with pytest.raises(AuditWriteError, match="give another folder"):
        place.open()


@pytest.mark.parametrize(
    ("content", "mode", "problem"),
    [
        (b"ab" * 32, 0o640, "chmod 600"),
        (b"ab" * 32, 0o604, "chmod 600"),
        (b"ab" * 31, 0o600, "has 31 bytes"),
        (b"", 0o600, "has 0 bytes"),
        (b"xy" * 32, 0o600, "is no key"),
        (b"\xff" * 64, 0o600, "is no key"),
    ],
)
def test_a_key_that_cannot_be_trusted_is_refused(tmp_path: Path, content: bytes, mode: int, problem: str) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    os.chmod(path, mode)
    with pytest.raises(AuditKeyError, match=problem):
        read_key(path)
