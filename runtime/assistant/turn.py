"""One customer's turn as every caller sees it: messages in, pieces of a guarded answer out, one result at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from guards.verdict import Verdict
from runtime.engine.face import Sampling, Usage


class Role(StrEnum):
    """Who says a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class TurnEnd(StrEnum):
    """Why a turn ended, in OpenAI's words; ``cancelled`` never reaches a client."""

    STOP = "stop"
    LENGTH = "length"
    CONTENT_FILTER = "content_filter"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """How an answer is generated.

    Attributes:
        max_tokens: tokens at most; None takes the configured default.
        sampling: how tokens are chosen.
        stop: texts at which the answer ends.
        ignore_eos: do not stop at the end-of-sequence token; for measuring.
        adapter: the LoRA adapter that is to answer; empty for the bare model, None leaves it to the shares.
    """

    max_tokens: int | None = None
    sampling: Sampling = field(default_factory=Sampling)
    stop: tuple[str, ...] = ()
    ignore_eos: bool = False
    adapter: str | None = None


@dataclass(frozen=True, slots=True)
class TurnResult:
    """What a finished turn was.

    Attributes:
        answer: the whole text that was given out.
        end: why it ended.
        session_id: the conversation's id; empty for callers who carry their own history.
        intent: the recognised customer-service intent, or ``out_of_scope``.
        sources: what the answer rests on.
        handoff: whether a person should take over.
        cached: whether the answer came from the answer cache.
        adapter: the LoRA adapter that answered; empty if the bare model did, or no model at all.
        verdict: the verdict that decided: the one that blocked, else the severest.
        usage: the engine's costs.
        timing_ms: milliseconds by stage (``guard_in``, ``engine``, ``guard_out``, ``total``).
    """

    answer: str
    end: TurnEnd
    session_id: str
    intent: str
    verdict: Verdict
    sources: tuple[str, ...] = ()
    handoff: bool = False
    cached: bool = False
    adapter: str = ""
    usage: Usage = field(default_factory=Usage)
    timing_ms: Mapping[str, float] = field(default_factory=dict)


class Turn(Protocol):
    """A turn under way: iterate its guarded pieces of text once; then ``result`` is there."""

    @property
    def session_id(self) -> str:
        """The conversation's id, known from the start; empty for callers who carry their own history."""

    @property
    def result(self) -> TurnResult:
        """The outcome. Raises RuntimeError while the turn is under way."""

    def __iter__(self) -> Iterator[str]:
        """The pieces as they are released. Raises EngineError if the engine fails."""

    def cancel(self) -> None:
        """Stop computing at once. Safe from any thread."""
