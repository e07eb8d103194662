"""What callers get, as pydantic models: built here, and documented in ``/openapi.json`` by the same classes."""

from __future__ import annotations

import time
import uuid
from typing import Any, Literal

from pydantic import BaseModel, Field

from runtime.assistant.adapters import AdapterRoutes, SharesRecord
from runtime.assistant.turn import TurnResult
from runtime.engine.face import Usage
from runtime.service.answer import Cut

_ADAPTER_DESCRIPTION = "The adapter that answered; empty if the bare model did, or no model at all."
_CUT_DESCRIPTION = "Why the answer is not whole: client_gone, timeout or shutting_down; null if it is."


class ErrorDetail(BaseModel):
    """What is wrong."""

    message: str
    type: str
    param: str | None = Field(description="The field that is wrong.")
    code: str


class ErrorReply(BaseModel):
    """Every refusal has this shape."""

    error: ErrorDetail


class Extension(BaseModel):
    """What OpenAI's protocol has no words for."""

    reason: str = Field(description="The guard rule that decided; empty if none did.")
    guard: dict[str, Any]
    intent: str
    sources: list[str]
    handoff: bool
    cached: bool
    adapter: str = Field(description=_ADAPTER_DESCRIPTION)
    cut_short: str | None = Field(description=_CUT_DESCRIPTION)
    timing_ms: dict[str, float]


class QueryReply(BaseModel):
    """The answer of ``/api/query``."""

    answer: str
    session_id: str
    intent: str
    sources: list[str]
    handoff: bool = Field(description="A person should take over.")
    cached: bool
    adapter: str = Field(description=_ADAPTER_DESCRIPTION)
    guard: dict[str, Any] = Field(
        description="The guards' verdict: action, rule, span, scores, policy_version, took_ms."
    )
    timing_ms: dict[str, float]
    finish_reason: str
    cut_short: str | None = Field(description=_CUT_DESCRIPTION)


class PromptDetails(BaseModel):
    """OpenAI's ``prompt_tokens_details``."""

    cached_tokens: int


class UsageReply(BaseModel):
    """Tokens of one request."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails


class ReplyMessage(BaseModel):
    """The answer's text."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(BaseModel):
    """The one choice of a completion."""

    index: int = 0
    message: ReplyMessage
    finish_reason: str
    logprobs: None = None


class CompletionReply(BaseModel):
    """OpenAI's ``chat.completion``."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: UsageReply
    tellerbox: Extension


class ModelReply(BaseModel):
    """OpenAI's ``model``."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["tellerbox"] = "tellerbox"


class ModelsReply(BaseModel):
    """OpenAI's list of models: the bundle, and each adapter on it."""

    object: Literal["list"] = "list"
    data: list[ModelReply]


class SharesReply(BaseModel):
    """How new conversations are spread."""

    shares: dict[str, float] = Field(description="By adapter; `none` is the bare model.")
    since_unix_s: float


class AdaptersReply(SharesReply):
    """The adapters and their shares."""

    adapters: list[str]
    history: list[SharesReply] = Field(description="Earlier shares; a rollback goes back to the last of them.")
    saved: bool = Field(description="Whether a restart finds these shares again.")


def finish_reason(result: TurnResult, cut: Cut | None) -> str:
    """In OpenAI's words; an answer that was cut short has ``length``, their only word for an incomplete one."""
    return "length" if cut else result.end.value


def query_reply(result: TurnResult, cut: Cut | None) -> QueryReply:
    """The whole answer of ``/api/query``."""
    return QueryReply(
        answer=result.answer,
        session_id=result.session_id,
        intent=result.intent,
        sources=list(result.sources),
        handoff=result.handoff,
        cached=result.cached,
        adapter=result.adapter,
        guard=result.verdict.to_dict(),
        timing_ms=_rounded(result),
        finish_reason=finish_reason(result, cut),
        cut_short=cut,
    )


def extension(result: TurnResult, cut: Cut | None) -> Extension:
    """The ``tellerbox`` part of a completion."""
    return Extension(
        reason=result.verdict.rule,
        guard=result.verdict.to_dict(),
        intent=result.intent,
        sources=list(result.sources),
        handoff=result.handoff,
        cached=result.cached,
        adapter=result.adapter,
        cut_short=cut,
        timing_ms=_rounded(result),
    )


def adapters_reply(routes: AdapterRoutes) -> AdaptersReply:
    """What an operator wants to know of the adapters."""
    state = routes.state

    def spread(record: SharesRecord) -> SharesReply:
        return SharesReply(shares=record.shares.to_dict(routes.names), since_unix_s=round(record.since_unix_s, 3))

    return AdaptersReply(
        **spread(state.current).model_dump(),
        adapters=list(routes.names),
        history=[spread(record) for record in state.history],
        saved=state.saved,
    )


def usage_reply(usage: Usage) -> UsageReply:
    """Usage in OpenAI's words."""
    return UsageReply(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        total_tokens=usage.prompt_tokens + usage.completion_tokens,
        prompt_tokens_details=PromptDetails(cached_tokens=usage.cached_tokens),
    )


class Completion:
    """The identity that all chunks of one completion share."""

    def __init__(self, model: str) -> None:
        self.id = f"chatcmpl-{uuid.uuid4().hex}"
        self.created = int(time.time())
        self.model = model

    def whole(self, result: TurnResult) -> CompletionReply:
        """The reply of an unstreamed request."""
        message = ReplyMessage(content=result.answer)
        return CompletionReply(
            id=self.id,
            created=self.created,
            model=self.model,
            choices=[Choice(message=message, finish_reason=finish_reason(result, None))],
            usage=usage_reply(result.usage),
            tellerbox=extension(result, None),
        )

    def chunk(self, delta: dict[str, str], finish: str | None = None, **more: object) -> dict[str, object]:
        """One chunk of a streamed reply."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return {**self._head(), "choices": [choice], **more}

    def usage_chunk(self, usage: Usage) -> dict[str, object]:
        """The chunk after the last one, for those who asked for the usage: it has no choices."""
        return {**self._head(), "choices": [], "usage": usage_reply(usage).model_dump()}

    def _head(self) -> dict[str, object]:
        return {"id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model}


def _rounded(result: TurnResult) -> dict[str, float]:
    return {stage: round(ms, 2) for stage, ms in result.timing_ms.items()}
