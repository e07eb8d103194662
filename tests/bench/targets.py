"""Targets for the client: real HTTP servers on real sockets, whose behaviour and moments are known exactly."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from bench.wire import Address

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nConnection: close\r\n\r\n"


@dataclass
class Exchange:
    """One request as the server saw it, the socket to answer on, and perf_counter at each piece that was sent."""

    path: str
    body: dict[str, object]
    sock: socket.socket
    number: int
    sent_s: list[float] = field(default_factory=list)

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.sock.sendall(data)

    def piece(self, text: str) -> None:
        """Send one piece of answer and note the moment at which it was handed to the kernel."""
        data = event({"choices": [{"index": 0, "delta": {"content": text}}]})
        self.sock.sendall(data)
        self.sent_s.append(time.perf_counter())


Behaviour = Callable[[Exchange], None]


def event(value: object) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def ending(tokens: int, reason: str = "length", cached: int = 3) -> bytes:
    """The last events of an answer: finish reason, usage, end mark."""
    usage = {"prompt_tokens": 7, "completion_tokens": tokens, "prompt_tokens_details": {"cached_tokens": cached}}
    finish = {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    return event(finish) + event({"choices": [], "usage": usage}) + b"data: [DONE]\n\n"


def reply(status: str, value: object, *headers: str) -> bytes:
    body = json.dumps(value).encode()
    lines = (f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers)
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class Target:
    """A running server."""

    address: Address
    exchanges: list[Exchange]


@contextmanager
def target(behaviour: Behaviour, everywhere: bool = False) -> Iterator[Target]:
    """Serve ``behaviour`` for chat requests on a free port; ``/v1/models`` and ``/readyz`` are answered as usual.

    With ``everywhere`` it serves these too, so that a client meets it at its very first request.
    """
    lock = threading.Lock()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            exchange = self._read()
            if exchange is None:
                return
            if exchange.path in ("/v1/models", "/readyz") and not everywhere:
                exchange.send(reply("200 OK", {"data": [{"id": "test-model"}]}))
                return
            if exchange.path not in ("/v1/chat/completions", "/api/query") and not everywhere:
                exchange.send(reply("404 Not Found", {}))
                return
            with lock:
                exchange.number = len(running.exchanges)
                running.exchanges.append(exchange)
            with suppress(OSError):  # the client has gone, as some tests want
                behaviour(exchange)

        def _read(self) -> Exchange | None:
            line = self.rfile.readline().split()
            if len(line) < 2:
                return None
            length = 0
            while header := self.rfile.readline().strip():
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            body = json.loads(self.rfile.read(length)) if length else {}
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return Exchange(line[1].decode(), body, self.connection, -1)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 32

    with Server(("127.0.0.1", 0), Handler) as server:
        running = Target(Address("http", "127.0.0.1", server.server_address[1]), [])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield running
        finally:
            server.shutdown()


def streams(tokens: int = 4, gap_s: float = 0.002) -> Behaviour:
    """A server that answers each chat with ``tokens`` pieces, ``gap_s`` before each."""

    def behave(exchange: Exchange) -> None:
        exchange.send(HEAD)
        for number in range(tokens):
            time.sleep(gap_s)
            exchange.piece(f"t{number} ")
        exchange.send(ending(tokens))

    return behave
