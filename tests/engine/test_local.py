"""The local engine on the demonstration model: the same answers whatever else happens, and every limit kept."""

from __future__ import annotations

import inspect
import json
import random
import re
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import llama_cpp
import pytest

from runtime.engine.blobs.store import BlobOptions
from runtime.engine.face import FinishReason, GenerationRequest, Sampling
from runtime.engine.llama import Llama, LlamaOptions
from runtime.engine.local import LocalEngine
from runtime.engine.prefix import common_prefix
from runtime.engine.settings import LocalOptions
from runtime.engine.weightless import weightless
from runtime.errors import (
    EngineClosedError,
    InvalidRequestError,
    PromptTooLongError,
    QueueFullError,
    StartError,
)
from tests.engine.closeness import TOLERANCE, parting_margin
from tests.engine.conftest import Ask
from tests.paths import DEMO
from tests.questions import EIGHT


def text(engine: LocalEngine, request: GenerationRequest) -> str:
    return "".join(piece.text for piece in engine.submit(request))


def ids(engine: LocalEngine, request: GenerationRequest) -> tuple[int, ...]:
    generation = engine.submit(request)
    list(generation)
    return generation.answer_ids


@pytest.fixture(scope="module")
def reference() -> Iterator[Llama]:
    llama = Llama(DEMO / "model.gguf", LlamaOptions(2048, 2))
    yield llama
    llama.close()


