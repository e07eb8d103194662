"""Bad files, failing, full and vanishing disks, killed processes: states are lost and counted, never wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runtime.engine.blobs.store import BlobOptions, BlobStore
from tests.engine.blobs.states import KB, SOON, STAMP, data_of, file_of, name_of, reopened, until
from tests.paths import ROOT


def test_what_is_not_good_is_deleted_at_the_start_and_what_is_not_ours_is_not(store: BlobStore, folder: Path) -> None:
    for number in range(4):
        store.put(name_of(number), data_of(number))
    store.close()
    whole = file_of(folder, 0).read_bytes()
    file_of(folder, 1).write_bytes(whole)  # another state's
    file_of(folder, 2).write_bytes(whole[:-1])
    file_of(folder, 3).write_bytes(b"foreign")
    target = folder.parent / "target"
    target.write_bytes(whole)
    file_of(folder, 4).symlink_to(target)
    (folder / "notes.txt").write_text("an operator's")
    young, old = (folder / f"{name_of(0).key}.kv.{'0123456789abcdef'[turn:]}{'0' * turn}.tmp" for turn in (0, 1))
    young.touch()
    old.touch()
    os.utime(old, (time.time() - 3700,) * 2)
    again = reopened(folder)
    assert again.known() == (name_of(0),)
    assert again.stats().faults == 4
    assert set(folder.iterdir()) == {file_of(folder, 0), folder / "notes.txt", young}
    assert target.exists()


def test_states_of_another_stamp_are_deleted_without_a_fault(store: BlobStore, folder: Path) -> None:
    store.put(name_of(1), data_of(1))
    store.close()
    other = reopened(folder, stamp="model 2, f16")
    assert (other.known(), other.stats().faults, list(folder.iterdir())) == ((), 0, [])


@pytest.mark.parametrize("damage", [lambda whole: whole[:-1] + bytes([whole[-1] ^ 1]), lambda whole: whole[:900]])
def test_a_file_that_breaks_later_is_lost_counted_and_deleted(
    store: BlobStore, folder: Path, damage: Callable[[bytes], bytes]
) -> None:
    store.put(name_of(1), data_of(1))
    store.close()
    again = reopened(folder)
    file_of(folder, 1).write_bytes(damage(file_of(folder, 1).read_bytes()))
    assert again.get(name_of(1)) is None
    assert again.take_lost() == (name_of(1),)
    assert again.stats().faults == 1
    again.close()
    assert not file_of(folder, 1).exists()


def test_a_folder_that_vanishes_costs_its_states_and_is_made_anew(folder: Path) -> None:
    store = BlobStore(BlobOptions(KB, folder, 100 * KB), STAMP)
    for number in (1, 2):
        store.put(name_of(number), data_of(number))
        assert store.flush(10)
    shutil.rmtree(folder)
    assert store.get(name_of(1)) is None
    assert store.take_lost() == (name_of(1),)
    store.put(name_of(3), data_of(3))
    assert store.flush(10)
    store.close()
    assert reopened(folder).known() == (name_of(3),)


def test_a_failing_disk_is_logged_once_left_alone_and_tried_again(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder.parent.write_bytes(b"a file where the folder should be")
    store = BlobStore(BlobOptions(3 * KB, folder, 100 * KB, rest_s=SOON), STAMP)
    for number in range(9):
        store.put(name_of(number), data_of(number))
        store.flush(10)
        time.sleep(SOON)
    assert set(store.take_lost()) == set(map(name_of, range(6)))
    assert store.get(name_of(8)) == data_of(8)
    assert store.stats().faults > 2
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    folder.parent.unlink()
    until(lambda: store.flush(10))
    store.close()
    assert reopened(folder).known() == tuple(map(name_of, (6, 7, 8)))


def test_a_disk_is_not_asked_while_it_rests(folder: Path) -> None:
    folder.parent.write_bytes(b"")
    store = BlobStore(BlobOptions(3 * KB, folder, 100 * KB, settle_s=0.001, rest_s=600), STAMP)
    for number in range(9):
        store.put(name_of(number), data_of(number))
        assert not store.flush(10)
    assert store.stats().faults == 1
    store.close()  # one last try
    assert store.stats().faults == 2


FULL = """
import resource, sys, time
from pathlib import Path
from runtime.engine.blobs.store import BlobName, BlobOptions, BlobStore
folder, limit = Path(sys.argv[1]), sys.argv[2]
filler = folder / "filler"
if limit == "files":
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
else:
    filler.write_bytes(bytes(800_000))
