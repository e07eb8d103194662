"""Real servers with the demonstration model, each a process of its own, and one that does everything wrong."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.paths import DEMO

#: A llama-server binary; without it the tests against it are skipped.
LLAMA_SERVER = os.environ.get("TELLERBOX_LLAMA_SERVER", "")

KEY = "sk-only-for-tests"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def process(command: list[str], port: int, log: Path) -> Iterator[str]:
    """A server process, from the moment it lists its model; its address."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(Path(command[0]).parent)}
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output, env=environment) as server:
        try:
            ask = urllib.request.Request(url + "/v1/models", headers={"Authorization": f"Bearer {KEY}"})
            deadline = time.monotonic() + 60
            while True:
                try:
                    with urllib.request.urlopen(ask, timeout=2) as answer:
                        json.load(answer)
                    break
                except (urllib.error.URLError, OSError):
                    assert server.poll() is None, log.read_text()
                    assert time.monotonic() < deadline, log.read_text()
                    time.sleep(0.1)
            yield url
        finally:
            server.kill()


def llama_cpp_python(log: Path) -> contextlib.AbstractContextManager[str]:
    """llama-cpp-python's server: text prompts only, one answer after the other."""
    port = free_port()
    options = {"model": DEMO / "model.gguf", "port": port, "n_ctx": 2048, "n_threads": 1, "n_threads_batch": 1}
    # Other attention kernels round differently; the local engine and llama-server use these by default.
    options |= {"flash_attn": True, "api_key": KEY, "verbose": False}
    flags = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    return process([sys.executable, "-m", "llama_cpp.server", *flags], port, log)


def llama_server(log: Path) -> contextlib.AbstractContextManager[str]:
    """llama.cpp's own server: token ids, four answers at once."""
    port = free_port()
    flags = ["-m", str(DEMO / "model.gguf"), "--port", str(port), "-c", "8192", "-np", "4", "-t", "1", "-tb", "1"]
    return process([LLAMA_SERVER, *flags, "--no-webui", "--api-key", KEY], port, log)


class Misbehaving:
    """A server of raw sockets: every connection is handed to ``act``, after its request has been read."""

    def __init__(self, act: Callable[[socket.socket, bytes], None]) -> None:
        self._act = act
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.requests: list[bytes] = []
        self.closed_by_client = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            head, _, body = self._receive(connection)
            if head.startswith(b"GET /v1/models"):
                connection.sendall(reply(200, b'{"data": [{"id": "demo", "owned_by": "somebody"}]}'))
                return
            if not head.startswith(b"POST /v1/completions"):
                connection.sendall(reply(404, b"{}"))
                return
            self.requests.append(head + b"\r\n\r\n" + body)
            self._act(connection, body)

    def _receive(self, connection: socket.socket) -> tuple[bytes, bytes, bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536) or _gone()
        head, mark, body = data.partition(b"\r\n\r\n")
        lengths = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
        missing = (int(lengths[0].split(b":")[1]) if lengths else 0) - len(body)
        while missing > 0:
            more = connection.recv(65536) or _gone()
            body += more
            missing -= len(more)
        return head, mark, body

    def until_closed(self, connection: socket.socket) -> None:
        """Wait for the client to hang up."""
        with contextlib.suppress(OSError):
            while connection.recv(65536):
                pass
        self.closed_by_client.set()

    def close(self) -> None:
        self._listener.close()


def _gone() -> bytes:
    raise OSError("the client is gone")


def reply(status: int, body: bytes, *headers: str, kind: str = "application/json") -> bytes:
    """A whole response."""
    lines = (f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close")
    return "\r\n".join((*lines, *headers, "", "")).encode() + body


STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def event(text: str = "", finish: str | None = None, **more: object) -> bytes:
    """One event of a stream."""
    return b"data: " + json.dumps({"choices": [{"text": text, "finish_reason": finish}], **more}).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"
