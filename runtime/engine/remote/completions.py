"""The wire format of a streamed completion: bytes become events (SSE), events become text, ids and counts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

#: Longest event that is believed; a server's are a few hundred bytes.
MAX_EVENT_BYTES = 1 << 20

DONE = "[DONE]"


class MalformedStreamError(ValueError):
    """What came is no stream of completions."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One event.

    Attributes:
        text: the next stretch of the answer.
        ids: its token ids, where the server gives them; None where not.
        finish: why the answer ended; empty while it goes on.
        completion_tokens: generated in all; None until the server says.
        cached_tokens: prompt tokens that the server did not compute again.
        error: the server's words, if it failed in the middle.
    """

    text: str = ""
    ids: tuple[int, ...] | None = None
    finish: str = ""
    completion_tokens: int | None = None
    cached_tokens: int = 0
    error: str = ""


class EventParser:
    """Server-sent events (WHATWG HTML, 9.2.6): collects ``data`` fields; comments and other fields are left out."""

    def __init__(self) -> None:
        self._buffer = b""
        self._data: list[bytes] = []
        self._size = 0
        self._after_cr = False

    def feed(self, received: bytes) -> Iterator[str]:
        """The data of every event that is complete now.

        Raises:
            MalformedStreamError: an event is longer than MAX_EVENT_BYTES, or is not UTF-8.
        """
        if self._after_cr and received.startswith(b"\n"):
            received = received[1:]
        if received:
            self._after_cr = received.endswith(b"\r")
        *lines, self._buffer = (self._buffer + received.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).split(b"\n")
        if len(self._buffer) + self._size > MAX_EVENT_BYTES:
            raise MalformedStreamError(f"sent an event of more than {MAX_EVENT_BYTES} bytes")
        for line in lines:
            if not line:
                if data := self._take():
                    yield data
            elif line.startswith(b"data:"):
                self._size += len(line)
                if self._size > MAX_EVENT_BYTES:
                    raise MalformedStreamError(f"sent an event of more than {MAX_EVENT_BYTES} bytes")
                self._data.append(line[5:].removeprefix(b" "))

    def _take(self) -> str:
        data, self._data, self._size = b"\n".join(self._data), [], 0
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise MalformedStreamError(f"sent an event that is not UTF-8 at byte {error.start}") from None


def read_chunk(data: str) -> Chunk:
    """Read the data of an event other than ``[DONE]``.

    Raises:
        MalformedStreamError: it is no completion.
    """
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        raise MalformedStreamError("sent an event that is no JSON") from None
    if not isinstance(event, dict):
        raise MalformedStreamError(f"sent an event that is a {type(event).__name__}; expected an object")
    if event.get("error"):
        return Chunk(error=problem_words(event) or "an error without words")
    choices = event.get("choices")
    if not isinstance(choices, list):
        raise MalformedStreamError("sent an event without choices")
    choice = choices[0] if choices else {}
    if not isinstance(choice, dict):
        raise MalformedStreamError("sent a choice that is no object")
    text, finish, ids = choice.get("text"), choice.get("finish_reason"), choice.get("token_ids")
    if not isinstance(text, str | None) or not isinstance(finish, str | None):
        raise MalformedStreamError("sent a choice whose text or finish_reason is no text")
    if ids is not None and not (isinstance(ids, list) and all(type(token) is int for token in ids)):
        raise MalformedStreamError("sent token_ids that are no list of numbers")
    usage = event.get("usage")
    details = usage.get("prompt_tokens_details") if isinstance(usage, dict) else None
    return Chunk(
        text=text or "",
        ids=None if ids is None else tuple(ids),
        finish=finish or "",
        completion_tokens=_count(usage, "completion_tokens"),
        cached_tokens=_count(details, "cached_tokens") or 0,
    )


def _count(where: object, name: str) -> int | None:
    value = where.get(name) if isinstance(where, dict) else None
    return value if type(value) is int and value >= 0 else None


def problem_words(body: object) -> str:
    """The message in a server's JSON error object; nothing else of it, since validation errors repeat the prompt."""
    for name in ("error", "detail", "message", "msg"):
        found = body.get(name) if isinstance(body, Mapping) else None
        if isinstance(found, str):
            return " ".join(found.split())[:200]
        if isinstance(found, list) and found:
            found = found[0]
        if isinstance(found, Mapping) and (words := problem_words(found)):
            return words
    return ""


class SurrogateMender:
    """Joins a character that JSON spelled as two surrogates in two events; one without its other half: U+FFFD."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str, *, last: bool = False) -> str:
        """The text that is certain now."""
        text, self._half = self._half + text, ""
        if text and not last and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        if text.isascii():
            return text
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