store = BlobStore(BlobOptions(1_500_000, folder, 50_000_000, rest_s=0.05), "s")
names = [BlobName("", 0, (number,)) for number in range(4)]
for name in names:
    store.put(name, bytes([name.tokens[0]]) * 400_000)
    assert not store.flush(10)
assert set(store.take_lost()) == {names[0]}, "the longest unused one had to go"
assert all(store.get(name) == bytes([name.tokens[0]]) * 400_000 for name in names[1:])
assert store.stats().faults >= 1 and store.stats().disk_blobs == 0
assert [path for path in folder.iterdir() if path != filler] == [], "half a file was left"
if limit == "files":
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.getrlimit(resource.RLIMIT_FSIZE)[1],) * 2)
else:
    filler.unlink()
store.drop(names[1])
until = time.monotonic() + 10
while not store.flush(1) and time.monotonic() < until:
    time.sleep(0.01)
store.close()
again = BlobStore(BlobOptions(1_500_000, folder, 50_000_000), "s")
assert [again.get(name) for name in names[2:]] == [bytes([name.tokens[0]]) * 400_000 for name in names[2:]]
print("whole")
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)


def test_files_that_may_not_grow_degrade_the_store_and_no_more(tmp_path: Path) -> None:
    done = run(sys.executable, "-c", FULL, str(tmp_path), "files")
    assert done.stdout == "whole\n", done.stderr


def test_a_full_disk_degrades_the_store_and_no_more(tmp_path: Path) -> None:
    own = ("unshare", "--map-root-user", "--mount")
    if shutil.which("unshare") is None or run(*own, "mount", "-t", "tmpfs", "none", str(tmp_path)).returncode:
        pytest.skip("this user may not mount a small disk of its own")
    shell = 'mount -t tmpfs -o size=1000k none "$1" && exec "$2" -c "$3" "$1" disk'
    done = run(*own, "sh", "-c", shell, "sh", str(tmp_path), sys.executable, FULL)
    assert done.stdout == "whole\n", done.stderr


WRITER = """
import sys
from pathlib import Path
from runtime.engine.blobs.store import BlobName, BlobOptions, BlobStore
store = BlobStore(BlobOptions(100_000_000, Path(sys.argv[1]), 1_000_000_000), "s")
print("ready", flush=True)
for number in range(1000):
    store.put(BlobName("", 0, (number,)), bytes([number % 251]) * 20_000_000)
    store.flush(60)
"""


def kill_a_writer(folder: Path) -> bool:
    """Kill a process that writes states into ``folder``; whether it was in the middle of a file."""
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], cwd=ROOT, stdout=subprocess.PIPE)
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        until(lambda: len(list(folder.glob("*.kv"))) > 1)
        until(lambda: any(folder.glob("*.tmp")))
        child.send_signal(signal.SIGKILL)
    return any(folder.glob("*.tmp"))


def test_a_process_killed_in_the_middle_of_writing_leaves_no_half_file_under_a_whole_ones_name(tmp_path: Path) -> None:
    for turn in range(20):
        folder = tmp_path / str(turn)
        in_the_middle = kill_a_writer(folder)
        store = BlobStore(BlobOptions(folder=folder, disk_bytes=1_000_000_000), "s")
        assert len(store.known()) > 1
        for name in store.known():
            assert store.get(name) == bytes([name.tokens[0] % 251]) * 20_000_000
        assert store.stats().faults == 0
        store.close()
        shutil.rmtree(folder)
        if in_the_middle:
            return
    raise AssertionError("never killed in the middle of a file")
