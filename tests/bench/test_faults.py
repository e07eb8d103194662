"""Targets that refuse, lie, dawdle or die: each gives a clear report and an exit code, and nothing hangs."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from bench.__main__ import main
from bench.chat import ChatMessage, ChatRequest
from bench.client import Client
from bench.errors import ProtocolError
from bench.process import serve_bundle
from bench.records import Outcome, Record
from bench.result import Result, read_result
from bench.wire import Limits, parse_address
from tests.bench.targets import HEAD, Behaviour, Exchange, event, reply, streams, target
from tests.paths import DEMO, ROOT

TIMEOUT_S = 0.4
#: Longest time from a fault to the end of bench: its timeouts, its look at the machine, its report. A machine that is
#: not busy takes a tenth of this.
BOUND_S = 60.0
JSON_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def silent(exchange: Exchange) -> None:
    time.sleep(3.0 * TIMEOUT_S)


def a_byte_of_header_now_and_then(exchange: Exchange) -> None:
    for byte in HEAD * 10:
        exchange.send(bytes([byte]))
        time.sleep(TIMEOUT_S / 8.0)


def a_byte_of_body_now_and_then(exchange: Exchange) -> None:
    exchange.send(HEAD)
    for _ in range(100):
        exchange.send(b":")
        time.sleep(TIMEOUT_S / 8.0)


def closed_at_once(exchange: Exchange) -> None:
    exchange.sock.close()


def closed_mid_stream(exchange: Exchange) -> None:
    exchange.send(HEAD)
    exchange.piece("half an answ")


def garbage_events(exchange: Exchange) -> None:
    exchange.send(HEAD + b"data: \x00\x01 not json\n\n")


def garbage_instead_of_http(exchange: Exchange) -> None:
    exchange.send(b"\x16\x03\x01 hello\r\n\r\n")


def errors(exchange: Exchange) -> None:
    exchange.send(reply("500 Internal Server Error", {"error": {"message": "out of cells"}}))


def wants_a_key(exchange: Exchange) -> None:
    exchange.send(reply("401 Unauthorized", {"error": {"message": "no key"}}))


def moved(exchange: Exchange) -> None:
    exchange.send(reply("301 Moved Permanently", {}, "Location: https://elsewhere.example/v1"))


def one_huge_header(exchange: Exchange) -> None:
    exchange.send(JSON_HEAD + b"X-Huge: " + b"x" * (1 << 20) + b"\r\n\r\n{}")


def endless_headers(exchange: Exchange) -> None:
    exchange.send(JSON_HEAD)
    while True:
        exchange.send(b"X-Again: yes\r\n" * 100)


def endless_body(exchange: Exchange) -> None:
    exchange.send(JSON_HEAD + b'\r\n{"data": "')
    while True:
        exchange.send(b"x" * (1 << 16))


def endless_answer(exchange: Exchange) -> None:
    exchange.send(HEAD)
    while True:
        exchange.send(event({"choices": [{"index": 0, "delta": {"content": "more "}}]}) * 100)


def endless_events_without_text(exchange: Exchange) -> None:
    exchange.send(HEAD)
    while True:
        exchange.send(event({"choices": [{"index": 0, "delta": {"role": "assistant"}}]}) * 100)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Fail if what is inside takes longer."""
    began_s = time.perf_counter()
    yield
    took_s = time.perf_counter() - began_s
    assert took_s <= seconds, f"it took {took_s:.1f} s; at most {seconds:g} s were expected"


def quick(url: str, out: Path, *more: str) -> int:
    return main(["run", "--quick", "--url", url, "--timeout", str(TIMEOUT_S), "--out", str(out), *more])


