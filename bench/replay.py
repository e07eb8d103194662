"""Traces: what came to a service, when, as JSON lines; asked again at the same moments."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bench.arrivals import Arrival
from bench.chat import ChatMessage
from bench.errors import UsageError
from bench.plans import LoopPlan
from bench.records import Kind
from bench.workload import Conversation

_EXPECTED = (
    'expected JSON lines like {"at_s": 1.5, "question": "Where is my order?"} or {"at_s": 2, "messages": '
    '[{"role": "user", "content": "..."}], "max_tokens": 48}'
)


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    role: str
    content: str


class _Line(BaseModel):
    """A line of a trace; ``at_s`` is seconds since its beginning."""

    model_config = ConfigDict(extra="forbid")
    at_s: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
    question: Annotated[str, Field(min_length=1)] | None = None
    messages: Annotated[list[_Message], Field(min_length=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> _Line:
        if (self.question is None) == (self.messages is None):
            raise ValueError("either question or messages")
        return self


def read_trace(path: Path) -> tuple[Arrival, ...]:
    """The arrivals of a trace, by their moment.

    Raises:
        UsageError: the file cannot be read, holds no line, or a line is something else; the line is named.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--replay: {path} cannot be read ({error}); {_EXPECTED}") from error
    found = [_arrival(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not found:
        raise UsageError(f"--replay: {path} holds no request; {_EXPECTED}")
    return tuple(sorted(found, key=lambda arrival: arrival.at_s))


def replay_plan(arrivals: tuple[Arrival, ...]) -> LoopPlan:
    """The loop that asks them."""
    return LoopPlan("replay", 0, float(math.ceil(arrivals[-1].at_s)), len(arrivals), kind="replay")


def _arrival(path: Path, number: int, text: str) -> Arrival:
    try:
        line = _Line.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"--replay: {path}:{number}: {place} {first['msg']} ({text:.80}); {_EXPECTED}") from error
    if line.messages is None:
        conversation = Conversation(number - 1, "replayed", (line.question or "",))
        return Arrival(line.at_s, Kind.REPLAYED, conversation, max_tokens=line.max_tokens)
    messages = tuple(ChatMessage(message.role, message.content) for message in line.messages)
    return Arrival(line.at_s, Kind.REPLAYED, Conversation(number - 1, "replayed", ()), messages, line.max_tokens)
