"""What a broken upstream can do: every time a clear error, no hang, no second answer, no key in any word."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from runtime.engine.face import FinishReason, GenerationRequest
from runtime.engine.remote.dialect import ServerKind
from runtime.engine.remote.engine import RemoteEngine
from runtime.engine.remote.generation import RemoteGeneration
from runtime.engine.remote.options import RemoteOptions
from runtime.errors import EngineError
from runtime.service.problems import problem_of
from tests.engine.remote.upstreams import DONE, KEY, STREAM, Misbehaving, event, reply
from tests.paths import DEMO

MODEL = DEMO / "model.gguf"
PROMPT = GenerationRequest((1, 5, 6, 7), 8)
FAST = RemoteOptions(
    api_key=KEY,
    first_token_timeout_s=0.5,
    token_timeout_s=0.3,
    total_timeout_s=1.5,
    retries=0,
    backoff_s=0.02,
    breaker_failures=100,
)

Act = Callable[[socket.socket, bytes], None]
Open = Callable[..., tuple[Misbehaving, RemoteEngine]]


@pytest.fixture
def open_on() -> Iterator[Open]:
    """Makes a server that does ``act``, and an engine on it."""
    opened: list[tuple[Misbehaving, RemoteEngine]] = []

    def make(act: Act | bytes, **options: object) -> tuple[Misbehaving, RemoteEngine]:
        sends = (lambda connection, _: connection.sendall(act)) if isinstance(act, bytes) else act
        server = Misbehaving(sends)
        fields = {name: getattr(FAST, name) for name in FAST.__slots__} | options
        opened.append((server, RemoteEngine(server.url, RemoteOptions(**fields), MODEL)))
        return opened[-1]

    yield make
    for server, engine in opened:
        engine.close()
        server.close()


def failure(engine: RemoteEngine, request: GenerationRequest = PROMPT) -> EngineError:
    """The error that a request ends with; it must come soon."""
    began = time.monotonic()
    with pytest.raises(EngineError) as failed:
        list(engine.submit(request))
    assert time.monotonic() - began < 4
    return failed.value


def answer(engine: RemoteEngine, request: GenerationRequest = PROMPT) -> tuple[str, RemoteGeneration]:
    generation = engine.submit(request)
    return "".join(piece.text for piece in generation), generation


GOOD = STREAM + event("Hello") + event(" there", "stop") + DONE

#: What is sent -> what the error says.
SENT = {
    "nothing": (b"", "connection broke"),
    "no HTTP": (b"220 mail.example.org ESMTP\r\n", "connection broke"),
    "401": (reply(401, json.dumps({"error": {"message": f"bad key {KEY}"}}).encode()), "401: bad key .*key"),
    "404": (reply(404, b'{"error": "no such model"}'), "404: no such model; check the upstream's address"),
    "500": (reply(500, b"<html>oops</html>", kind="text/html"), "HTTP 500; look into"),
    "no model for the prompt": (reply(400, b'{"detail": [{"msg": "too long", "input": "secret"}]}'), "400: too long;"),
    "a redirect": (reply(307, b"", "Location: http://127.0.0.1:9/"), "sends elsewhere"),
    "JSON instead of a stream": (reply(200, b'{"choices": []}'), "application/json"),
    "a compressed stream": (reply(200, b"x", "Content-Encoding: gzip", kind="text/event-stream"), "plain"),
    "no event at all": (STREAM, "broke off"),
    "words that are no events": (STREAM + b"hello\nworld\n\n", "broke off"),
    "an event that is no JSON": (STREAM + b"data: {oops\n\n", "no JSON"),
    "an event that is a list": (STREAM + b"data: []\n\n", "expected an object"),
    "deeply nested JSON": (STREAM + b"data: " + b"[" * 100_000 + b"\n\n", "no JSON"),
    "an event without choices": (STREAM + b'data: {"id": 1}\n\n', "without choices"),
    "text that is a number": (STREAM + b'data: {"choices": [{"text": 5}]}\n\n', "no text"),
    "bytes that are no UTF-8": (STREAM + b'data: {"choices": "\xff"}\n\n', "not UTF-8"),
    "half an event": (STREAM + event("Hello") + event(" there")[:20], "broke off"),
    "no finish": (STREAM + event("Hello") + DONE, "broke off"),
    "an unknown finish": (STREAM + event("Hello") + event("", "abort") + DONE, "'abort'"),
    "an error in the middle": (STREAM + event("Hello") + b'data: {"error": {"message": "no KV"}}\n\n', "no KV"),
    "tokens of another model": (
        STREAM + b'data: {"choices": [{"text": "x", "token_ids": [99999]}]}\n\n',
        "not this model",
    ),
    "an endless line": (STREAM + b"data: " + b"x" * (2 << 20), "more than 1048576 bytes"),
    "an endless header": (b"HTTP/1.1 200 OK\r\nX: " + b"x" * (1 << 20), "connection broke"),
    "events without text": (STREAM + event() * 10_000, "events for at most 8 tokens"),
}


@pytest.mark.parametrize("sent", SENT)
def test_a_broken_answer_is_a_clear_error(open_on: Open, sent: str, caplog: pytest.LogCaptureFixture) -> None:
    data, words = SENT[sent]
    server, engine = open_on(data)
    error = failure(engine)
    assert re.search(words, str(error))
    assert server.url in str(error)
    assert "secret" not in str(error) + caplog.text
    assert KEY not in str(error) + caplog.text
    assert problem_of(error).status in (500, 503)
    assert engine.unavailable() or "400" in str(error)


def test_a_character_in_two_halves_is_joined(open_on: Open) -> None:
    halves = b'data: {"choices": [{"text": "ok \\ud83d"}]}\n\ndata: {"choices": [{"text": "\\udc4d \\ud83d!"}]}\n\n'
    _, engine = open_on(STREAM + halves + event("", "stop") + DONE)
    assert answer(engine)[0] == "ok 👍 \ufffd!"


def test_an_event_may_come_byte_by_byte_and_with_any_line_ends(open_on: Open) -> None:
    def drip(connection: socket.socket, _: bytes) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in (
            STREAM + b": a comment\r\n\r\n" + event("Gr\u00fc\u00dfe").replace(b"\n", b"\r\n") + event("", "stop")
        ):
            connection.sendall(bytes([byte]))

    _, engine = open_on(drip)
    text, generation = answer(engine)
    assert text == "Gr\u00fc\u00dfe"
    assert generation.finish_reason is FinishReason.STOP


def test_a_stop_text_ends_the_answer_although_the_server_goes_on(open_on: Open) -> None:
    """It comes in two events; the text after it never shows, and the connection is closed."""

    def act(connection: socket.socket, _: bytes) -> None:
        connection.sendall(STREAM + event("Fine.<|us") + event("er|> And then"))
        server.until_closed(connection)

    server, engine = open_on(act)
    text, generation = answer(engine, GenerationRequest((1, 5), 8, stop=("<|user|>",)))
    assert (text, generation.finish_reason) == ("Fine.", FinishReason.STOP)
    assert server.closed_by_client.wait(2)


@pytest.mark.parametrize("joined", [False, True], ids=["token by token", "all in one event"])
def test_an_answer_longer_than_asked_is_cut(open_on: Open, joined: bool) -> None:
    words = [" your"] * 500
    events = event("".join(words)) if joined else b"".join(event(word) for word in words)
    _, engine = open_on(STREAM + events + event("", "stop") + DONE)
    text, generation = answer(engine)
    assert text == " your" * 8
    assert len(generation.answer_ids) == 8
    assert generation.finish_reason is FinishReason.LENGTH
    assert generation.usage.completion_tokens <= 8


def test_ids_from_the_server_are_the_answer_s(open_on: Open) -> None:
    """As vLLM does it: ids in every event, the end token among them, counts at the end; a ninth token is cut off."""
    usage = {"usage": {"completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 3}}}

    def ids(*tokens: int, text: str = "ab", finish: str | None = None) -> bytes:
        choice = {"text": text, "token_ids": tokens, "finish_reason": finish}
        return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"

    counts = b"data: " + json.dumps({"choices": [], **usage}).encode() + b"\n\n"
    server, engine = open_on(
        STREAM + ids(375, 1289) + ids(2, text="", finish="stop") + counts + DONE, kind=ServerKind.VLLM
    )
    text, generation = answer(engine)
    assert (text, generation.answer_ids) == ("ab", (375, 1289))
    assert (generation.usage.completion_tokens, generation.usage.cached_tokens) == (2, 3)
    body = json.loads(server.requests[-1].split(b"\r\n\r\n", 1)[1])
    assert (body["return_token_ids"], body["repetition_penalty"], body["top_k"]) == (True, 1.0, -1)
    _, engine = open_on(STREAM + ids(*[1289] * 9) + DONE, kind=ServerKind.VLLM)
    text, generation = answer(engine)
    assert generation.answer_ids == (1289,) * 8
    assert engine.encode(text.strip())


@pytest.mark.parametrize(
    ("first", "words"),
    [(b"", "no first token within 0.5 s"), (STREAM + event("Hello"), "no further token within 0.3 s")],
    ids=["from the start", "in the middle"],
)
def test_silence_ends_in_time(open_on: Open, first: bytes, words: str) -> None:
    def act(connection: socket.socket, _: bytes) -> None:
        connection.sendall(first)
        server.until_closed(connection)

    server, engine = open_on(act)
    assert words in str(failure(engine))
    assert server.closed_by_client.wait(2)


@pytest.mark.parametrize("more", [b": ping\n\n", event("")], ids=["comments", "tokens without text"])
def test_a_drip_of_nothing_is_no_answer(open_on: Open, more: bytes) -> None:
    def act(connection: socket.socket, _: bytes) -> None:
        connection.sendall(STREAM)
        while True:
            connection.sendall(more)
            time.sleep(0.02)

    _, engine = open_on(act)
    assert "no first token" in str(failure(engine))


def test_an_endless_answer_ends_with_the_total_time(open_on: Open) -> None:
    def act(connection: socket.socket, _: bytes) -> None:
        connection.sendall(STREAM)
        while True:
            connection.sendall(event("x"))
            time.sleep(0.05)

    _, engine = open_on(act)
    assert "over 1.5 s" in str(failure(engine, GenerationRequest((1, 5), 1000)))


def test_missing_counts_do_not_spoil_an_answer(open_on: Open) -> None:
    _, engine = open_on(STREAM + event("Hello") + event(" there", "stop"))
    text, generation = answer(engine)
    assert (text, generation.finish_reason) == ("Hello there", FinishReason.STOP)
    assert generation.usage.completion_tokens == len(generation.answer_ids)


@pytest.mark.parametrize("when", ["silent before the answer", "silent in the answer", "while connecting"])
def test_a_cancelled_answer_ends_within_a_tenth_of_a_second(open_on: Open, when: str) -> None:
    def act(connection: socket.socket, _: bytes) -> None:
        if when == "silent in the answer":
            connection.sendall(STREAM + event("Hello"))
        server.until_closed(connection)

    server, engine = open_on(act, first_token_timeout_s=30.0, token_timeout_s=30.0, total_timeout_s=60.0)
    if when == "while connecting":
        engine._upstream.url = "http://" + full_backlog()
    generation = engine.submit(PROMPT)
    time.sleep(0.3)
    began = time.monotonic()
    threading.Timer(0.0, generation.cancel).start()
    list(generation)
    assert time.monotonic() - began < 0.1
    assert generation.finish_reason is FinishReason.CANCELLED
    assert when == "while connecting" or server.closed_by_client.wait(1)
    while engine.load().running:
        assert time.monotonic() - began < 1
        time.sleep(0.01)


_full: list[socket.socket] = []


def full_backlog() -> str:
    """Host and port where connections are neither taken nor refused: the line of waiting ones is full."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    host, port = listener.getsockname()
    _full.append(listener)
    for _ in range(3):
        waiting = socket.socket()
        waiting.setblocking(False)
        waiting.connect_ex((host, port))
        _full.append(waiting)
    return f"{host}:{port}"