def test_eight_conversations_at_once_answer_as_each_would_alone(
    engine: LocalEngine, reference: Llama, ask: Ask
) -> None:
    """10 rounds of 8 different questions from 8 threads, in changing order; see ``closeness`` for what "as" means."""
    alone = {question: ids(engine, ask(question)) for question in EIGHT}
    assert len(set(alone.values())) == len(EIGHT)
    parted = set[tuple[str, tuple[int, ...]]]()

    def customer(seed: int) -> None:
        order = random.Random(seed)
        for _ in range(10):
            question = order.choice(EIGHT)
            answer = ids(engine, ask(question, client=str(seed)))
            if answer != alone[question]:
                parted.add((question, answer))

    threads = [threading.Thread(target=customer, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    margins = [parting_margin(reference, ask(question).prompt, alone[question], other) for question, other in parted]
    assert max(margins, default=0.0) < 2 * TOLERANCE


def test_up_to_three_answers_at_once_are_exactly_those_alone(engine: LocalEngine, ask: Ask) -> None:
    """Three rows are computed one by one, and one thread sums attention always alike: nothing is rounded otherwise."""
    for question in EIGHT[:3]:
        text(engine, ask(question))  # from now on the prompts' cells are the same for all
    alone = [text(engine, ask(question)) for question in EIGHT[:3]]
    for _ in range(5):
        running = [engine.submit(ask(question)) for question in EIGHT[:3]]
        assert ["".join(piece.text for piece in one) for one in running] == alone


def test_a_shared_prefix_is_not_computed_again(engine: LocalEngine, ask: Ask) -> None:
    long = "Please read this first. " * 40
    first = engine.submit(ask(long + "Where is my parcel?"))
    list(first)
    other = engine.submit(ask(long + "I forgot my password"))
    list(other)
    shared = common_prefix(first.request.prompt, other.request.prompt)
    assert other.usage.cached_tokens == shared > 200


def test_a_conversation_goes_on_where_its_cells_are(engine: LocalEngine, ask: Ask) -> None:
    first = engine.submit(ask("Where is my parcel?", max_tokens=200))
    list(first)
    assert first.finish_reason is FinishReason.STOP
    history = first.request.prompt + first.answer_ids
    more = engine.encode("</s>\n<|user|>\nThank you</s>\n<|assistant|>\n")
    second = engine.submit(GenerationRequest(history + more, 8))
    list(second)
    assert second.usage.cached_tokens == len(history) == second.usage.prompt_tokens - len(more)


def test_a_prompt_that_another_one_is_computing_is_waited_for(engine: LocalEngine, ask: Ask) -> None:
    passage = "Returns are free for thirty days when the box is unopened. " * 30
    before = engine.load().prefill_tokens
    running = [engine.submit(ask(passage + question, max_tokens=4)) for question in EIGHT]
    for one in running:
        list(one)
    assert engine.load().prefill_tokens - before < 2 * len(running[0].request.prompt)


def test_max_tokens_is_the_number_of_tokens(engine: LocalEngine, ask: Ask) -> None:
    for count in (1, 2, 33):
        generation = engine.submit(ask("Where is my parcel?", max_tokens=count, ignore_eos=True))
        assert sum(piece.tokens for piece in generation) <= count
        assert generation.usage.completion_tokens == count
        assert generation.finish_reason is FinishReason.LENGTH


def test_an_answer_that_ends_by_itself_says_stop(engine: LocalEngine, ask: Ask) -> None:
    generation = engine.submit(ask("Where is my parcel?", max_tokens=1000))
    assert "".join(piece.text for piece in generation)
    assert generation.finish_reason is FinishReason.STOP
    assert 0 < generation.usage.ttft_ms <= generation.usage.total_ms


def test_a_stop_text_ends_the_answer_before_it(engine: LocalEngine, ask: Ask) -> None:
    whole = text(engine, ask("Where is my parcel?"))
    word = whole.split()[4]
    generation = engine.submit(ask("Where is my parcel?", stop=(word,)))
    assert "".join(piece.text for piece in generation) == whole[: whole.index(word)]
    assert generation.finish_reason is FinishReason.STOP


def test_a_seed_fixes_a_sampled_answer(engine: LocalEngine, ask: Ask) -> None:
    def sampled(seed: int) -> str:
        return text(engine, ask("I want to complain", sampling=Sampling(temperature=1.2, top_p=0.95, seed=seed)))

    assert sampled(1) == sampled(1)
    assert len({sampled(seed) for seed in range(5)}) > 1


def test_a_forbidden_token_does_not_come(engine: LocalEngine, ask: Ask) -> None:
    request = ask("Where is my parcel?", max_tokens=1)
    first = text(engine, request)
    (token,) = {t for t in engine.encode("x" + first) if t not in engine.encode("x")} or {engine.encode(first)[-1]}
    biased = ask("Where is my parcel?", max_tokens=1, sampling=Sampling(logit_bias={token: -100.0}))
    assert text(engine, biased) != first


def test_a_bias_on_no_token_is_refused(engine: LocalEngine, ask: Ask) -> None:
    with pytest.raises(InvalidRequestError, match="999999"):
        text(engine, ask("hello", sampling=Sampling(logit_bias={999_999: 1.0})))


def test_a_grammar_is_followed(engine: LocalEngine, ask: Ask) -> None:
    grammar = 'root ::= "{\\"yes\\": " ("true" | "false") "}"'
    assert set(json.loads(text(engine, ask("Is it paid?", sampling=Sampling(grammar=grammar))))) == {"yes"}
    with pytest.raises(InvalidRequestError, match="grammar"):
        text(engine, ask("hello", sampling=Sampling(grammar="root ::= (")))


def test_what_would_end_the_process_is_refused(engine: LocalEngine, ask: Ask) -> None:
    """A complete grammar leaves only end tokens; forbidden as well, libllama throws through C."""
    with pytest.raises(InvalidRequestError, match="ignore_eos"):
        engine.submit(ask("Is it paid?", sampling=Sampling(grammar='root ::= "yes"'), ignore_eos=True))


def test_the_model_is_not_mapped(engine: LocalEngine) -> None:
    assert "model.gguf" not in Path("/proc/self/maps").read_text(encoding="utf-8")


def test_every_setting_exists_in_the_library() -> None:
    """Ctypes would quietly take a field that a structure does not have."""
    for function in (Llama.__init__, Llama._context_params, weightless):
        source = inspect.getsource(function)
        structure = llama_cpp.llama_model_params if "model_default" in source else llama_cpp.llama_context_params
        fields = {name for name, *_ in structure._fields_}
        assert set(re.findall(r"params\.(\w+) =", source)) <= fields


def test_a_cancelled_answer_ends_at_once(engine: LocalEngine, ask: Ask) -> None:
    generation = engine.submit(ask("Where is my parcel?", max_tokens=1500, ignore_eos=True))
    pieces = iter(generation)
    next(pieces)
    began = time.monotonic()
    generation.cancel()
    list(pieces)
    assert time.monotonic() - began < 0.5
    assert generation.finish_reason is FinishReason.CANCELLED
    assert generation.usage.completion_tokens < 1500


def test_a_cancelled_prompt_is_not_computed_to_its_end(engine: LocalEngine, ask: Ask) -> None:
    before = engine.load().prefill_tokens
    generation = engine.submit(ask("word " * 900, max_tokens=4))
    while engine.load().running == 0:
        time.sleep(0.001)
    generation.cancel()
    assert list(generation) == []
    assert generation.finish_reason is FinishReason.CANCELLED
    assert engine.load().prefill_tokens - before < 1800


def test_a_waiting_request_can_be_cancelled(engine: LocalEngine, ask: Ask) -> None:
    first = engine.submit(ask("Where is my parcel?", max_tokens=800, ignore_eos=True))
    second = engine.submit(ask("I forgot my password"))
    second.cancel()
    assert list(second) == []
    first.cancel()
    assert engine.load().waiting == 0


def test_cancelling_a_finished_answer_harms_nobody(engine: LocalEngine, ask: Ask) -> None:
    done = engine.submit(ask("Where is my parcel?"))
    want = "".join(piece.text for piece in done)
    running = engine.submit(ask("Where is my parcel?"))
    done.cancel()
    assert "".join(piece.text for piece in running) == want


def test_a_prompt_beyond_the_context_is_refused(engine: LocalEngine) -> None:
    with pytest.raises(PromptTooLongError, match="2048"):
        engine.submit(GenerationRequest(tuple([5] * 2048), 1))


def test_generation_ends_where_the_context_does(engine: LocalEngine) -> None:
    generation = engine.submit(GenerationRequest(tuple([5] * 2040), 100, ignore_eos=True))
    list(generation)
    assert generation.usage.completion_tokens == 8
    assert generation.finish_reason is FinishReason.LENGTH


def test_a_full_queue_refuses_with_a_time(ask: Ask) -> None:
    with_room_for_one = LocalEngine(DEMO / "model.gguf", LocalOptions(queue_capacity=1, parallel=1, threads=1))
    try:
        request = ask("Where is my parcel?", max_tokens=1500, ignore_eos=True)
        running = with_room_for_one.submit(request)
        next(iter(running))
        waiting = with_room_for_one.submit(request)
        with pytest.raises(QueueFullError) as refused:
            with_room_for_one.submit(request)
        assert refused.value.retry_after_s >= 1
        running.cancel()
        waiting.cancel()
    finally:
        with_room_for_one.close()


def test_who_would_be_late_is_refused_at_once_or_when_it_is_certain(ask: Ask) -> None:
    busy = LocalEngine(DEMO / "model.gguf", LocalOptions(threads=1, parallel=1))
    try:
        running = busy.submit(ask("Where is my parcel?", max_tokens=1500, ignore_eos=True))
        next(iter(running))
        late = busy.submit(ask("I forgot my password", deadline_s=1.5))
        with pytest.raises(QueueFullError) as refused:
            busy.submit(ask("I forgot my password", deadline_s=0.001))
        assert refused.value.retry_after_s > 0
        time.sleep(1.6)
        running.cancel()
        with pytest.raises(QueueFullError):
            list(late)
    finally:
        busy.close()


def test_what_was_computed_survives_a_restart(ask: Ask, tmp_path: Path) -> None:
    cached = []
    for _ in range(2):
        engine = LocalEngine(DEMO / "model.gguf", LocalOptions(threads=1, blobs=BlobOptions(folder=tmp_path)))
        running = engine.submit(ask("Please read this first. " * 30 + "Where is my parcel?", max_tokens=4))
        list(running)
        cached.append((running.usage.cached_tokens, engine.load().restored_tokens))
        engine.close()
    prompt = running.usage.prompt_tokens
    assert cached == [(0, 0), (prompt - 1, prompt - 1)]


def test_a_disk_that_fails_costs_nobody_an_answer(ask: Ask, tmp_path: Path) -> None:
    """The folder vanishes, and a file stands in its place."""
    folder = tmp_path / "blobs"
    blobs = BlobOptions(ram_bytes=1 << 20, folder=folder, settle_s=0.01)
    engine = LocalEngine(DEMO / "model.gguf", LocalOptions(512, threads=1, cells=768, blobs=blobs))
    try:
        shutil.rmtree(folder)
        folder.write_text("no folder")
        for i in range(12):
            assert "".join(piece.text for piece in engine.submit(ask(f"{i} times I asked " * 30, max_tokens=8)))
        give_up_s = time.monotonic() + 10
        while not engine.load().blob_faults and time.monotonic() < give_up_s:
            time.sleep(0.01)
        assert engine.load().blob_faults > 0
        assert engine.audit() == []
    finally:
        engine.close()


def test_a_closed_engine_ends_its_answers_and_takes_no_more(ask: Ask) -> None:
    engine = LocalEngine(DEMO / "model.gguf", LocalOptions(threads=1, parallel=1))
    request = ask("Where is my parcel?", max_tokens=1500, ignore_eos=True)
    running, waiting = engine.submit(request), engine.submit(request)
    next(iter(running))
    engine.close()
    assert list(waiting) == []
    list(running)
    assert {running.finish_reason, waiting.finish_reason} == {FinishReason.CANCELLED}
    with pytest.raises(EngineClosedError):
        engine.submit(request)
    with pytest.raises(EngineClosedError):
        engine.encode("hello")


def test_a_file_that_is_no_model_is_refused() -> None:
    with pytest.raises(StartError, match=r"manifest\.json"):
        LocalEngine(DEMO / "manifest.json", LocalOptions())
