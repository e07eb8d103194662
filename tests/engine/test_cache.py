"""The prefix cache on real cells: nothing is lost, nothing is mixed up, and the books agree with libllama's."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

from runtime.engine.blobs.store import BlobOptions, BlobStore
from runtime.engine.cache import Lease, PrefixCache
from runtime.engine.llama import Llama, LlamaOptions, Row
from tests.paths import DEMO

CELLS, SEQUENCES, LEASES = 512, 24, 4
Tokens = tuple[int, ...]

#: Largest difference of logits that other batch shapes and other places of the same cells may make; see the engine's
#: tests for what it means for answers.
TOLERANCE = 0.5


@pytest.fixture(scope="module")
def llama() -> Iterator[Llama]:
    llama = Llama(DEMO / "model.gguf", LlamaOptions(CELLS, 2))
    yield llama
    llama.close()


@pytest.fixture
def store(tmp_path: Path) -> BlobStore:
    return BlobStore(BlobOptions(folder=tmp_path / "blobs"), "test")


@pytest.fixture
def cache(llama: Llama, store: BlobStore) -> Iterator[PrefixCache]:
    for sequence in range(SEQUENCES):
        llama.forget(sequence)
    yield PrefixCache(llama, SEQUENCES, LEASES, store)
    store.close()


def tokens(seed: int, count: int) -> Tokens:
    rng = random.Random(seed)
    return tuple(rng.randrange(300, 4000) for _ in range(count))


def compute(llama: Llama, lease: Lease, ids: Sequence[int]) -> np.ndarray:
    """The logits after the last of ``ids``, (vocabulary,) float32; only what the lease does not share is computed."""
    for at in range(lease.shared, len(ids), 100):
        part = range(at, min(at + 100, len(ids)))
        llama.compute([Row(ids[i], i, lease.sequence, i + 1 == len(ids)) for i in part])
    logits = llama_cpp.llama_get_logits_ith(llama._context, -1)
    return np.ctypeslib.as_array(logits, (llama.vocabulary.size,)).copy()


def ask(llama: Llama, cache: PrefixCache, ids: Tokens) -> tuple[np.ndarray, int]:
    """Compute a prompt and keep it: its last logits, and how many tokens were shared."""
    lease = cache.admit("", ids, len(ids))
    assert lease is not None
    shared = lease.shared
    logits = compute(llama, lease, ids)
    cache.keep(lease, ids)
    cache.release(lease)
    return logits, shared


def test_what_was_computed_is_shared_to_the_token(llama: Llama, cache: PrefixCache) -> None:
    passage = tokens(1, 90)
    ask(llama, cache, passage + tokens(2, 20))
    _, shared = ask(llama, cache, passage + tokens(3, 20))
    assert shared == 90
    _, again = ask(llama, cache, passage + tokens(3, 20))
    assert again == 109  # all but the last token, whose logits are needed
    assert cache.audit() == []


def test_shared_cells_give_the_logits_of_computed_ones(llama: Llama, cache: PrefixCache) -> None:
    passage, question = tokens(1, 90), tokens(3, 20)
    alone, _ = ask(llama, cache, passage + question)
    ask(llama, cache, tokens(4, 300))
    ask(llama, cache, passage + tokens(2, 30))
    shared, count = ask(llama, cache, passage + question)
    assert count == 109
    assert np.abs(shared - alone).max() < TOLERANCE
    assert shared.argmax() == alone.argmax()


def test_what_finds_no_room_is_spilled_and_comes_back(llama: Llama, cache: PrefixCache, store: BlobStore) -> None:
    first = tokens(1, 200)
    fresh, _ = ask(llama, cache, first)
    for seed in range(2, 7):
        ask(llama, cache, tokens(seed, 200))
    assert store.stats().ram_blobs > 0
    lease = cache.admit("", first, len(first))
    assert lease is not None
    assert (lease.shared, lease.restored) == (199, 199)
    back = compute(llama, lease, first)
    cache.release(lease)
    assert np.abs(back - fresh).max() < TOLERANCE
    assert cache.audit() == []


def test_a_new_cache_knows_what_an_old_one_left_on_disk(llama: Llama, tmp_path: Path) -> None:
    conversation = tokens(1, 60) + tokens(2, 60)
    for run in range(2):
        for sequence in range(SEQUENCES):
            llama.forget(sequence)
        store = BlobStore(BlobOptions(folder=tmp_path), "test")
        cache = PrefixCache(llama, SEQUENCES, LEASES, store)
        if run == 0:
            ask(llama, cache, conversation)
            ask(llama, cache, tokens(1, 60) + tokens(3, 10))
        else:
            assert ask(llama, cache, conversation)[1] == 119
            assert cache.audit() == []
        cache.close()


def test_damaged_blobs_are_computed_anew(llama: Llama, tmp_path: Path) -> None:
    conversation = tokens(1, 100)
    for run in range(2):
        for sequence in range(SEQUENCES):
            llama.forget(sequence)
        store = BlobStore(BlobOptions(folder=tmp_path), "test")
        cache = PrefixCache(llama, SEQUENCES, LEASES, store)
        if run == 1:
            for file in tmp_path.iterdir():
                data = bytearray(file.read_bytes())
                data[-1] ^= 1
                file.write_bytes(data)
        logits, shared = ask(llama, cache, conversation)
        if run == 0:
            fresh = logits
        else:
            assert (shared, store.stats().faults) == (0, 1)
            assert np.abs(logits - fresh).max() < TOLERANCE
        cache.close()


def test_running_answers_are_never_short_of_cells(cache: PrefixCache) -> None:
    leases = [cache.admit("", tokens(seed, 20), 250) for seed in range(3)]
    assert leases[0] is not None
    assert leases[1] is not None
    assert leases[2] is None  # 750 of 512 cells
    cache.release(leases[0])
    third = cache.admit("", tokens(2, 20), 250)
    assert third is not None
    cache.release(third)
    cache.release(leases[1])
    assert (cache.used, cache.audit()) == (0, [])


def test_two_that_computed_the_same_end_with_one_set_of_cells(llama: Llama, cache: PrefixCache) -> None:
    ids = tokens(1, 80)
    one, two = cache.admit("", ids, 100), cache.admit("", ids, 100)
    assert one is not None
    assert two is not None
    for lease in (one, two):
        compute(llama, lease, ids)
    for lease in (one, two):
        cache.keep(lease, ids)
        cache.release(lease)
    assert (cache.used, cache.audit()) == (80, [])


def test_a_lease_catches_up_with_what_others_computed(llama: Llama, cache: PrefixCache) -> None:
    ids = tokens(1, 80)
    slow = cache.admit("", ids + tokens(2, 10), 100)
    assert slow is not None
    ask(llama, cache, ids)
    cache.catch_up(slow, ids + tokens(2, 10))
    assert slow.shared == 80
    compute(llama, slow, ids + tokens(2, 10))
    cache.release(slow)
    assert (cache.used, cache.audit()) == (80, [])


@pytest.mark.parametrize("seed", range(4))
def test_the_books_stay_right_whatever_happens(llama: Llama, cache: PrefixCache, seed: int) -> None:
    """Random conversations that share beginnings: begun, computed in part, cancelled, gone on with, evicted."""
    rng = random.Random(seed)
    running: list[tuple[Lease, Tokens, int]] = []
    said: list[Tokens] = [tokens(0, 40)]
    for _ in range(150):
        if running and (len(running) == LEASES or rng.random() < 0.5):
            lease, ids, done = running.pop(rng.randrange(len(running)))
            if rng.random() < 0.7:
                more = min(len(ids), done + rng.randrange(1, 60))
                llama.compute([Row(ids[i], i, lease.sequence, False) for i in range(done, more)] or [])
                cache.keep(lease, ids[:more])
                if more < len(ids):
                    running.append((lease, ids, more))
                    continue
                said.append(ids)
            cache.release(lease)
        else:
            base = rng.choice(said)
            ids = base[: rng.randrange(1, len(base) + 1)] + tokens(rng.randrange(8), rng.randrange(1, 90))
            ids = ids[:240]
            lease = cache.admit("", ids, len(ids))
            if lease is not None:
                running.append((lease, ids, lease.shared))
    for lease, _, _ in running:
        cache.release(lease)
    assert cache.audit() == []
    assert cache.used <= CELLS
