"""The contract's table of bad input, line by line, over a real socket: the right status, the field by name, in JSON."""

from __future__ import annotations

import http.client
import json
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runtime.errors import PromptTooLongError, QueueFullError
from runtime.service.options import ServiceOptions
from tests.service.conftest import Stage
from tests.service.problem import assert_problem
from tests.service.scripted import Script
from tests.service.serving import serving

CHAT = "/v1/chat/completions"
QUERY = "/api/query"
HELLO = {"role": "user", "content": "Hello"}
USER_KEY = "user-secret-0123456789"
ADMIN_KEY = "admin-secret-0123456789"


def chat(**fields: object) -> dict[str, object]:
    return {"messages": [HELLO], "max_tokens": 4, **fields}


@pytest.mark.parametrize("path", [CHAT, QUERY, "/api/session/end"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"question": }',
        b'{"question": "\xff\xfe"}',
        b"[]",
        b'"{}"',
        b"null",
        b'{"question": NaN}',
        b"[" * 100_000,
        b'{"seed": ' + b"9" * 5000 + b"}",
    ],
    ids=["empty", "cut", "broken", "latin1", "array", "string", "null", "nan", "deep", "huge-number"],
)
def test_a_body_that_is_no_json_object_is_refused(http: httpx.Client, path: str, body: bytes) -> None:
    assert_problem(http.post(path, content=body), 400, "body")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "messages"),
        ({"messages": "Hello"}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages.0.content"),
        ({"messages": [{"role": "robot", "content": "Hello"}]}, "messages.0.role"),
        (chat(temperature="0.5"), "temperature"),
        (chat(temperature=-1), "temperature"),
        (chat(temperature=1e999), "temperature"),
        (chat(top_p=1.5), "top_p"),
        (chat(top_k=-1), "top_k"),
        (chat(min_p=2), "min_p"),
        (chat(repeat_penalty=0), "repeat_penalty"),
        (chat(max_tokens=0), "max_tokens"),
        (chat(max_tokens=1.5), "max_tokens"),
        (chat(max_completion_tokens=-3), "max_completion_tokens"),
        (chat(seed="one"), "seed"),
        (chat(seed=2**70), "seed"),
        (chat(n=2), "n"),
        (chat(stop=[""]), "stop.0"),
        (chat(stop=["a"] * 17), "stop"),
        (chat(stream="yes"), "stream"),
        (chat(stream_options={"include_usage": 1}), "stream_options.include_usage"),
        (chat(logit_bias={"ten": 1}), "logit_bias.ten"),
        (chat(logit_bias={"10": 101}), "logit_bias.10"),
        (chat(logit_bias={"-1": 1}), "logit_bias.-1"),
        (chat(response_format={"type": "yaml"}), "response_format.type"),
        (chat(response_format={"type": "json_schema"}), "response_format.json_schema"),
        (
            chat(response_format={"type": "json_schema", "json_schema": {"schema": {"type": "nothing"}}}),
            "response_format.json_schema.schema",
        ),
        (
            chat(response_format={"type": "json_schema", "json_schema": {"schema": {"$ref": "https://a.example/s"}}}),
            "response_format.json_schema.schema",
        ),
    ],
)
def test_a_wrong_field_of_a_chat_is_named(http: httpx.Client, body: dict[str, object], field: str) -> None:
    raw = json.dumps(body).replace("Infinity", "1e999")
    assert_problem(http.post(CHAT, content=raw), 400, field)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "question"),
        ({"question": None}, "question"),
        ({"question": 5}, "question"),
        ({"question": ""}, "question"),
        ({"question": " \n"}, "question"),
        ({"question": "\ud800"}, "question"),
        ({"question": "Hello", "session_id": 7}, "session_id"),
        ({"question": "Hello", "session_id": "x" * 200}, "session_id"),
        ({"question": "Hello", "stream": "true"}, "stream"),
        ({"question": "Hello", "adapter": 1}, "adapter"),
        ({"question": "Hello", "adapter": "refunds-v9"}, "adapter"),
    ],
)
def test_a_wrong_field_of_a_query_is_named(http: httpx.Client, body: dict[str, object], field: str) -> None:
    assert_problem(http.post(QUERY, content=json.dumps(body)), 400, field)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["messages", "stream", "n", "stop", "seed", "x"]), json_values))
