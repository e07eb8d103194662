"""The attacker's side of ``/api/query``: a message out, an answer and its verdict in, whole or streamed.

RedTeamError
├── TargetGoneError     the server cannot be reached any more
├── TargetRefusesError  it does not let us ask at all (key, role, address)
└── TargetBrokenError   what it says is not what this project's server says
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType

import httpx

from guards.errors import GuardFault

MAX_REPLY_BYTES = 4 << 20
MAX_WAIT_S = 60.0

_CONNECT_ATTEMPTS = 3
_CONNECT_PAUSE_S = 1.0
_AGAIN = (429, 503)
_NOT_US = (401, 403, 404, 405)


class RedTeamError(GuardFault):
    """Base of what ends a run; what was played so far is kept."""


class TargetGoneError(RedTeamError):
    """The server cannot be reached any more."""


class TargetRefusesError(RedTeamError):
    """The server does not let us ask."""


class TargetBrokenError(RedTeamError):
    """The server speaks another language."""


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to attack.

    Attributes:
        url: of the server, such as ``http://127.0.0.1:8080``.
        api_key: sent as a bearer token unless empty.
        timeout_s: longest silence of the server.
        patience_s: how long one message is sent again while the server has no place for it (429, 503).
    """

    url: str
    api_key: str = field(default="", repr=False)
    timeout_s: float = 120.0
    patience_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one message.

    Attributes:
        status: the HTTP status; 500 for an error in mid-stream, 0 if no answer came in time.
        text: everything that the customer was given.
        action: the guards' verdict; empty if there is none.
        rule: the rule that decided, or the code of the error.
        session_id: of the conversation.
        handoff: whether a person was called.
        took_ms: from the last sending to the end of the answer.
    """

    status: int
    text: str
    action: str
    rule: str
    session_id: str
    handoff: bool
    took_ms: float


class Attacker:
    """Asks one server. Safe from any thread."""

    def __init__(self, target: Target) -> None:
        """Nothing is sent yet. Raises RedTeamError if the address is none."""
        headers = {"Content-Type": "application/json"}
        if target.api_key:
            headers["Authorization"] = f"Bearer {target.api_key}"
        self._target = target
        try:
            self._http = httpx.Client(
                base_url=target.url, headers=headers, timeout=target.timeout_s, trust_env=False, follow_redirects=False
            )
        except (httpx.InvalidURL, ValueError, TypeError) as error:
            raise RedTeamError(
                f"{target.url!r}: no address of a server ({error}); expected http://HOST:PORT"
            ) from error

    def __enter__(self) -> Attacker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def health(self) -> Mapping[str, object]:
        """What ``/health`` says. Raises RedTeamError."""
        with self._reached():
            response = self._http.get("/health")
        return _object(response.content, f"GET /health (status {response.status_code})")

    def ask(self, message: str, session_id: str, *, stream: bool) -> Reply:
        """Send a message until the server has a place for it, and read the answer.

        Raises:
            RedTeamError: see the module.
        """
        body: dict[str, object] = {"question": message, "stream": stream}
        if session_id:
            body["session_id"] = session_id
        give_up_s = time.monotonic() + self._target.patience_s
        while True:
            reply, retry_s = self._ask(json.dumps(body).encode("ascii"))
            if reply.status not in _AGAIN or time.monotonic() + retry_s > give_up_s:
                return reply
            time.sleep(retry_s)

    def end(self, session_id: str) -> None:
        """Give a conversation back; whether that works does not matter."""
        with suppress(httpx.HTTPError):
            self._http.post("/api/session/end", content=json.dumps({"session_id": session_id}))

    def _ask(self, body: bytes) -> tuple[Reply, float]:
        """One try: what came back, and the seconds to wait before the next."""
        for attempt in range(_CONNECT_ATTEMPTS):
            began_s = time.perf_counter()
            try:
                with self._http.stream("POST", "/api/query", content=body) as response:
                    content = _read(response)
                break
            except httpx.ReadTimeout:
                return Reply(0, "", "", "timeout", "", False, (time.perf_counter() - began_s) * 1000.0), 0.0
            except httpx.TransportError as error:
                if attempt + 1 == _CONNECT_ATTEMPTS:
                    raise self._gone(error) from error
                time.sleep(_CONNECT_PAUSE_S)
        took_ms = (time.perf_counter() - began_s) * 1000.0
        if response.status_code in _NOT_US:
            said = content.decode("utf-8", "replace")[:200]
            raise TargetRefusesError(
                f"{self._target.url}: status {response.status_code} ({said}); give the server's address and an API key"
            )
        if response.status_code != 200:
            return _refused(response.status_code, content, took_ms), _retry_s(response)
        if response.headers.get("content-type", "").startswith("text/event-stream"):
            return _streamed(content, took_ms), 0.0
        return _reply(_object(content, "POST /api/query"), None, took_ms), 0.0

    @contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            raise self._gone(error) from error

    def _gone(self, error: Exception) -> TargetGoneError:
        why = f"{type(error).__name__}: {error}"
        return TargetGoneError(f"{self._target.url}: cannot be reached ({why}); start the server, then run this again")


def events(content: bytes) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Name and JSON object of each server-sent event; lines end with LF or CR LF and with nothing else.

    Raises:
        TargetBrokenError: an event is no JSON object.
    """
    name = ""
    for line in content.replace(b"\r\n", b"\n").split(b"\n"):
        if line.startswith(b"event: "):
            name = line[7:].decode("utf-8", "replace")
        elif line.startswith(b"data: "):
            yield name, _object(line[6:], f"event {name!r}")
            name = ""


