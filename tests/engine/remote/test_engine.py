"""The remote engine on real servers with the demonstration model: the answers are the local engine's."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from guards.guard import Guard
from guards.policy import DEFAULT_POLICY, load_policy
from guards.reload import GuardSource
from models.bundle import open_bundle
from runtime.assistant.desk import Desk, DeskOptions, DeskParts
from runtime.assistant.flows import built_in_flows
from runtime.assistant.intents import bundle_intents
from runtime.assistant.opening import check_tokenizer
from runtime.assistant.profile import Profile
from runtime.assistant.prompt import PromptBuilder
from runtime.assistant.turn import AnswerOptions, TurnEnd
from runtime.engine.face import FinishReason, GenerationRequest, Sampling
from runtime.engine.local import LocalEngine
from runtime.engine.remote.dialect import PromptForm, ServerKind
from runtime.engine.remote.engine import RemoteEngine
from runtime.engine.remote.options import RemoteOptions
from runtime.engine.settings import LocalOptions
from runtime.errors import EngineClosedError, InvalidRequestError, PromptTooLongError, StartError
from tests.engine.conftest import Ask
from tests.engine.remote.upstreams import KEY, LLAMA_SERVER, llama_cpp_python, llama_server
from tests.paths import DEMO
from tests.questions import EIGHT

MODEL = DEMO / "model.gguf"

needs_llama_server = pytest.mark.skipif(not LLAMA_SERVER, reason="TELLERBOX_LLAMA_SERVER names no binary")


@pytest.fixture(scope="module", params=["llama-cpp-python", pytest.param("llama-server", marks=needs_llama_server)])
def upstream(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    start = llama_server if request.param == "llama-server" else llama_cpp_python
    with start(tmp_path_factory.mktemp("upstream") / "log") as url:
        yield url


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    engine = LocalEngine(MODEL, LocalOptions(threads=1))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def remote(upstream: str) -> Iterator[RemoteEngine]:
    engine = RemoteEngine(upstream, RemoteOptions(api_key=KEY, max_running=4), MODEL)
    yield engine
    engine.close()


def text(engine: RemoteEngine | LocalEngine, request: GenerationRequest) -> str:
    return "".join(piece.text for piece in engine.submit(request))


def settle(engine: RemoteEngine) -> None:
    """An answer is whole a moment before its connection is free again."""
    deadline = time.monotonic() + 5
    while engine.load().running and time.monotonic() < deadline:
        time.sleep(0.005)
    assert (engine.load().running, engine.load().waiting) == (0, 0)


def is_python(remote: RemoteEngine) -> bool:
    return ServerKind.LLAMA_CPP_PYTHON in remote.info.notes[0]


def test_greedy_answers_are_those_of_the_local_engine(remote: RemoteEngine, engine: LocalEngine, ask: Ask) -> None:
    """A prompt computed in slices of another size rounds differently, which may turn a close choice: one of eight."""
    alike = []
    for question in EIGHT:
        local, far = engine.submit(ask(question)), remote.submit(ask(question))
        wanted, found = ["".join(piece.text for piece in one) for one in (local, far)]
        alike.append(wanted == found)
        if wanted == found:
            assert far.finish_reason is local.finish_reason
            assert far.usage.prompt_tokens == local.usage.prompt_tokens
            assert far.usage.completion_tokens == local.usage.completion_tokens
            assert far.answer_ids == local.answer_ids
            assert 0 < far.usage.ttft_ms <= far.usage.total_ms
    assert sum(alike) >= 7


def test_what_the_upstream_is_stands_in_the_notes(remote: RemoteEngine, upstream: str) -> None:
    first, form = remote.info.notes[:2]
    assert upstream in first
    assert KEY not in repr(remote.info) + repr(RemoteOptions(api_key=KEY))
    assert form.startswith("prompts as text" if is_python(remote) else "prompts as ids: its tokenizer cuts a sample")
    assert (remote.info.kind, remote.info.threads, remote.info.context_tokens) == ("remote", 0, 2048)


def test_a_server_that_takes_no_ids_is_sent_text(upstream: str, remote: RemoteEngine, ask: Ask) -> None:
    """The kind is not told here, so ids are sent first; llama-cpp-python cannot read them."""
    blind = RemoteEngine(upstream, RemoteOptions(api_key=KEY, kind=ServerKind.OTHER), MODEL)
    request = ask("Where is my parcel?", max_tokens=8)
    try:
        assert text(blind, request) == text(remote, request)
        assert text(blind, request) == text(remote, request)
    finally:
        blind.close()


def test_ids_and_text_make_the_same_prompt(upstream: str, remote: RemoteEngine, ask: Ask) -> None:
    as_text = RemoteEngine(upstream, RemoteOptions(api_key=KEY, prompt_form=PromptForm.TEXT), MODEL)
    request = ask("Where is my parcel?")
    try:
        assert text(as_text, request) == text(remote, request)
    finally:
        as_text.close()


def test_limits_and_stop_texts_hold(remote: RemoteEngine, ask: Ask) -> None:
    whole = text(remote, ask("Where is my parcel?"))
    word = whole.split()[4]
    stopped = remote.submit(ask("Where is my parcel?", stop=(word,)))
    assert "".join(piece.text for piece in stopped) == whole[: whole.index(word)]
    assert stopped.finish_reason is FinishReason.STOP
    for count in (1, 2, 33):
        cut = remote.submit(ask("Where is my parcel?", max_tokens=count, ignore_eos=True))
        assert sum(piece.tokens for piece in cut) <= count
        assert cut.usage.completion_tokens == count
        assert cut.finish_reason is FinishReason.LENGTH


def test_sampling_is_passed_on(remote: RemoteEngine, ask: Ask) -> None:
    def sampled(seed: int | None) -> str:
        sampling = Sampling(temperature=1.2, top_k=50, top_p=0.95, min_p=0.01, repeat_penalty=1.1, seed=seed)
        return text(remote, ask("I want to complain", 16, sampling))

    assert sampled(1) == sampled(1)
    assert len({sampled(seed) for seed in (1, 2, 3, None, None)}) > 2
    plain = ask("Where is my parcel?", 1)
    first = remote.submit(plain)
    list(first)
    banned = Sampling(logit_bias={first.answer_ids[0]: -100.0})
    assert text(remote, ask("Where is my parcel?", 1, banned)) != text(remote, plain)


def test_a_grammar_is_followed(remote: RemoteEngine, ask: Ask) -> None:
    grammar = 'root ::= "{\\"yes\\": " ("true" | "false") "}"'
    assert set(json.loads(text(remote, ask("Is it paid?", sampling=Sampling(grammar=grammar))))) == {"yes"}


def test_sixteen_requests_take_turns_and_answer_as_alone(remote: RemoteEngine, ask: Ask) -> None:
    def short(question: str) -> GenerationRequest:
        return ask(question, max_tokens=12)

    alone = {question: text(remote, short(question)) for question in EIGHT}
    settle(remote)
    generations = [(question, remote.submit(short(question))) for question in (*EIGHT, *EIGHT)]
    load = remote.load()
    at_once = 1 if is_python(remote) else 4
    assert (load.running, load.waiting) == (at_once, 16 - at_once)
    answers = [(question, "".join(piece.text for piece in one)) for question, one in generations]
    wrong = [question for question, answer in answers if answer != alone[question]]
    assert len(wrong) <= 2  # answers computed beside others round differently in llama-server
    settle(remote)


def test_a_cancelled_answer_ends_at_once_and_the_server_is_free(remote: RemoteEngine, ask: Ask) -> None:
    generation = remote.submit(ask("Where is my parcel?", max_tokens=1500, ignore_eos=True))
    pieces = iter(generation)
    next(pieces)
    began = time.monotonic()
    generation.cancel()
    assert list(pieces) == []
    assert time.monotonic() - began < 0.1
    assert generation.finish_reason is FinishReason.CANCELLED
    assert text(remote, ask("Where is my parcel?", max_tokens=4))
    assert time.monotonic() - began < 10  # 1500 tokens take longer


def test_twenty_cancellations_at_any_moment_leave_nothing_behind(remote: RemoteEngine, ask: Ask) -> None:
    request = ask("Where is my parcel?", max_tokens=200, ignore_eos=True)
    for i in range(20):
        generation = remote.submit(request)
        threading.Timer(i % 10 * 0.004, generation.cancel).start()
        list(generation)
        assert generation.finish_reason is FinishReason.CANCELLED
    settle(remote)
    assert text(remote, ask("Where is my parcel?", max_tokens=4))
    assert remote.unavailable() == ""


def test_what_cannot_be_asked_is_refused(remote: RemoteEngine, ask: Ask) -> None:
    with pytest.raises(PromptTooLongError, match="2048"):
        remote.submit(GenerationRequest((5,) * 2048, 1))
    with pytest.raises(InvalidRequestError, match="999999"):
        remote.submit(ask("hello", sampling=Sampling(logit_bias={999_999: 1.0})))
    with pytest.raises(InvalidRequestError, match="refunds"):
        remote.submit(ask("hello", adapter="refunds"))
    with pytest.raises(InvalidRequestError, match="grammar"):
        remote.submit(ask("hello", sampling=Sampling(grammar="root ::= (")))


def test_a_wrong_key_is_refused_at_the_start(upstream: str) -> None:
    with pytest.raises(StartError, match=r"401.*key"):
        RemoteEngine(upstream, RemoteOptions(api_key="wrong"), MODEL)


def test_a_closed_engine_ends_its_answers_and_takes_no_more(upstream: str, ask: Ask) -> None:
    engine = RemoteEngine(upstream, RemoteOptions(api_key=KEY, max_running=1), MODEL)
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


def test_the_whole_assistant_answers_through_it(remote: RemoteEngine) -> None:
    bundle = open_bundle(DEMO)
    check_tokenizer(bundle, remote)
    chat = bundle.manifest.chat
    parts = DeskParts(
        model_name=bundle.manifest.name,
        demonstration=True,
        engine=remote,
        guards=GuardSource(DEFAULT_POLICY, Guard.load(bundle, load_policy()).under),
        prompts=PromptBuilder(remote, chat.template, chat.system_prompt),
        intents=bundle_intents(bundle),
        flows=built_in_flows(),
        profile=Profile(),
    )
    desk = Desk(parts, DeskOptions())
    turn = desk.query("I want to cancel order 12345", "", AnswerOptions(max_tokens=96), "a")
    answer = "".join(turn)
    assert "12345" in answer
    assert turn.result.end in (TurnEnd.STOP, TurnEnd.LENGTH)
    assert turn.result.sources[0].startswith("model:")
    assert turn.result.usage.completion_tokens > 0


def test_a_file_that_is_no_model_is_refused() -> None:
    with pytest.raises(StartError, match=r"manifest\.json"):
        RemoteEngine("http://127.0.0.1:9", RemoteOptions(), Path(DEMO / "manifest.json"))
