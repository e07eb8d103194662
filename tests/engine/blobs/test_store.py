"""The store on a real disk: it finds its states again, keeps its bounds, and says what it has lost."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from runtime.engine.blobs.file import file_bytes
from runtime.engine.blobs.store import BlobOptions, BlobStore
from tests.engine.blobs.states import KB, SOON, STAMP, data_of, file_of, name_of, reopened, until, used_bytes


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
