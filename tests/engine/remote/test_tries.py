"""When the upstream cannot be had: another try, a wait, the circuit breaker, the queue, the deadline."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from runtime.engine.face import FinishReason, GenerationRequest, Sampling
from runtime.engine.remote.dialect import PromptForm, ServerKind
from runtime.engine.remote.engine import RemoteEngine
from runtime.engine.remote.options import RemoteOptions
from runtime.errors import EngineUnavailableError, InvalidRequestError, QueueFullError, StartError
from runtime.service.problems import problem_of
from tests.engine.remote.test_faults import FAST, GOOD, MODEL, PROMPT, Open, answer, failure, full_backlog, open_on
from tests.engine.remote.upstreams import KEY, STREAM, event, free_port, reply

__all__ = ["open_on"]


class Turns:
    """Does one thing after the other, the last one again and again."""

    def __init__(self, *sends: bytes) -> None:
        self.sends = list(sends)

    def __call__(self, connection: socket.socket, _: bytes) -> None:
        connection.sendall(self.sends.pop(0) if len(self.sends) > 1 else self.sends[0])


BUSY = reply(503, b'{"error": {"message": "loading"}}')


@pytest.mark.parametrize(
    "bad", [BUSY, reply(502, b""), reply(504, b""), reply(429, b"", "Retry-After: 0"), b"", STREAM + event()[:9]]
)
def test_what_may_pass_is_tried_again(open_on: Open, bad: bytes) -> None:
    server, engine = open_on(Turns(bad, bad, GOOD), retries=2)
    assert answer(engine)[0] == "Hello there"
    assert len(server.requests) == 3
    assert engine.unavailable() == ""


@pytest.mark.parametrize("bad", [reply(500, b""), reply(401, b""), STREAM + b"data: x\n\n"])
def test_what_does_not_pass_is_not_tried_again(open_on: Open, bad: bytes) -> None:
    server, engine = open_on(Turns(bad, GOOD), retries=2, prompt_form=PromptForm.IDS)
    failure(engine)
    assert len(server.requests) == 1


def test_there_is_no_second_try_once_something_was_given_out(open_on: Open) -> None:
    server, engine = open_on(Turns(STREAM + event("Hello"), GOOD), retries=2)
    generation = engine.submit(PROMPT)
    pieces = iter(generation)
    assert next(pieces).text == "Hello"
    with pytest.raises(EngineUnavailableError, match="broke off"):
        next(pieces)
    assert list(pieces) == []
    assert len(server.requests) == 1


def test_a_try_that_gave_nothing_out_does_not_count(open_on: Open) -> None:
    """Its only text could have been the beginning of a stop text."""
    _, engine = open_on(Turns(STREAM + event("<|us"), GOOD), retries=1)
    text, generation = answer(engine, GenerationRequest((1, 5), 8, stop=("<|user|>",)))
    assert text == "Hello there"
    assert generation.usage.completion_tokens == len(generation.answer_ids)


def test_a_long_retry_after_is_passed_on(open_on: Open) -> None:
    server, engine = open_on(reply(429, b"", "Retry-After: 77"), retries=2)
    error = failure(engine)
    assert len(server.requests) == 1
    assert problem_of(error).headers == {"Retry-After": "77"}


def test_the_breaker_opens_waits_and_closes_again(open_on: Open) -> None:
    turns = Turns(BUSY)
    server, engine = open_on(turns, breaker_failures=3, breaker_cooldown_s=0.4)
    for _ in range(3):
        assert "503: loading" in str(failure(engine))
    with pytest.raises(EngineUnavailableError) as refused:
        engine.submit(PROMPT)
    assert 0 < refused.value.retry_after_s <= 0.4
    assert problem_of(refused.value).status == 503
    assert "left alone" in engine.unavailable()
    time.sleep(0.45)
    failure(engine)  # the probe
    with pytest.raises(EngineUnavailableError):
        engine.submit(PROMPT)
    assert len(server.requests) == 4
    turns.sends = [GOOD]
    time.sleep(0.45)
    assert answer(engine)[0] == "Hello there"
    assert answer(engine)[0] == "Hello there"
    assert engine.unavailable() == ""


def test_a_server_that_is_not_there_is_asked_again_later(open_on: Open) -> None:
    port = free_port()
    engine = RemoteEngine(f"http://127.0.0.1:{port}/v1/", FAST, MODEL)
    try:
        assert "did not answer at the start" in engine.info.notes[0]
        assert "no connection" in engine.unavailable()
        assert "no connection" in str(failure(engine))
        server, _ = open_on(GOOD)
        engine._upstream.url = server.url
        assert answer(engine)[0] == "Hello there"
    finally:
        engine.close()


def test_an_unknown_name_a_full_line_and_bad_tls_are_told_apart(open_on: Open) -> None:
    _, engine = open_on(GOOD, connect_timeout_s=0.4)
    plain = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=lambda: plain.accept()[0].sendall(b"no TLS here"), daemon=True).start()
    for url, words in (
        ("http://nobody.invalid", "its name is not known"),
        ("http://" + full_backlog(), "no connection in time"),
        (f"https://127.0.0.1:{plain.getsockname()[1]}", "TLS failed"),
    ):
        engine._upstream.url = url
        error = failure(engine)
        assert words in str(error)
        assert isinstance(error, EngineUnavailableError)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://host", "no address of an HTTP server"),
        ("127.0.0.1:8000", "no address"),
        ("http://", "no address"),
        ("http://user:password@host", "holds a password"),
        ("http://host:99999", "is no address"),
        ("http://host/?a=b", "more than an address"),
    ],
)
def test_what_is_no_address_is_refused(url: str, words: str) -> None:
    with pytest.raises(StartError, match=words) as refused:
        RemoteEngine(url, FAST, MODEL)
    assert "user:password" not in str(refused.value)


def test_a_key_or_a_certificate_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(StartError, match="line end") as refused:
        RemoteEngine("http://127.0.0.1:9", RemoteOptions(api_key=KEY + "\nX: y"), MODEL)
    assert KEY not in str(refused.value)
    with pytest.raises(StartError, match="PEM"):
        RemoteEngine("https://127.0.0.1:9", RemoteOptions(ca_file=MODEL), MODEL)


def silent(connection: socket.socket, _: bytes) -> None:
    time.sleep(30)


def test_a_full_queue_refuses_with_a_time(open_on: Open) -> None:
    _, engine = open_on(silent, max_running=1, queue_capacity=1, first_token_timeout_s=30.0, total_timeout_s=60.0)
    running, waiting = engine.submit(PROMPT), engine.submit(PROMPT)
    assert (engine.load().running, engine.load().waiting) == (1, 1)
    with pytest.raises(QueueFullError) as refused:
        engine.submit(PROMPT)
    assert refused.value.retry_after_s >= 1
    waiting.cancel()
    assert list(waiting) == []
    assert engine.load().waiting == 0
    running.cancel()


def test_a_deadline_holds_in_the_queue_and_on_the_way(open_on: Open) -> None:
    _, engine = open_on(silent, max_running=1, first_token_timeout_s=30.0, total_timeout_s=60.0)
    late = GenerationRequest((1, 5), 8, deadline_s=1.2)
    generations = [engine.submit(late), engine.submit(late)]
    began = time.monotonic()
    for generation in generations:
        with pytest.raises(EngineUnavailableError, match=r"within the 1\.2 s"):
            list(generation)
    assert time.monotonic() - began < 3
    with pytest.raises(QueueFullError):
        engine.submit(PROMPT)  # takes the place
        engine.submit(GenerationRequest((1, 5), 8, deadline_s=0.001))


def test_what_a_plain_openai_server_cannot_do_is_refused(open_on: Open) -> None:
    _, engine = open_on(GOOD, kind=ServerKind.OTHER)
    warm = {"temperature": 1.0}
    for field, sampling in (
        ("top_k", Sampling(**warm, top_k=5)),
        ("min_p", Sampling(**warm, min_p=0.1)),
        ("repeat_penalty", Sampling(repeat_penalty=1.1)),
        ("response_format", Sampling(grammar='root ::= "a"')),
    ):
        with pytest.raises(InvalidRequestError) as refused:
            engine.submit(GenerationRequest((1, 5), 8, sampling))
        assert refused.value.field == field
    assert answer(engine, GenerationRequest((1, 5), 8, Sampling(**warm, top_p=0.9), ignore_eos=True))[0]


def test_a_named_adapter_is_asked_for_as_a_model(open_on: Open) -> None:
    server, engine = open_on(GOOD, adapters=("refunds-v2",))
    assert answer(engine, GenerationRequest((1, 5), 8, adapter="refunds-v2"))[1].finish_reason is FinishReason.STOP
    assert answer(engine)[0]
    assert b'"model":"refunds-v2"' in server.requests[0]
    assert b'"model":"demo"' in server.requests[1]
