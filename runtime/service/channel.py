"""What waitress lacks for strangers on the network: requests have to arrive in time, and its own refusals are JSON.

Waitress drops a connection on which nothing happens, but a client that sends a byte a second may go on for hours; and
it refuses in plain text, closing at once, so that a client in the middle of a large body may never read why.
"""

from __future__ import annotations

import json
import socket
import time

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask
from waitress.utilities import Error

from runtime.service.problems import Problem

LINGER_S = 3.0
"""How long a refused client's remaining bytes are read and thrown away, so that it gets to reading the refusal."""

_CODES = {400: "bad_request", 408: "request_timeout", 413: "body_too_large", 431: "headers_too_large"}


class RequestTimeout(Error):  # type: ignore[misc]  # waitress is untyped
    """A request that did not arrive in time."""

    code = 408
    reason = "Request Timeout"


class JsonErrorTask(ErrorTask):  # type: ignore[misc]  # waitress is untyped
    """Refuses like every route does."""

    def execute(self) -> None:
        """Write the refusal and close the connection once the client had a chance to read it."""
        error = self.request.error
        problem = Problem(error.code, _CODES.get(error.code, "server_error"), f"{error.reason}: {error.body}")
        body = json.dumps(problem.to_dict()).encode()
        self.status = f"{error.code} {error.reason}"
        self.response_headers += [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
        self.set_close_on_finish()
        self.content_length = len(body)
        self.channel.lingers = True
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]  # waitress is untyped
    """One connection."""

    error_task_class = JsonErrorTask
    request: HTTPRequestParser | None
    close_when_flushed: bool
    will_close: bool
    lingers = False
    _linger_until_s: float | None = None
    _request_began_s: float | None = None

    def received(self, data: bytes) -> bool:
        """Note when a request began, then parse on."""
        if self.request is None:
            self._request_began_s = time.monotonic()
        done = bool(super().received(data))
        if self.request is None:
            self._request_began_s = None
        return done

    def check_time(self, now_s: float, request_timeout_s: float) -> None:
        """Refuse a request that has been arriving for too long, and end a linger that is over."""
        if self._linger_until_s is not None and now_s > self._linger_until_s:
            self.will_close = True
        began_s = self._request_began_s
        if began_s is None or now_s - began_s < request_timeout_s:
            return
        self._request_began_s = None
        with self.requests_lock:
            if self.request is None or self.requests:
                return
            late, self.request = self.request, None
            if not hasattr(late, "command"):  # not even the first line is whole
                late.parse_header(b"GET / HTTP/1.0\r\n")
            late.error = RequestTimeout(f"the request did not arrive whole within {request_timeout_s:.0f} s")
            late.completed = True
            self.requests.append(late)
        self.server.add_task(self)

    def readable(self) -> bool:
        """A lingering connection is read although it is about to be closed."""
        return self._linger_until_s is not None or bool(super().readable())

    def handle_read(self) -> None:
        """Throw away what a refused client still sends; the end of it closes the connection."""
        if self._linger_until_s is None:
            super().handle_read()
        elif not self.recv(65536):
            self.will_close = True

    def handle_write(self) -> None:
        """Once a refusal is out, say so (FIN) and linger: closing at once would reset the connection."""
        if self.lingers and self.close_when_flushed and not self.total_outbufs_len and self._linger_until_s is None:
            self.close_when_flushed = False
            self._linger_until_s = time.monotonic() + LINGER_S
            try:
                self.socket.shutdown(socket.SHUT_WR)
            except OSError:
                self.will_close = True
        super().handle_write()


class ChannelServer(TcpWSGIServer):  # type: ignore[misc]  # waitress is untyped
    """Accepts connections and looks at their times once a second."""

    channel_class = Channel
    request_timeout_s = 10.0

    def maintenance(self, now: float) -> None:
        """Waitress calls this every ``cleanup_interval``."""
        super().maintenance(now)
        now_s = time.monotonic()
        for channel in list(self.active_channels.values()):
            channel.check_time(now_s, self.request_timeout_s)
