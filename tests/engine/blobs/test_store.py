"""The store on real disks: it finds its states again, keeps its bounds, and bears full, broken and shared folders."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine.blobs.file import file_bytes
from runtime.engine.blobs.store import BlobName, BlobOptions, BlobStore
from tests.paths import ROOT

STAMP = "model 1, f16"
KB = 1000
SOON = 0.05


def name_of(number: int) -> BlobName:
    return BlobName("", 1, (1, number, number))


def data_of(number: int, size: int = KB) -> bytes:
    return random.Random(number).randbytes(size)


def file_of(folder: Path, number: int) -> Path:
    return folder / f"{name_of(number).key}.kv"


def used_bytes(folder: Path) -> int:
    """What the folder takes, temporary files included."""
    total = 0
    for path in folder.iterdir():
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def until(true: Callable[[], bool]) -> None:
    for _ in range(5000):
        if true():
            return
        time.sleep(0.002)
    raise AssertionError("it did not come true within 10 s")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "blobs"


@pytest.fixture
def store(folder: Path) -> Iterator[BlobStore]:
    store = BlobStore(BlobOptions(10 * KB, folder, 100 * KB, settle_s=600, rest_s=SOON), STAMP)
    yield store
    store.close()


def reopened(folder: Path, disk_bytes: int = 100 * KB, stamp: str = STAMP) -> BlobStore:
    return BlobStore(BlobOptions(10 * KB, folder, disk_bytes), stamp)


def test_a_restart_finds_all_in_the_order_of_use(store: BlobStore, folder: Path) -> None:
    for number in range(8):
        store.put(name_of(number), data_of(number))
    store.get(name_of(3))
    store.close()
    again = reopened(folder)
    assert again.known() == tuple(name_of(number) for number in (0, 1, 2, 4, 5, 6, 7, 3))
    for number in range(8):
        assert again.get(name_of(number)) == data_of(number)
    again.close()
    assert reopened(folder).known() == tuple(map(name_of, range(8)))


def test_a_second_put_counts_as_use(store: BlobStore, folder: Path) -> None:
    for number in (1, 2, 3, 1):
        store.put(name_of(number), data_of(number))
    store.close()
    assert reopened(folder).known() == tuple(map(name_of, (2, 3, 1)))


def test_files_and_folder_are_their_owners_alone(store: BlobStore, folder: Path) -> None:
    store.put(name_of(1), data_of(1))
    assert store.flush(10)
    assert file_of(folder, 1).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_state_is_written_after_a_while_without_being_asked(folder: Path) -> None:
    store = BlobStore(BlobOptions(10 * KB, folder, 100 * KB, settle_s=SOON), STAMP)
    store.put(name_of(1), data_of(1))
    assert store.stats().disk_blobs == 0
    until(lambda: store.stats().disk_blobs == 1)
    store.close()


def test_half_full_memory_is_written_at_once(store: BlobStore) -> None:
    for number in range(7):
        store.put(name_of(number), data_of(number))
    until(lambda: store.stats().disk_blobs >= 2)
    assert store.stats().disk_blobs < 7
    assert not store.take_lost()


def test_with_flush_in_between_more_than_memory_holds_is_kept(store: BlobStore) -> None:
    for number in range(40):
        store.put(name_of(number), data_of(number))
        if number % 8 == 7:
            assert store.flush(10)
    assert not store.take_lost()
    assert all(store.get(name_of(number)) == data_of(number) for number in range(40))


def test_without_a_folder_memory_is_all() -> None:
    store = BlobStore(BlobOptions(ram_bytes=3 * KB), STAMP)
    for number in range(5):
        store.put(name_of(number), data_of(number))
    assert store.take_lost() == (name_of(0), name_of(1))
    assert store.take_lost() == ()
    assert not store.flush(1)
    store.close()
    assert set(store.take_lost()) == {name_of(2), name_of(3), name_of(4)}


def test_a_state_that_was_lost_and_came_again_is_not_lost() -> None:
    store = BlobStore(BlobOptions(ram_bytes=KB), STAMP)
    for number in (1, 2, 1):
        store.put(name_of(number), data_of(number))
    assert store.take_lost() == (name_of(2),)
    store.close()


def test_close_writes_the_latest_used_that_find_room(folder: Path) -> None:
    room = file_bytes(STAMP, name_of(1), KB)
    store = BlobStore(BlobOptions(10 * KB, folder, 3 * room, settle_s=600), STAMP)
    for number in range(5):
        store.put(name_of(number), data_of(number))
    store.get(name_of(0))
    store.close()
    assert set(reopened(folder).known()) == {name_of(3), name_of(4), name_of(0)}
    assert set(store.take_lost()) == {name_of(1), name_of(2)}


def test_after_close_only_reading_works(store: BlobStore) -> None:
    store.put(name_of(1), data_of(1))
    store.close()
    store.close()
    store.put(name_of(2), data_of(2))
    assert store.get(name_of(1)) == data_of(1)
    assert store.get(name_of(2)) is None
    assert store.take_lost() == (name_of(2),)
    assert not store.flush(1)


def test_a_dropped_state_is_gone_and_not_lost(store: BlobStore, folder: Path) -> None:
    for number in (1, 2):
        store.put(name_of(number), data_of(number))
    assert store.flush(10)
    store.drop(name_of(1))
    store.drop(name_of(9))
    assert store.get(name_of(1)) is None
    until(lambda: not file_of(folder, 1).exists())
    store.put(name_of(1), data_of(5))
    assert store.get(name_of(1)) == data_of(5)
    store.close()
    assert (store.take_lost(), set(reopened(folder).known())) == ((), {name_of(1), name_of(2)})


def test_a_smaller_disk_at_the_next_start_keeps_the_latest_used(store: BlobStore, folder: Path) -> None:
    for number in range(8):
        store.put(name_of(number), data_of(number))
    store.close()
    again = reopened(folder, disk_bytes=3 * KB)
    assert again.known() == (name_of(6), name_of(7))
    assert used_bytes(folder) == again.stats().disk_bytes <= 3 * KB


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


def test_two_stores_in_one_folder_do_each_other_no_harm(folder: Path) -> None:
    room = 6 * file_bytes(STAMP, name_of(1), KB)
    stores = [BlobStore(BlobOptions(4 * KB, folder, room, settle_s=0.001), STAMP) for _ in range(2)]

    def use(store: BlobStore, seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(300):
            number = rng.randrange(12)
            if rng.random() < 0.6:
                store.put(name_of(number), data_of(number))
            elif rng.random() < 0.2:
                store.drop(name_of(number))
            else:
                assert store.get(name_of(number)) in (None, data_of(number))
        store.close()

    race(lambda: use(stores[0], 1), lambda: use(stores[1], 2))
    again = reopened(folder)
    assert again.known()
    assert all(again.get(name) == data_of(name.tokens[1]) for name in again.known())
    assert not list(folder.glob("*.tmp"))


def test_threads_may_put_get_and_drop_at_once(folder: Path) -> None:
    store = BlobStore(BlobOptions(5 * KB, folder, 12 * KB, settle_s=0.001), STAMP)

    def use(seed: int) -> None:
        rng = random.Random(seed)
        for _ in range(400):
            number = rng.randrange(20)
            act = rng.choice(["put", "put", "get", "get", "drop", "look"])
            if act == "put":
                store.put(name_of(number), data_of(number))
            elif act == "drop":
                store.drop(name_of(number))
            elif act == "get":
                assert store.get(name_of(number)) in (None, data_of(number))
            else:
                assert store.stats().ram_bytes <= 6 * KB
                assert used_bytes(folder) <= 12 * KB

    race(*(lambda seed=seed: use(seed) for seed in range(4)))
    assert store.flush(10)
    assert used_bytes(folder) == store.stats().disk_bytes
    assert store.stats().faults == 0
    store.close()


def race(*jobs: Callable[[], None]) -> None:
    """Run all at once; a failure of any is this test's."""
    failures: list[BaseException] = []

    def guarded(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@settings(max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "put", "get", "drop", "flush", "restart"]), st.integers(0, 9)), max_size=30
    ),
    st.integers(1, 5),
)
def test_whatever_happens_a_state_is_right_or_reported_lost(steps: list[tuple[str, int]], ram_kb: int) -> None:
    """Sizes are as unlike as the numbers; 9 is too large for memory of a few KB."""
    with tempfile.TemporaryDirectory() as root:
        options = BlobOptions(ram_kb * KB, Path(root), 9 * KB, settle_s=600)
        store = BlobStore(options, STAMP)
        kept: set[int] = set()
        for step, number in steps:
            if step == "put":
                store.put(name_of(number), data_of(number, number * 600))
                kept.add(number)
            elif step == "drop":
                store.drop(name_of(number))
                kept.discard(number)
            elif step == "flush":
                assert store.flush(10)
            elif step == "restart":
                store.close()
                kept = {name.tokens[1] for name in store.known()}
                store = BlobStore(options, STAMP)
                assert {name.tokens[1] for name in store.known()} == kept
            got = store.get(name_of(number))
            kept -= {name.tokens[1] for name in store.take_lost()}
            assert got == (data_of(number, number * 600) if number in kept else None)
            assert used_bytes(Path(root)) <= 9 * KB
            assert store.stats().ram_bytes <= ram_kb * KB + 9 * 600
        store.close()
        assert store.stats().faults == 0
