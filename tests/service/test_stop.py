"""An orderly stop: of the server in this process, and of the command line by SIGTERM in the middle of an answer."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from runtime.errors import StartError
from runtime.service.app import create_app
from runtime.service.options import ServiceOptions
from runtime.service.server import Server
from tests.paths import DEMO, ROOT
from tests.service.reading import Event, events
from tests.service.scripted import Script, ScriptedAssistant

QUERY = "/api/query"
CHAT = "/v1/chat/completions"


def started(script: Script, **options: float) -> tuple[Server, ScriptedAssistant]:
    assistant = ScriptedAssistant(script)
    server = Server(create_app(assistant, ServiceOptions(**options)), "127.0.0.1", 0)  # type: ignore[arg-type]
    server.start()
    return server, assistant


def read_in_background(url: str, body: dict[str, object]) -> tuple[threading.Thread, list[Event], threading.Event]:
    got: list[Event] = []
    first = threading.Event()

    def read() -> None:
        with httpx.stream("POST", url, json=body, timeout=30, trust_env=False) as response:
            for event in events(response):
                got.append(event)
                first.set()

    thread = threading.Thread(target=read)
    thread.start()
    return thread, got, first


def test_an_answer_that_ends_within_the_grace_is_whole() -> None:
    server, _ = started(Script(("a ", "b ", "c"), delay_s=0.2), stop_grace_s=3.0)
    thread, got, first = read_in_background(server.address + QUERY, {"question": "Hi", "stream": True})
    assert first.wait(5)
    began = time.monotonic()
    server.stop()
    thread.join(5)
    assert time.monotonic() - began < 2
    assert got[-1][0] == "done"
    assert got[-1][1]["answer"] == "a b c"
    assert got[-1][1]["cut_short"] is None


def test_a_long_answer_is_cut_short_with_its_final_event() -> None:
    server, assistant = started(Script(("word ",) * 1000, delay_s=0.05), stop_grace_s=0.3)
    query, got, first = read_in_background(server.address + QUERY, {"question": "Hi", "stream": True})
    body = {"messages": [{"role": "user", "content": "Hi"}], "stream": True}
    chat, chunks, chunk = read_in_background(server.address + CHAT, body)
    assert first.wait(5)
    assert chunk.wait(5)
    server.stop()
    query.join(5)
    chat.join(5)
    name, done = got[-1]
    assert (name, done["cut_short"], done["finish_reason"]) == ("done", "shutting_down", "length")
    assert chunks[-1] == ("done", None)
    assert chunks[-2][1]["choices"][0]["finish_reason"] == "length"
    assert chunks[-2][1]["tellerbox"]["cut_short"] == "shutting_down"
    assert all(turn.cancelled.is_set() for turn in assistant.turns)


def test_while_it_stops_nothing_new_is_begun() -> None:
    server, _ = started(Script(("word ",) * 1000, delay_s=0.05), stop_grace_s=1.0)
    with httpx.Client(base_url=server.address, trust_env=False) as kept_alive:
        assert kept_alive.get("/readyz").status_code == 200
        thread, _, first = read_in_background(server.address + QUERY, {"question": "Hi", "stream": True})
        assert first.wait(5)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        time.sleep(0.3)
        assert kept_alive.get("/readyz").status_code == 503
        with pytest.raises(httpx.ConnectError):
            httpx.get(server.address + "/livez", trust_env=False)
        stopping.join(5)
        thread.join(5)
    assert server.wait(0)


def test_an_address_in_use_is_refused_by_name() -> None:
    server, _ = started(Script())
    port = int(server.address.rpartition(":")[2])
    try:
        with pytest.raises(StartError, match=f"127.0.0.1:{port}: cannot listen there"):
            Server(create_app(None, ServiceOptions()), "127.0.0.1", port)
        with pytest.raises(StartError, match=r"no\.such\.host\.invalid:0: cannot listen there"):
            Server(create_app(None, ServiceOptions()), "no.such.host.invalid", 0)
        with pytest.raises(StartError, match="no such port"):
            Server(create_app(None, ServiceOptions()), "127.0.0.1", 70000)
    finally:
        server.stop()


@pytest.fixture
def process() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command line serving the demonstration bundle, and the address that it printed."""
    command = [sys.executable, "-m", "runtime", "serve", "--bundle", str(DEMO), "--port", "0", "--threads", "1"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            yield running, running.stdout.readline().split()[-1]
        finally:
            running.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_mid_answer_ends_the_process_in_order(
    process: tuple[subprocess.Popen[str], str], number: signal.Signals
) -> None:
    running, url = process
    body = {
        "messages": [{"role": "user", "content": "I want to cancel my order"}],
        "max_tokens": 1500,
        "ignore_eos": True,
        "stream": True,
    }
    thread, chunks, first = read_in_background(url + CHAT, body)
    assert first.wait(20)
    began = time.monotonic()
    running.send_signal(number)
    assert running.wait(timeout=10) == 0
    assert time.monotonic() - began < 5
    thread.join(5)
    assert chunks[-1] == ("done", None)
    # what a model says after its own end may be anything: a role marker, or something that the guard does not let out
    assert chunks[-2][1]["choices"][0]["finish_reason"] in ("length", "content_filter", "stop")
