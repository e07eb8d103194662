"""One chat request and its answer, in OpenAI's streaming format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from bench.errors import ProtocolError, RefusedError
from bench.metrics import Timeline

_QUOTED_CHARS = 200

#: An answer beyond these has lost its end, or the target does not know ``max_tokens``. A piece is a token or more, but
#: a refusal has words of its own that no option shortens, and an event may carry much beside its text.
_PIECES_PER_TOKEN, _SPARE_PIECES = 4, 256
_BYTES_PER_TOKEN, _SPARE_BYTES = 4096, 1 << 20


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message: role ``system``, ``user`` or ``assistant``, and its text."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One request for an answer, greedy.

    Attributes:
        messages: the conversation; the last one is the user's.
        max_tokens: answer tokens at most.
        ignore_eos: go on to ``max_tokens`` (an extension that llama-server, vLLM and this project's server know).
    """

    messages: tuple[ChatMessage, ...]
    max_tokens: int
    ignore_eos: bool = True

    @property
    def most_pieces(self) -> int:
        """Pieces of answer beyond which the stream is given up."""
        return _PIECES_PER_TOKEN * self.max_tokens + _SPARE_PIECES

    @property
    def most_bytes(self) -> int:
        """Bytes of the stream beyond which it is given up; they bound what one answer takes of the memory."""
        return _BYTES_PER_TOKEN * self.max_tokens + _SPARE_BYTES

    def body(self, model: str) -> dict[str, object]:
        """The JSON body that asks for a streamed answer with its usage."""
        body: dict[str, object] = {
            "model": model,
            "messages": [{"role": message.role, "content": message.content} for message in self.messages],
            "max_tokens": self.max_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        return {**body, "ignore_eos": True} if self.ignore_eos else body


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """A complete answer.

    Attributes:
        text: all pieces.
        timeline: when they arrived.
        finish_reason: the target's word for why it ended.
        prompt_tokens: as the target counts; 0 if it does not say.
        cached_tokens: how many of them the target says it did not compute again; 0 if it does not say.
        from_cache: whether the target says that the whole answer was kept from before (this project's
        ``tellerbox.cached``).
    """

    text: str
    timeline: Timeline
    finish_reason: str
    prompt_tokens: int
    cached_tokens: int
    from_cache: bool = False

    @property
    def is_blocked(self) -> bool:
        """Whether a policy held the answer back."""
        return self.finish_reason == "content_filter"


class AnswerBuilder:
    """An answer while its events come in."""

    def __init__(self, started_s: float) -> None:
        self._started_s = started_s
        self._arrivals_ms: list[float] = []
        self._usage: Mapping[str, object] = {}
        self.pieces: list[str] = []
        self.finish_reason = ""
        self.done = False
        self._from_cache = False

    def take(self, event: str, arrived_s: float) -> bool:
        """Add an event; whether it brought text."""
        if event == "[DONE]":
            self.done = True
            return False
        chunk = json_object(event.encode(), "stream event")
        if chunk.get("error"):
            raise RefusedError(500, f"error in the stream: {json.dumps(chunk['error'])[:_QUOTED_CHARS]}")
        usage = chunk.get("usage")
        if isinstance(usage, Mapping):
            self._usage = usage
        extension = chunk.get("tellerbox")
        if isinstance(extension, Mapping):
            self._from_cache = extension.get("cached") is True
        choices = chunk.get("choices", [])
        if not isinstance(choices, list) or not all(isinstance(choice, Mapping) for choice in choices):
            raise ProtocolError(f"stream event with choices {choices!r:.{_QUOTED_CHARS}}; expected a list of objects")
        return any([self._take_choice(choice, arrived_s) for choice in choices])

    def _take_choice(self, choice: Mapping[str, object], arrived_s: float) -> bool:
        self.finish_reason = str(choice.get("finish_reason") or self.finish_reason)
        delta = choice.get("delta")
        text = delta.get("content") if isinstance(delta, Mapping) else None
        if not isinstance(text, str) or not text:
            return False
        self.pieces.append(text)
        self._arrivals_ms.append((arrived_s - self._started_s) * 1000.0)
        return True

    def finish(self, arrived_s: float) -> ChatAnswer:
        """The complete answer, which ended when the last bytes arrived."""
        details = self._usage.get("prompt_tokens_details")
        timeline = Timeline(
            arrivals_ms=tuple(self._arrivals_ms),
            end_ms=(arrived_s - self._started_s) * 1000.0,
            tokens=_count(self._usage, "completion_tokens", len(self.pieces)),
        )
        return ChatAnswer(
            text="".join(self.pieces),
            timeline=timeline,
            finish_reason=self.finish_reason,
            prompt_tokens=_count(self._usage, "prompt_tokens", 0),
            cached_tokens=_count(details, "cached_tokens", 0) if isinstance(details, Mapping) else 0,
            from_cache=self._from_cache,
        )


def _count(usage: Mapping[str, object], name: str, otherwise: int) -> int:
    value = usage.get(name)
    return value if isinstance(value, int) and value >= 0 else otherwise


def json_object(raw: bytes, what: str) -> Mapping[str, object]:
    """The JSON object in ``raw``.

    Raises:
        ProtocolError: it is something else; the message names ``what`` and quotes the beginning.
    """
    try:
        value = json.loads(raw)
    except ValueError as error:  # also UnicodeDecodeError
        said = raw[:_QUOTED_CHARS].decode("utf-8", "replace")
        raise ProtocolError(f"{what} is not JSON: {said!r}") from error
    if not isinstance(value, Mapping):
        raise ProtocolError(f"{what} is {type(value).__name__}; expected a JSON object")
    return value
