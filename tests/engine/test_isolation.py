"""Nobody gets another's words: many chats at once, with evictions, spills, cancellations and adapters in play."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from runtime.engine.blobs.store import BlobOptions
from runtime.engine.face import GenerationRequest
from runtime.engine.llama import Llama, LlamaOptions
from runtime.engine.local import LocalEngine
from runtime.engine.settings import LocalOptions
from tests.engine.closeness import TOLERANCE, greedy, parting_margin
from tests.engine.lora import write_lora
from tests.paths import DEMO
from tests.questions import EIGHT

MODEL = DEMO / "model.gguf"
CHATS, TOKENS = 32, 12
ADAPTERS = ("refunds", "cancel")
Answer = tuple[int, ...]


@pytest.fixture
def adapters(tmp_path: Path) -> dict[str, Path]:
    found = {name: tmp_path / f"adapter-{name}.gguf" for name in ADAPTERS}
    for seed, path in enumerate(found.values()):
        write_lora(path, MODEL, seed=seed)
    return found


@pytest.fixture
def engine(tmp_path: Path, adapters: dict[str, Path]) -> Iterator[LocalEngine]:
    """Few cells and little memory, so that everything is evicted, spilled, lost and brought back all the time."""
    blobs = BlobOptions(ram_bytes=4 << 20, folder=tmp_path / "blobs", disk_bytes=8 << 20, settle_s=0.1)
    engine = LocalEngine(MODEL, LocalOptions(512, threads=1, cells=1024, blobs=blobs, adapters=adapters, parallel=12))
    yield engine
    engine.close()


def canary(chat: int) -> str:
    """A number that only this chat ever says."""
    return str(10_000_019 * (chat + 1))


def prompt(engine: LocalEngine, chat: int, question: str) -> tuple[int, ...]:
    text = f"<|user|>\n{question}, my order is {canary(chat)}, I repeat: {canary(chat)}</s>\n<|assistant|>\n"
    return engine.bos + engine.encode(text)


def idle(engine: LocalEngine, within_s: float = 5.0) -> bool:
    give_up_s = time.monotonic() + within_s
    while (load := engine.load()).running or load.waiting:
        if time.monotonic() > give_up_s:
            return False
        time.sleep(0.001)
    return True


@pytest.mark.parametrize("requests", [320, pytest.param(10_000, marks=pytest.mark.slow)])
def test_no_foreign_canary_no_lost_cell_and_the_answers_of_the_model_alone(
    engine: LocalEngine, adapters: dict[str, Path], requests: int, record_property: Callable[[str, object], None]
) -> None:
    answers = set[tuple[int, str, str, Answer]]()
    foreign = list[str]()

    def customer(chat: int) -> None:
        rng = random.Random(chat)
        for _ in range(requests // CHATS):
            question, adapter = rng.choice(EIGHT), rng.choice(("", *ADAPTERS))
            running = engine.submit(
                GenerationRequest(prompt(engine, chat, question), TOKENS, client=str(chat), adapter=adapter)
            )
            if rng.random() < 0.2:
                time.sleep(rng.random() * 0.02)
                running.cancel()
            text = "".join(piece.text for piece in running)
            foreign.extend(text for other in range(CHATS) if other != chat and canary(other) in text)
            answers.add((chat, question, adapter, running.answer_ids))

    threads = [threading.Thread(target=customer, args=(chat,)) for chat in range(CHATS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert idle(engine)
    load = engine.load()
    assert load.restored_tokens > 0
    assert not foreign
    assert engine.audit() == []
    reference = Llama(MODEL, LlamaOptions(512, 1))
    for name, path in adapters.items():
        reference.load_adapter(name, path)
    alone = dict[tuple[int, str, str], Answer]()
    parted = 0
    for chat, question, adapter, answer in answers:
        reference.use_adapter(adapter)
        ids = prompt(engine, chat, question)
        if (chat, question, adapter) not in alone:
            alone[chat, question, adapter] = greedy(reference, ids, TOKENS)
        whole = alone[chat, question, adapter]
        if answer != whole[: len(answer)]:  # a cancelled answer is the beginning of a whole one
            parted += 1
            assert parting_margin(reference, ids, whole, answer) < 2 * TOLERANCE, (question, whole, answer)
    reference.close()
    record_property("different answers", len(answers))
    record_property("of those, not the model's own to the last token", parted)


@pytest.mark.parametrize("cancels", [60, pytest.param(1000, marks=pytest.mark.slow)])
def test_cancelled_answers_give_their_cells_back_at_once(
    engine: LocalEngine, cancels: int, record_property: Callable[[str, object], None]
) -> None:
    rng = random.Random(5)
    process = psutil.Process()
    slowest_s, rss_bytes = 0.0, 0
    for i in range(cancels):
        words = tuple(rng.randrange(300, 4000) for _ in range(rng.randrange(20, 300)))
        running = engine.submit(GenerationRequest(words, 200, ignore_eos=True))
        if i % 2:
            next(iter(running))  # in decode; else while the prompt is computed
        began_s = time.monotonic()
        running.cancel()
        list(running)
        assert idle(engine)
        slowest_s = max(slowest_s, time.monotonic() - began_s)
        if i == cancels // 2:  # by then all caches are full
            rss_bytes = process.memory_info().rss
    growth = process.memory_info().rss / rss_bytes - 1
    record_property("slowest, ms", round(slowest_s * 1000))
    record_property("memory, share", growth)
    assert slowest_s < 0.5
    assert growth < (0.02 if cancels >= 1000 else 0.1)  # in a few, the allocator has not settled yet
    assert engine.audit() == []
