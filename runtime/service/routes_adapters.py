"""The operator's routes for LoRA adapters: which there are, how conversations are spread over them, the way back."""

from __future__ import annotations

import logging

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint

from runtime.service.access import OPTIONAL_KEY
from runtime.service.context import client, service
from runtime.service.replies import AdaptersReply, ErrorReply, adapters_reply
from runtime.service.schema import SharesRequest

log = logging.getLogger(__name__)
blueprint = APIBlueprint(
    "adapters",
    __name__,
    abp_tags=[{"name": "Adapters", "description": "With API keys configured these need one of role admin."}],
    abp_security=OPTIONAL_KEY,
    abp_responses={200: AdaptersReply, 401: ErrorReply, 403: ErrorReply, 503: ErrorReply},
)


@blueprint.get("/api/adapters")
def adapters() -> Response:
    """The adapters, the shares of new conversations that each gets, and earlier shares."""
    return _reply()


@blueprint.put("/api/adapters")
def set_shares(body: SharesRequest) -> Response:
    """Spread new conversations by these shares. Running ones keep their adapter."""
    service().answers.assistant.adapters.set_shares(body.shares)
    log.info("%s set the adapters' shares to %s", client(), body.shares)
    return _reply()


@blueprint.post("/api/adapters/rollback", responses={400: ErrorReply})
def rollback() -> Response:
    """Go back to the shares before. Conversations leave the adapters that have no share then."""
    service().answers.assistant.adapters.rollback()
    log.info("%s rolled the adapters' shares back", client())
    return _reply()


def _reply() -> Response:
    return jsonify(adapters_reply(service().answers.assistant.adapters).model_dump())
