"""The OpenAI-compatible routes: ``/v1/chat/completions`` and ``/v1/models``."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Iterator

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint

from runtime.assistant.face import Assistant
from runtime.assistant.turn import Turn
from runtime.service import sse
from runtime.service.access import OPTIONAL_KEY
from runtime.service.answer import Answer, Cut
from runtime.service.context import client, hung_up, service
from runtime.service.problems import Problem, Refusal, problem_of
from runtime.service.reading import read_whole
from runtime.service.replies import (
    Completion,
    CompletionReply,
    ErrorReply,
    ModelReply,
    ModelsReply,
    extension,
    finish_reason,
)
from runtime.service.schema import ChatRequest, ModelPath

log = logging.getLogger(__name__)
blueprint = APIBlueprint("openai", __name__, abp_tags=[{"name": "OpenAI-compatible"}], abp_security=OPTIONAL_KEY)
_STARTED = int(time.time())


@blueprint.post(
    "/v1/chat/completions",
    responses={200: CompletionReply, 401: ErrorReply, 413: ErrorReply, 429: ErrorReply, 503: ErrorReply},
)
def chat_completions(body: ChatRequest) -> Response:
    """Answer a conversation that the caller carries.

    Streamed as server-sent events if `stream` is true.
    """
    answers, asking = service().answers, client()
    messages, options = body.conversation(), body.options()

    def ask(assistant: Assistant) -> Turn:
        named = dataclasses.replace(options, adapter=_adapter(body.model, assistant))
        return assistant.chat(messages, named, asking)

    answer = answers.begin(ask, hung_up())
    completion = Completion(answers.assistant.model_name)
    if not body.stream:
        return jsonify(completion.whole(read_whole(answer)).model_dump())
    response = sse.stream(_chunks(answer, completion, body.usage_at_end))
    response.call_on_close(answer.close)
    return response


@blueprint.get("/v1/models", responses={200: ModelsReply})
def models() -> Response:
    """The model that is served here, first by the bundle's name, then with each adapter."""
    return jsonify(ModelsReply(data=_models()).model_dump())


@blueprint.get("/v1/models/<path:model_id>", responses={200: ModelReply, 404: ErrorReply})
def model(path: ModelPath) -> Response:
    """The model of that name."""
    known = {model.id: model for model in _models()}
    if path.model_id not in known:
        message = f"there is no model {path.model_id!r} here; expected one of {', '.join(known)}"
        raise Refusal(Problem(404, "model_not_found", message))
    return jsonify(known[path.model_id].model_dump())


def _models() -> list[ModelReply]:
    assistant = service().answers.assistant
    name = assistant.model_name
    ids = [name, *(f"{name}:{adapter}" for adapter in assistant.adapters.names)]
    return [ModelReply(id=one, created=_STARTED) for one in ids]


def _adapter(model: str | None, assistant: Assistant) -> str | None:
    """The adapter that a request's ``model`` names; None leaves it to the shares.

    The bundle's name does so, and any name of another model: OpenAI's clients have one to send, whatever they talk to.
    """
    if model is None or model == assistant.model_name:
        return None
    return assistant.adapters.find(model.removeprefix(f"{assistant.model_name}:"))


def _chunks(answer: Answer, completion: Completion, usage_at_end: bool) -> Iterator[bytes]:
    """The role, the pieces, why it ended, on request the usage, and ``[DONE]``."""
    try:
        yield sse.event(completion.chunk({"role": "assistant", "content": ""}))
        for piece in answer:
            yield sse.event(completion.chunk({"content": piece}))
        if answer.cut is Cut.CLIENT_GONE:
            return
        result, cut = answer.result, answer.cut
        more = {"tellerbox": extension(result, cut).model_dump()}
        yield sse.event(completion.chunk({}, finish_reason(result, cut), **more))
        if usage_at_end:
            yield sse.event(completion.usage_chunk(result.usage))
    except Exception as error:  # the status line is long gone: all that can be said now is an error event
        log.exception("a streamed answer failed")
        yield sse.event(problem_of(error).to_dict())
    yield sse.DONE
