"""How the service is: alive, ready, healthy, and its metrics."""

from __future__ import annotations

import dataclasses

from flask import Response, jsonify
from flask_openapi.blueprint import APIBlueprint
from prometheus_client import CONTENT_TYPE_LATEST

from runtime.service.access import OPTIONAL_KEY
from runtime.service.context import service
from runtime.service.problems import Refusal, not_ready
from runtime.service.replies import ErrorReply

blueprint = APIBlueprint("status", __name__, abp_tags=[{"name": "Status"}])


@blueprint.get("/livez")
def livez() -> Response:
    """The process answers."""
    return jsonify({"state": "alive"})


@blueprint.get("/readyz", responses={503: ErrorReply})
def readyz() -> Response:
    """Questions are answered now."""
    state = service().answers.state
    if state != "ready":
        raise Refusal(not_ready(f"the service is {state}"))
    return jsonify({"state": state})


@blueprint.get("/health")
def health() -> Response:
    """State, model, engine, guard mode, reasons of a degraded state, load."""
    answers = service().answers
    if answers.state != "ready":
        return jsonify({"state": answers.state})
    details = answers.assistant.health()
    load = answers.load()
    return jsonify(
        {
            "state": "degraded" if details.get("degraded") else "ready",
            **details,
            "load": dataclasses.asdict(load) if load else None,
        }
    )


@blueprint.get("/metrics", security=OPTIONAL_KEY, responses={401: ErrorReply, 403: ErrorReply})
def metrics() -> Response:
    """For Prometheus. With API keys configured it needs one of role admin."""
    return Response(service().metrics.text(), content_type=CONTENT_TYPE_LATEST)