def test_no_json_object_gets_anything_but_a_refusal(http: httpx.Client, body: dict[str, object]) -> None:
    """None of these holds a valid conversation, so 400 is the only right answer; 500 would be a bug."""
    assert_problem(http.post(CHAT, content=json.dumps(body)), 400)


def test_unknown_fields_are_ignored(http: httpx.Client) -> None:
    response = http.post(CHAT, json=chat(user="u-1", frequency_penalty=0.3, metadata={"a": 1}))
    assert response.status_code == 200


def test_unknown_routes_and_wrong_methods_are_refused_in_json(http: httpx.Client) -> None:
    assert assert_problem(http.get("/nothing"), 404)["code"] == "not_found"
    assert_problem(http.get("/static/../app.py"), 404)
    assert_problem(http.get("/static/%2e%2e/app.py"), 404)
    refused = http.get(QUERY)
    assert assert_problem(refused, 405)["code"] == "method_not_allowed"
    assert "POST" in refused.headers["allow"]
    assert_problem(http.delete("/livez"), 405)


@pytest.mark.parametrize("extra", [1, 100_000, 30_000_000], ids=["a-byte", "some", "30-MB"])
def test_a_body_over_the_limit_gets_413(server_url: str, extra: int) -> None:
    """With the plainest client there is: it sends everything before it reads anything."""
    where = urlsplit(server_url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=20)
    connection.request("POST", QUERY, body=b" " * (ServiceOptions().max_body_bytes + extra))
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["error"]["code"] == "body_too_large"
    connection.close()


def test_a_chunked_body_over_the_limit_gets_413(http: httpx.Client) -> None:
    chunks = (b" " * 10_000 for _ in range(40))
    assert_problem(http.post(QUERY, content=chunks), 413)


def test_what_is_no_http_is_refused_in_json(server_url: str) -> None:
    where = urlsplit(server_url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(b"HELLO\r\n\r\n")
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.0 400")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "bad_request"


def test_a_request_that_trickles_in_gets_408(stage: Stage) -> None:
    _, url = stage(options=ServiceOptions(request_timeout_s=1))
    where = urlsplit(url)
    with socket.create_connection((where.hostname, where.port), timeout=10) as connection:
        connection.sendall(b"POST /api/query HTTP/1.1\r\nHost: box\r\nContent-Length: 1000\r\n\r\n")
        started = time.monotonic()
        connection.settimeout(0.2)
        answer = b""
        while not answer and time.monotonic() - started < 8:
            connection.sendall(b" ")
            try:
                answer = connection.recv(4096)
            except TimeoutError:
                continue
    assert answer.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - started < 5


def test_a_full_queue_gets_429(stage: Stage) -> None:
    _, url = stage(scripts={"Hello": Script(refuses=QueueFullError(64, 7.2))})
    for path, body in ((QUERY, {"question": "Hello"}), (CHAT, chat()), (CHAT, chat(stream=True))):
        refused = httpx.post(url + path, json=body, trust_env=False)
        assert assert_problem(refused, 429)["code"] == "queue_full"
        assert refused.headers["retry-after"] == "8"


def test_a_conversation_that_does_not_fit_gets_400(stage: Stage) -> None:
    _, url = stage(scripts={"Hello": Script(refuses=PromptTooLongError(5000, 2048))})
    error = assert_problem(httpx.post(url + CHAT, json=chat(), trust_env=False), 400)
    assert error["code"] == "context_length_exceeded"


def test_while_the_model_is_loaded_questions_get_503() -> None:
    with serving(None) as url:
        for path, body in ((QUERY, {"question": "Hello"}), (CHAT, chat())):
            refused = httpx.post(url + path, json=body, trust_env=False)
            assert assert_problem(refused, 503)["code"] == "not_ready"
            assert int(refused.headers["retry-after"]) >= 1
        assert_problem(httpx.get(url + "/readyz", trust_env=False), 503)
        assert httpx.get(url + "/livez", trust_env=False).status_code == 200
        assert httpx.get(url + "/health", trust_env=False).json() == {"state": "starting"}


def test_a_bug_tells_the_caller_nothing_but_that(stage: Stage) -> None:
    _, url = stage(scripts={"Hello": Script(refuses=ZeroDivisionError("the secret of the house"))})
    refused = httpx.post(url + QUERY, json={"question": "Hello"}, trust_env=False)
    assert assert_problem(refused, 500)["code"] == "internal_error"
    assert "secret" not in refused.text
