"""HTTP connections that cannot hang and that know when their bytes came.

``http.client`` on a socket of our own: every read, also of status line and headers, waits to one deadline and no
longer, and the moment after the last read from the kernel is kept. HTTP libraries limit the silence between two bytes
instead, so that a server which sends one byte a second holds them for ever, and they hand bytes on after buffers of
their own.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from bench.errors import UsageError


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait.

    Attributes:
        connect_s: for a connection.
        progress_s: for the next useful thing: the whole of a short reply, the first piece of an answer, each later one.
        total_s: for a whole answer.
    """

    connect_s: float = 5.0
    progress_s: float = 60.0
    total_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where a target listens: scheme ``http`` or ``https``, host, port, and a path prefix without a last slash."""

    scheme: str
    host: str
    port: int
    prefix: str = ""

    @property
    def is_local(self) -> bool:
        """Whether it is this machine, by its name."""
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.prefix}"


def parse_address(url: str) -> Address:
    """The address in a URL; a ``/v1`` at the end is taken off, since OpenAI clients want it there and people paste it.

    Raises:
        UsageError: not an http(s) URL with a host.
    """
    expected = "expected something like http://127.0.0.1:8080"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"URL {url!r} is malformed ({error}); {expected}") from error
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"URL {url!r} has no scheme or host; {expected}")
    if parts.query or parts.fragment or parts.username:
        raise UsageError(f"URL {url!r} has a query, a fragment or a user; {expected}")
    prefix = parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
    return Address(parts.scheme, parts.hostname, port or (443 if parts.scheme == "https" else 80), prefix)


class TimedReader(io.RawIOBase):
    """The reading side of a socket.

    Attributes:
        deadline_s: on ``time.perf_counter``: no read waits beyond it.
        arrived_s: on ``time.perf_counter``: when the last read gave bytes.
    """

    def __init__(self, sock: socket.socket, deadline_s: float) -> None:
        self._sock = sock
        self.deadline_s = deadline_s
        self.arrived_s = 0.0

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Read what is there, waiting to the deadline.

        Raises:
            TimeoutError: the deadline has passed.
        """
        left_s = self.deadline_s - time.perf_counter()
        if left_s <= 0.0:
            raise TimeoutError("deadline passed")
        self._sock.settimeout(left_s)
        count = self._sock.recv_into(buffer)
        self.arrived_s = time.perf_counter()
        return count


class TimedSocket:
    """As much of a socket as ``http.client`` uses, reading through a TimedReader."""

    def __init__(self, sock: socket.socket, deadline_s: float) -> None:
        self._sock = sock
        self.reader = TimedReader(sock, deadline_s)

    def makefile(self, mode: str) -> io.BufferedReader:
        """A buffered view for the response; closing it leaves the socket open."""
        if mode != "rb":
            raise ValueError(f"mode {mode!r}; expected 'rb'")
        return io.BufferedReader(self.reader, 1 << 16)

    def sendall(self, data: bytes) -> None:
        """Send within the deadline."""
        self._sock.settimeout(max(0.001, self.reader.deadline_s - time.perf_counter()))
        self._sock.sendall(data)

    def close(self) -> None:
        """Nothing yet: ``http.client`` closes before the body is read. The Connection closes the socket."""


@dataclass(slots=True)
class Connection:
    """An open connection for one request."""

    http: http.client.HTTPConnection
    reader: TimedReader
    sock: socket.socket

    def close(self) -> None:
        """Close it, whatever state it is in."""
        self.http.close()
        self.sock.close()


def connect(address: Address, limits: Limits) -> Connection:
    """Open a connection whose first deadline is ``progress_s`` from now.

    Raises:
        OSError: it cannot be made (also ``ssl.SSLError`` and ``TimeoutError``).
    """
    connection: http.client.HTTPConnection
    if address.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(address.host, address.port, timeout=limits.connect_s, context=context)
    else:
        connection = http.client.HTTPConnection(address.host, address.port, timeout=limits.connect_s)
    connection.connect()
    sock = connection.sock
    timed = TimedSocket(sock, time.perf_counter() + limits.progress_s)
    connection.sock = timed
    return Connection(connection, timed.reader, sock)
