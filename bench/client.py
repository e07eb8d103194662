"""A client of any OpenAI-compatible server: streamed chat answers with the moment at which each piece arrived."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.chat import AnswerBuilder, ChatAnswer, ChatRequest, json_object
from bench.errors import BrokenStreamError, ConnectError, ProtocolError, RefusedError, StalledError
from bench.sse import EventParser
from bench.wire import Address, Connection, Limits, connect

MAX_REPLY_BYTES = 8 << 20
_READ_BYTES = 1 << 16
_QUOTED_CHARS = 200
_HEADERS, _HEADER_BYTES = 100, 1 << 16


@dataclass(frozen=True, slots=True)
class Client:
    """Requests to one target, each on a connection of its own. Safe from any thread.

    Attributes:
        address: where the target listens.
        limits: how long to wait for it.
        api_key: sent as a bearer token unless empty.
        model: the ``model`` of chat requests.
    """

    address: Address
    limits: Limits
    api_key: str = field(default="", repr=False)
    model: str = "default"

    def get_json(self, path: str) -> Mapping[str, object]:
        """The JSON object at a path.

        Raises:
            TargetError: see ``bench.errors``.
        """
        return self._json("GET", path, None)

    def post_json(self, path: str, body: Mapping[str, object]) -> Mapping[str, object]:
        """The JSON object with which a path answers a body. Raises as ``get_json``."""
        return self._json("POST", path, body)

    def check(self, path: str) -> None:
        """Return if a path answers with status 200, whatever it says. Raises as ``get_json``."""
        with self._connection() as connection:
            self._send(connection, "GET", path, None)

    def chat(self, request: ChatRequest) -> ChatAnswer:
        """Ask for a streamed answer and read it to the end. Raises as ``get_json``."""
        started_s = time.perf_counter()
        with self._connection() as connection:
            response = self._send(connection, "POST", "/v1/chat/completions", request.body(self.model))
            kind = response.getheader("Content-Type", "")
            if not kind.lower().startswith("text/event-stream"):
                raise ProtocolError(
                    f"{self.address}: content type {kind!r} for a streamed answer; expected 'text/event-stream'"
                )
            return self._read_answer(connection, response, request, started_s)

    def _read_answer(
        self, connection: Connection, response: http.client.HTTPResponse, request: ChatRequest, started_s: float
    ) -> ChatAnswer:
        parser, answer, reader = EventParser(), AnswerBuilder(started_s), connection.reader
        give_up_s, read_bytes = started_s + self.limits.total_s, 0
        while chunk := response.read1(_READ_BYTES):
            read_bytes += len(chunk)
            for event in parser.feed(chunk):
                if answer.take(event, reader.arrived_s):
                    reader.deadline_s = min(reader.arrived_s + self.limits.progress_s, give_up_s)
                if answer.done:
                    return answer.finish(reader.arrived_s)
            if len(answer.pieces) > request.most_pieces or read_bytes > request.most_bytes:
                raise ProtocolError(
                    f"{self.address}: no end after {len(answer.pieces)} pieces, {read_bytes} bytes; expected at most "
                    f"{request.most_pieces} pieces, {request.most_bytes} bytes for max_tokens {request.max_tokens}: "
                    "does the target know max_tokens?"
                )
        if not answer.finish_reason:
            raise BrokenStreamError(
                f"{self.address}: the stream ended after {len(answer.pieces)} pieces, with no end mark"
            )
        return answer.finish(reader.arrived_s)

    def _json(self, method: str, path: str, body: Mapping[str, object] | None) -> Mapping[str, object]:
        with self._connection() as connection:
            raw = self._send(connection, method, path, body).read(MAX_REPLY_BYTES)
        return json_object(raw, f"{method} {path}")

    def _send(
        self, connection: Connection, method: str, path: str, body: Mapping[str, object] | None
    ) -> http.client.HTTPResponse:
        headers = {"Accept": "application/json, text/event-stream", "Connection": "close"}
        if self.api_key:
            headers["Authorization"] = f"Bearer {self.api_key}"
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body, ensure_ascii=False).encode()
        connection.http.request(method, self.address.prefix + path, data, headers)
        response = self._response(connection)
        if response.status != 200:
            said = response.read(_READ_BYTES).decode("utf-8", "replace")[:_QUOTED_CHARS]
            advice = _advice(response.status, response.getheader("Location", ""))
            raise RefusedError(
                response.status, f"{method} {path}: {said}{advice}", _seconds(response.getheader("Retry-After", ""))
            )
        return response

    def _response(self, connection: Connection) -> http.client.HTTPResponse:
        try:
            return connection.http.getresponse()
        except http.client.HTTPException as error:
            if type(error) not in (http.client.LineTooLong, http.client.HTTPException):
                raise
            # The two that ``http.client`` raises for headers without measure; the bare base class means "too many".
            raise ProtocolError(
                f"{self.address}: its headers are too large ({error}); expected at most {_HEADERS} of at most "
                f"{_HEADER_BYTES} bytes each, as http.client reads them"
            ) from error

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            connection = connect(self.address, self.limits)
        except ssl.SSLError as error:
            raise ConnectError(
                f"no TLS connection to {self.address} ({error}); is it an http:// address, or a certificate that this "
                "machine does not trust?"
            ) from error
        except (OSError, UnicodeError) as error:
            raise ConnectError(f"no connection to {self.address} ({error}); is the server running?") from error
        try:
            yield connection
        except TimeoutError as error:
            waited = f"within {self.limits.progress_s:g} s (or no whole answer in {self.limits.total_s:g} s)"
            raise StalledError(
                f"{self.address}: nothing useful arrived {waited}; raise --timeout if it is only slow"
            ) from error
        except (ConnectionError, http.client.IncompleteRead) as error:
            raise BrokenStreamError(
                f"{self.address}: the connection ended before the answer did ({error!r})"
            ) from error
        except http.client.HTTPException as error:
            raise ProtocolError(f"{self.address}: not HTTP ({error!r})") from error
        except OSError as error:
            raise BrokenStreamError(f"{self.address}: the connection failed ({error!r})") from error
        finally:
            connection.close()


def _advice(status: int, location: str) -> str:
    """What to do about a refusal, where that is known."""
    if 300 <= status < 400:
        return f" (redirected to {location!r:.{_QUOTED_CHARS}}; give the address that answers by itself)"
    return " (give the API key that the target expects)" if status in (401, 403) else ""


def _seconds(header: str) -> float:
    return float(header) if header.isascii() and header.isdigit() else 0.0
