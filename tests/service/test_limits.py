"""What keeps one client from harming the others: hang-ups, time limits, the cap on answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from runtime.service.options import ServiceOptions
from tests.service.conftest import Stage
from tests.service.reading import events
from tests.service.scripted import Script, ScriptedAssistant

CHAT = "/v1/chat/completions"
QUERY = "/api/query"
ENDLESS = Script(("word ",) * 2000, delay_s=0.02)
SILENT = Script(("word",), delay_s=60)


def question(path: str, stream: bool) -> dict[str, object]:
    if path == CHAT:
        return {"messages": [{"role": "user", "content": "Hi"}], "stream": stream}
    return {"question": "Hi", "stream": stream}


def wait_for(condition: Callable[[], bool], timeout_s: float = 3.0) -> bool:
    end_s = time.monotonic() + timeout_s
    while not condition() and time.monotonic() < end_s:
        time.sleep(0.01)
    return condition()


def hang_up(url: str, path: str, stream: bool, after_s: float) -> None:
    """Ask, wait, and close the connection without having read to the end."""
    try:
        with httpx.Client(trust_env=False, timeout=after_s) as client:
            if not stream:
                client.post(url + path, json=question(path, stream))
            with client.stream("POST", url + path, json=question(path, stream)) as response:
                next(response.iter_bytes())
    except httpx.TimeoutException:
        pass


@pytest.mark.parametrize("path", [CHAT, QUERY])
@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("script", [SILENT, ENDLESS], ids=["prefill", "decode"])
def test_who_hangs_up_is_not_computed_for(stage: Stage, path: str, stream: bool, script: Script) -> None:
    assistant, url = stage(script)
    hang_up(url, path, stream, after_s=0.3)
    assert wait_for(lambda: bool(assistant.turns) and assistant.turns[0].cancelled.is_set(), 1.5)


def test_a_hang_up_frees_the_engine(http: httpx.Client) -> None:
    """With the real one: 1,500 tokens are asked for, a few are read."""
    body = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1500, "ignore_eos": True, "stream": True}
    with http.stream("POST", CHAT, json=body) as response:
        chunks = (data for _, data in events(response))
        while not next(chunks)["choices"][0]["delta"].get("content"):
            pass
        assert http.get("/health").json()["load"]["running"] == 1
    assert wait_for(lambda: http.get("/health").json()["load"]["running"] == 0, 1.0)


def test_a_hang_up_frees_the_place(stage: Stage) -> None:
    _, url = stage(scripts={"slow": SILENT}, options=ServiceOptions(max_answers=1))
    with pytest.raises(httpx.TimeoutException):
        httpx.post(url + QUERY, json={"question": "slow"}, timeout=0.3, trust_env=False)
    assert wait_for(lambda: httpx.post(url + QUERY, json={"question": "Hi"}, trust_env=False).status_code == 200)


def test_an_answer_that_takes_too_long_is_cut_short(stage: Stage) -> None:
    _, url = stage(ENDLESS, options=ServiceOptions(answer_timeout_s=0.5))
    whole = httpx.post(url + QUERY, json={"question": "Hi"}, trust_env=False)
    assert whole.status_code == 504
    assert whole.json()["error"]["code"] == "timeout"
    with httpx.stream("POST", url + QUERY, json=question(QUERY, True), trust_env=False) as response:
        name, done = list(events(response))[-1]
    assert name == "done"
    assert done["cut_short"] == "timeout"
    assert done["finish_reason"] == "length"
    assert done["answer"]


def test_more_answers_than_places_get_429_and_health_answers_at_once(stage: Stage) -> None:
    assistant, url = stage(ENDLESS, options=ServiceOptions(max_answers=4))
    enough = threading.Event()

    def stream() -> None:
        with httpx.stream("POST", url + CHAT, json=question(CHAT, True), timeout=10, trust_env=False) as response:
            for _ in response.iter_bytes():
                if enough.is_set():
                    return

    with ThreadPoolExecutor(4) as pool:
        streams = [pool.submit(stream) for _ in range(4)]
        try:
            with httpx.Client(base_url=url, trust_env=False) as client:
                assert wait_for(lambda: len(assistant.turns) == 4)
                for stream_it in (True, False):
                    refused = client.post(CHAT, json=question(CHAT, stream_it))
                    assert refused.status_code == 429
                    assert int(refused.headers["retry-after"]) >= 1
                for path in ("/livez", "/readyz", "/health", "/metrics", "/"):
                    started = time.monotonic()
                    assert client.get(path).status_code == 200
                    assert time.monotonic() - started < 1
        finally:
            enough.set()
        for done in streams:
            done.result(timeout=5)


def test_idle_connections_keep_nobody_out(stage: Stage) -> None:
    """Connections that say nothing are closed after the idle time, so new ones find room."""
    _, url = stage(options=ServiceOptions(max_connections=8, idle_timeout_s=1))
    where = urlsplit(url)
    idle = [socket.create_connection((where.hostname, where.port)) for _ in range(10)]
    try:
        assert httpx.get(url + "/livez", timeout=8, trust_env=False).status_code == 200
    finally:
        for connection in idle:
            connection.close()


def test_answers_do_not_mix(stage: Stage) -> None:
    """Many conversations at once through one server: everyone gets what they asked for, in order."""
    scripts = {f"q{n}": Script(tuple(f"{n}-{i} " for i in range(20)), delay_s=0.005) for n in range(16)}
    assistant, url = stage(scripts=scripts)

    def ask(n: int) -> str:
        body = {"question": f"q{n}", "stream": True}
        with httpx.stream("POST", url + QUERY, json=body, timeout=20, trust_env=False) as response:
            return "".join(data["text"] for name, data in events(response) if name == "delta")

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(16)))
    assert answers == ["".join(scripts[f"q{n}"].pieces) for n in range(16)]
    assert isinstance(assistant, ScriptedAssistant)
    assert len(assistant.turns) == 16
