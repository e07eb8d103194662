"""The customer's routes: a question and its answer, the end of a session, what the chat page has to know."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint

from runtime.assistant.face import Assistant
from runtime.assistant.turn import AnswerOptions, Turn
from runtime.service import sse
from runtime.service.access import OPTIONAL_KEY
from runtime.service.answer import Answer, Cut
from runtime.service.context import client, hung_up, service
from runtime.service.problems import problem_of
from runtime.service.reading import read_whole
from runtime.service.replies import ErrorReply, QueryReply, query_reply
from runtime.service.schema import QueryRequest, SessionEndRequest

log = logging.getLogger(__name__)
blueprint = APIBlueprint("customer", __name__, abp_tags=[{"name": "Customer"}], abp_security=OPTIONAL_KEY)

SESSION_HEADER = "Tellerbox-Session"
"""Tells a streamed answer's session at once: a customer who stops the answer goes on in it, or ends it."""


@blueprint.post(
    "/api/query", responses={200: QueryReply, 401: ErrorReply, 413: ErrorReply, 429: ErrorReply, 503: ErrorReply}
)
def query(body: QueryRequest) -> Response:
    """Answer a customer's question in a conversation that the service carries.

    Streamed (`stream`: true) as server-sent events: `delta` {"text"}, then `done` with the whole reply, or `error`.
    """
    asking, session_id = client(), body.session_id or ""

    def ask(assistant: Assistant) -> Turn:
        adapter = None if body.adapter is None else assistant.adapters.named(body.adapter)
        return assistant.query(body.question, session_id, AnswerOptions(adapter=adapter), asking)

    answer = service().answers.begin(ask, hung_up())
    if body.stream:
        response = sse.stream(_events(answer))
        response.call_on_close(answer.close)
    else:
        response = jsonify(query_reply(read_whole(answer), None).model_dump())
    response.headers[SESSION_HEADER] = answer.session_id
    return response


@blueprint.post("/api/session/end", responses={204: None, 401: ErrorReply})
def end_session(body: SessionEndRequest) -> tuple[str, int]:
    """Forget a conversation: the next customer's begins afresh. Unknown ids are fine."""
    service().answers.assistant.end_session(body.session_id, client())
    return "", 204


@blueprint.get("/api/page", doc_ui=False)
def page_settings() -> Response:
    """What the chat page has to know before it starts."""
    options = service().options
    return jsonify({"idle_s": options.page_idle_s, "title": options.page_title, "needs_key": bool(options.api_keys)})


def _events(answer: Answer) -> Iterator[bytes]:
    try:
        for piece in answer:
            yield sse.event({"text": piece}, "delta")
        if answer.cut is not Cut.CLIENT_GONE:
            yield sse.event(query_reply(answer.result, answer.cut).model_dump(), "done")
    except Exception as error:  # the status line is long gone: all that can be said now is an error event
        log.exception("a streamed answer failed")
        yield sse.event(problem_of(error).to_dict(), "error")
