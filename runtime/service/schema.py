"""What callers send, as pydantic models: types and ranges are checked here, and every wrong field is named."""

from __future__ import annotations

import dataclasses
import math
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema

from runtime.assistant.turn import AnswerOptions, Message, Role
from runtime.engine.face import Sampling
from runtime.errors import InvalidRequestError
from runtime.service.grammar import ANY_JSON, grammar_of_schema

_SEEDS = 2**32 - 1  # libllama's seeds are 32 bits wide and the highest one means "take a random one"
_SAMPLING = ("temperature", "top_k", "top_p", "min_p", "repeat_penalty")
_BIAS_MAX = 100.0


class _Request(BaseModel):
    """Strict types (``"1"`` is no number), unknown fields ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")


def _join_parts(content: object) -> object:
    """OpenAI's list of content parts as one text; anything else is left to the type check."""
    if not isinstance(content, list):
        return content
    texts: list[str] = []
    for number, part in enumerate(content):
        text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
        if not isinstance(text, str):
            raise ValueError(f'part {number} is not a text part; expected {{"type": "text", "text": "..."}}')
        texts.append(text)
    return "\n".join(texts)


def _as_list(stop: object) -> object:
    return [stop] if isinstance(stop, str) else stop


_PARTS_SCHEMA = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"type": {"const": "text"}, "text": {"type": "string"}},
                "required": ["type", "text"],
            },
        },
    ]
}
_STOP_SCHEMA = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, {"type": "null"}]}
_Content = Annotated[str, BeforeValidator(_join_parts), WithJsonSchema(_PARTS_SCHEMA)]
_StopText = Annotated[str, Field(min_length=1, max_length=256)]
_Stop = Annotated[list[_StopText] | None, BeforeValidator(_as_list), WithJsonSchema(_STOP_SCHEMA)]


class ChatMessage(_Request):
    """One message; ``developer`` is OpenAI's newer word for ``system``."""

    role: Literal["system", "developer", "user", "assistant"]
    content: _Content

    def to_message(self) -> Message:
        """As the assistant takes it."""
        return Message(Role.SYSTEM if self.role == "developer" else Role(self.role), self.content)


class StreamOptions(_Request):
    """OpenAI's ``stream_options``."""

    include_usage: bool | None = None


class JsonSchema(_Request):
    """OpenAI's ``response_format.json_schema``."""

    name: str | None = None
    schema_: dict[str, Any] = Field(alias="schema")


class ResponseFormat(_Request):
    """What the answer's text has to be."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    def grammar(self) -> str:
        """The grammar that enforces it; empty for free text.

        Raises:
            InvalidRequestError: the schema is missing or cannot be made into a grammar.
        """
        if self.type == "text":
            return ""
        if self.type == "json_object":
            return ANY_JSON
        if self.json_schema is None:
            raise InvalidRequestError("response_format.json_schema", "is missing; expected an object with a `schema`")
        return grammar_of_schema(self.json_schema.schema_)


class ChatRequest(_Request):
    """``POST /v1/chat/completions``."""

    messages: list[ChatMessage] = Field(min_length=1, max_length=512)
    model: str | None = Field(
        None,
        description="An adapter as `NAME` or `BUNDLE:NAME`, `none` for the bare model; else the shares decide.",
    )
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1, le=1_000_000)
    max_completion_tokens: int | None = Field(None, ge=1, le=1_000_000, description="Goes before max_tokens.")
    temperature: float | None = Field(None, ge=0, le=2, description="0 or nothing: always the likeliest token.")
    top_p: float | None = Field(None, ge=0, le=1)
    top_k: int | None = Field(None, ge=0, le=1_000_000, description="0 keeps all.")
    min_p: float | None = Field(None, ge=0, le=1)
    repeat_penalty: float | None = Field(None, ge=0.1, le=10, description="1 is off.")
    seed: int | None = Field(None, ge=-(2**63), le=2**63 - 1)
    stop: _Stop = Field(None, max_length=16)
    n: int | None = Field(None, ge=1, le=1, description="One answer a request.")
    logit_bias: dict[str, float] | None = Field(None, max_length=1024)
    response_format: ResponseFormat | None = None
    ignore_eos: bool | None = Field(
        None, description="Go on after the end of the answer, up to max_tokens; to measure."
    )

    def conversation(self) -> tuple[Message, ...]:
        """The messages as the assistant takes them."""
        return tuple(message.to_message() for message in self.messages)

    def options(self) -> AnswerOptions:
        """How to answer.

        Raises:
            InvalidRequestError: logit_bias or response_format cannot be used.
        """
        given = {name: value for name in _SAMPLING if (value := getattr(self, name)) is not None}
        sampling = dataclasses.replace(
            Sampling(),
            **given,
            seed=None if self.seed is None else self.seed % _SEEDS,
            logit_bias=_bias(self.logit_bias or {}),
            grammar=self.response_format.grammar() if self.response_format else "",
        )
        return AnswerOptions(
            max_tokens=self.max_completion_tokens or self.max_tokens,
            sampling=sampling,
            stop=tuple(self.stop or ()),
            ignore_eos=bool(self.ignore_eos),
        )

    @property
    def usage_at_end(self) -> bool:
        """Whether the stream ends with the usage."""
        return bool(self.stream_options and self.stream_options.include_usage)


class ModelPath(_Request):
    """``GET /v1/models/{model_id}``."""

    model_id: str


class QueryRequest(_Request):
    """``POST /api/query``."""

    question: str = Field(min_length=1, pattern=r"\S", examples=["I want to cancel order 12345"])
    session_id: str | None = Field(None, max_length=128, description="Of an earlier answer; without it, a new one.")
    stream: bool | None = Field(None, description="Answer as server-sent events.")
    adapter: str | None = Field(
        None, max_length=128, description="The adapter that is to answer, `none` for the bare model."
    )


class SessionEndRequest(_Request):
    """``POST /api/session/end``."""

    session_id: str = Field(min_length=1, max_length=128)


class SharesRequest(_Request):
    """``PUT /api/adapters``."""

    shares: dict[str, float] = Field(
        max_length=64,
        description="Adapter to its share of new conversations, 0 to 1; what they leave is the bare model's, `none`.",
        examples=[{"default": 0.9, "refunds-v2": 0.1}],
    )


def invalid_field(error: ValidationError) -> InvalidRequestError:
    """The first wrong field of a request, by its path (``messages.0.content``), and what is wrong with it."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    field = ".".join(str(step) for step in first["loc"]) or "body"
    return InvalidRequestError(field, first["msg"])


def _bias(given: dict[str, float]) -> dict[int, float]:
    biases: dict[int, float] = {}
    for token, bias in given.items():
        field = f"logit_bias.{token[:32]}"
        if not (token.isascii() and token.isdigit() and len(token) <= 9):
            raise InvalidRequestError(field, "is not a token id; expected a whole number in quotation marks")
        if not (math.isfinite(bias) and abs(bias) <= _BIAS_MAX):
            raise InvalidRequestError(field, f"is {bias}; expected a number from -100 to 100")
        biases[int(token)] = bias
    return biases