def _read(response: httpx.Response) -> bytes:
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > MAX_REPLY_BYTES:
            raise TargetBrokenError(f"an answer of over {MAX_REPLY_BYTES} bytes; expected this project's server")
    return bytes(content)


def _streamed(content: bytes, took_ms: float) -> Reply:
    """The text is what was streamed, and not what the last event says it was."""
    text: list[str] = []
    for name, data in events(content):
        if name == "delta":
            text.append(str(data.get("text", "")))
        elif name == "done":
            return _reply(data, "".join(text), took_ms)
        elif name == "error":
            code = _code(data)
            return Reply(500, "".join(text), "", code, "", False, took_ms)
    raise TargetBrokenError("a streamed answer without an end; expected an event `done` or `error`")


def _reply(row: Mapping[str, object], streamed: str | None, took_ms: float) -> Reply:
    answer, guard, session_id = row.get("answer"), row.get("guard"), row.get("session_id")
    if not isinstance(answer, str) or not isinstance(guard, dict) or not isinstance(session_id, str):
        raise TargetBrokenError(f"an answer with the fields {sorted(row)}; expected answer, guard and session_id")
    text = answer if streamed is None else streamed
    action, rule = str(guard.get("action", "")), str(guard.get("rule", ""))
    return Reply(200, text, action, rule, session_id, bool(row.get("handoff")), took_ms)


def _refused(status: int, content: bytes, took_ms: float) -> Reply:
    try:
        code = _code(json.loads(content))
    except ValueError:
        code = ""
    return Reply(status, "", "", code or f"http.{status}", "", False, took_ms)


def _code(row: object) -> str:
    error = row.get("error") if isinstance(row, dict) else None
    return str(error.get("code", "")) if isinstance(error, dict) else ""


def _retry_s(response: httpx.Response) -> float:
    """Whole seconds, from 1 to a minute: a server that says nothing, or nonsense, is asked again after one."""
    given = response.headers.get("Retry-After", "")
    return min(MAX_WAIT_S, max(1.0, float(given))) if given.isascii() and given.isdigit() else 1.0


def _object(content: bytes, what: str) -> Mapping[str, object]:
    try:
        row = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise TargetBrokenError(f"{what}: is not JSON ({error}); expected this project's server") from error
    if not isinstance(row, dict):
        raise TargetBrokenError(f"{what}: is a JSON {type(row).__name__}; expected an object")
    return row
