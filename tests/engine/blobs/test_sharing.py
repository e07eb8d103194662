"""A store used by many threads, and a folder used by two stores."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from pathlib import Path

from runtime.engine.blobs.file import file_bytes
from runtime.engine.blobs.store import BlobOptions, BlobStore
from tests.engine.blobs.states import KB, STAMP, data_of, name_of, reopened, used_bytes


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