FIRST_CONTACT: dict[str, tuple[Behaviour, str]] = {
    "says nothing": (silent, "nothing useful arrived within 0.4 s"),
    "slow headers": (a_byte_of_header_now_and_then, "nothing useful arrived within 0.4 s"),
    "slow body": (a_byte_of_body_now_and_then, "nothing useful arrived within 0.4 s"),
    "closes at once": (closed_at_once, "the connection ended before the answer did"),
    "not HTTP": (garbage_instead_of_http, "not HTTP"),
    "HTTP 500": (errors, "HTTP 500: GET /v1/models: .*out of cells"),
    "wants a key": (wants_a_key, "HTTP 401: .*give the API key"),
    "redirect": (moved, "HTTP 301: .*redirected to 'https://elsewhere.example/v1'"),
    "one huge header": (one_huge_header, "headers are too large .*65536"),
    "endless headers": (endless_headers, "headers are too large .*100"),
    "endless body": (endless_body, "is not JSON"),
    "a stream of events": (garbage_events, "is not JSON"),
}


@pytest.mark.parametrize(("behaviour", "says"), FIRST_CONTACT.values(), ids=FIRST_CONTACT)
def test_a_fault_at_first_contact_is_named_in_one_line(
    behaviour: Behaviour, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with target(behaviour, everywhere=True) as server, within(10.0):
        assert quick(str(server.address), tmp_path / "x.json") == 1
    said = capsys.readouterr()
    assert re.search(says, said.err)
    assert said.err.startswith("bench: ")
    assert said.err.count("\n") == 1
    assert str(server.address) in said.err or "/v1/models" in said.err
    assert not said.out
    assert not (tmp_path / "x.json").exists()


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (f"http://127.0.0.1:{closed_port()}", "Connection refused.*is the server running"),
        ("http://nowhere.invalid", "no connection to http://nowhere.invalid"),
        ("127.0.0.1:8080", "expected something like http://"),
    ],
)
def test_an_address_that_cannot_be_used_is_bad_input(
    url: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with within(10.0):  # looking up a name takes as long as the resolver wants
        assert quick(url, tmp_path / "x.json") == 2
    assert re.search(says, capsys.readouterr().err)


def test_https_at_a_plain_server_is_bad_input(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def answer_plainly() -> None:
        sock = server.accept()[0]
        sock.recv(1 << 16)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server, within(10.0):
        threading.Thread(target=answer_plainly, daemon=True).start()
        assert quick(f"https://127.0.0.1:{server.getsockname()[1]}", tmp_path / "x.json") == 2
    assert "is it an http:// address" in capsys.readouterr().err


#: What the requests of one run meet, in order, and the kind under which each is recorded; empty for an answer.
MIDWAY: tuple[tuple[Behaviour, str], ...] = (
    *((streams(3), ""),) * 4,
    (errors, "refused"),
    (closed_mid_stream, "broken"),
    (streams(3), ""),
    (garbage_events, "protocol"),
    (endless_answer, "protocol"),
    (streams(3), ""),
    (moved, "refused"),
    (one_huge_header, "protocol"),
    (streams(3), ""),
    (endless_headers, "protocol"),
    (closed_at_once, "broken"),
    (streams(3), ""),
    (a_byte_of_header_now_and_then, "stalled"),
    (a_byte_of_body_now_and_then, "stalled"),
    (silent, "stalled"),
)


def test_every_fault_midway_is_recorded_and_three_in_a_row_end_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def behave(exchange: Exchange) -> None:
        MIDWAY[min(exchange.number, len(MIDWAY) - 1)][0](exchange)

    with target(behave) as server, within(BOUND_S):
        assert quick(str(server.address), tmp_path / "x.json", "--csv", str(tmp_path / "x.csv")) == 1
    records = kept(tmp_path / "x.json").loops[0].records
    assert [record.error.partition(":")[0] for record in records] == [kind for _, kind in MIDWAY[1:]]
    assert [record.outcome is Outcome.OK for record in records] == [not kind for _, kind in MIDWAY[1:]]
    assert "for max_tokens 64" in records[7].error
    said = " ".join(capsys.readouterr().out.split())
    assert "The run ended early: closed-1: 3 failures in a row; the last: stalled" in said
    assert len((tmp_path / "x.csv").read_text().splitlines()) == len(MIDWAY)


def kept(out: Path) -> Result:
    """The result of a run that ended early; it reads like any other."""
    result = read_result(out)
    assert result.aborted
    assert main(["report", str(out)]) == 0
    return result


@pytest.mark.parametrize("behaviour", [endless_answer, endless_events_without_text])
def test_an_endless_fast_answer_is_given_up_before_it_fills_the_memory(behaviour: Behaviour) -> None:
    request = ChatRequest((ChatMessage("user", "Hello"),), max_tokens=16)
    with target(behaviour) as server, within(BOUND_S):
        tracemalloc.start()
        try:
            with pytest.raises(ProtocolError, match="for max_tokens 16: does the target know max_tokens"):
                Client(server.address, Limits()).chat(request)
            assert tracemalloc.get_traced_memory()[1] < 4 * request.most_bytes
        finally:
            tracemalloc.stop()


def test_an_answer_longer_than_asked_is_taken_up_to_the_limit() -> None:
    request = ChatRequest((ChatMessage("user", "Hello"),), max_tokens=2)
    with target(streams(request.most_pieces, gap_s=0.0)) as server:
        assert len(Client(server.address, Limits()).chat(request).timeline.arrivals_ms) == request.most_pieces


needs_demo = pytest.mark.skipif(
    not (DEMO / "manifest.json").is_file(), reason="the demo bundle is not built; run `make demo`"
)


def kill_after(answers: int, url: str, pid: int) -> float:
    """Kill a demo server as soon as it has given so many answers, in the middle of the next; perf_counter then."""
    deadline_s = time.perf_counter() + 2.0 * BOUND_S
    while time.perf_counter() < deadline_s:
        with urllib.request.urlopen(f"{url}/metrics", timeout=10.0) as page:
            counts = re.findall(r"^tellerbox_answers_total\{.*\} (\S+)$", page.read().decode(), re.MULTILINE)
        if sum(map(float, counts)) >= answers:
            os.kill(pid, signal.SIGKILL)
            return time.perf_counter()
        time.sleep(0.01)
    raise AssertionError(f"the server at {url} did not give {answers} answers in time")


def check_killed(records: tuple[Record, ...]) -> None:
    outcomes = [record.outcome for record in records]
    assert outcomes.count(Outcome.OK) + outcomes.count(Outcome.BLOCKED) >= 3
    assert outcomes[-3:] == [Outcome.FAILED] * 3
    assert {record.error.partition(":")[0] for record in records[-3:]} <= {"broken", "connect"}


@needs_demo
def test_a_killed_server_leaves_what_was_measured(tmp_path: Path) -> None:
    out = tmp_path / "x.json"
    with serve_bundle(DEMO) as server:
        url = str(server.address)
        command = [sys.executable, "-m", "bench", "run", "--quick", "--json", "--out", str(out)]
        command += ["--url", url, "--pid", str(server.pid)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as bench:
            killed_s = kill_after(5, url, server.pid)
            said, progress = bench.communicate(timeout=BOUND_S)
            assert time.perf_counter() - killed_s < BOUND_S
    assert bench.returncode == 1
    assert "Traceback" not in progress.decode()
    result = kept(out)
    check_killed(result.loops[-1].records)
    assert result.samples
    assert json.loads(said)["aborted"] == result.aborted


@needs_demo
def test_a_server_that_bench_started_and_that_dies_leaves_what_was_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killer = threading.Thread(target=kill_child, args=(kill_after,), daemon=True)
    killer.start()
    assert main(["run", "--quick", "--bundle", str(DEMO), "--out", str(tmp_path / "x.json")]) == 1
    killer.join(1.0)
    result = kept(tmp_path / "x.json")
    check_killed(result.loops[-1].records)
    assert result.target.started
    assert result.restart is None
    assert "The run ended early: closed-1" in " ".join(capsys.readouterr().out.split())


def kill_child(kill: Callable[[int, str, int], float]) -> None:
    """Find the server among the children of this process, and kill it in the middle of its work."""
    while True:
        for child in psutil.Process().children():
            for place in child.net_connections("tcp"):
                if place.status == psutil.CONN_LISTEN and "serve" in child.cmdline():
                    kill(5, str(parse_address(f"http://127.0.0.1:{place.laddr.port}")), child.pid)
                    return
        time.sleep(0.05)
