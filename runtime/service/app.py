"""The Flask app: routes, what stands before them, and what comes after them."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from typing import NoReturn

from flask import Flask, Response, g, jsonify, request
from flask.json.provider import DefaultJSONProvider
from flask_openapi.openapi import OpenAPI
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from runtime.assistant.face import Assistant
from runtime.service import routes_adapters, routes_customer, routes_openai, routes_pages, routes_status
from runtime.service.access import Gate
from runtime.service.body import JsonRequest
from runtime.service.context import EXTENSION, Service, client
from runtime.service.metrics import Metrics
from runtime.service.options import ServiceOptions
from runtime.service.problems import problem_of
from runtime.service.replies import ErrorReply
from runtime.service.running import RunningAnswers
from runtime.service.schema import invalid_field

log = logging.getLogger(__name__)

PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere, nothing inline."""

DOCS_POLICY = PAGE_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")
"""Swagger UI sets styles from its scripts."""

_CACHEABLE = ("/static/", "/docs/")


class PlainJson(DefaultJSONProvider):
    """Chinese as it is written, fields in the order of the contract."""

    ensure_ascii = False
    sort_keys = False


def create_app(assistant: Assistant | None, options: ServiceOptions) -> Flask:
    """The service in front of an assistant.

    Args:
        assistant: who answers; None while it is still being loaded (then every question gets 503 until
            ``attach``).
        options: limits and choices.
    """
    app = OpenAPI(
        "runtime.service",
        static_folder=None,
        doc_ui=False,
        info={"title": "Tellerbox", "version": "1"},
        validation_error_status=400,
        validation_error_model=ErrorReply,
        validation_error_callback=_refuse,
        security_schemes={"key": {"type": "http", "scheme": "bearer"}},
    )
    app.openapi_version = "3.1.1"
    app.request_class = JsonRequest
    app.config["MAX_CONTENT_LENGTH"] = options.max_body_bytes
    app.json = PlainJson(app)

    metrics = Metrics()
    answers = RunningAnswers(assistant, options.max_answers, options.answer_timeout_s, metrics)
    metrics.watch_engine(answers.load)
    app.extensions[EXTENSION] = Service(answers, options, metrics)

    for routes in (routes_openai, routes_customer, routes_adapters, routes_status):
        app.register_api(routes.blueprint)
    app.register_blueprint(routes_pages.blueprint)

    gate = Gate(options)
    app.before_request(_begin)
    app.before_request(gate.check)
    app.after_request(_finish(metrics))
    app.register_error_handler(Exception, _explain)
    return app


def attach(app: Flask, assistant: Assistant) -> None:
    """Give an app that was created without an assistant the one that answers from now on."""
    parts: Service = app.extensions[EXTENSION]
    parts.answers.attach(assistant)


def _refuse(error: ValidationError) -> NoReturn:
    raise invalid_field(error)


def _begin() -> None:
    g.started_s = time.monotonic()
    g.request_id = uuid.uuid4().hex[:16]


def _explain(error: Exception) -> tuple[Response, int, dict[str, str]]:
    """Any error as JSON; what nobody foresaw goes to the log with the request's id, and only there."""
    problem = problem_of(error)
    if problem.status >= 500 and problem.status != 503:
        log.error("request %s failed", g.request_id, exc_info=error)
    headers = dict(problem.headers)
    if problem.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="tellerbox"'
    if isinstance(error, HTTPException):
        headers |= {name: value for name, value in error.get_headers() if name == "Allow"}
    return jsonify(problem.to_dict()), problem.status, headers


def _finish(metrics: Metrics) -> Callable[[Response], Response]:
    """Safe headers on everything; one metric and one line of log when the last byte is out."""

    def finish(response: Response) -> Response:
        path = request.path
        response.headers["X-Request-Id"] = g.request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Content-Security-Policy"] = DOCS_POLICY if path == "/docs" else PAGE_POLICY
        cacheable = path in ("/", "/docs") or path.startswith(_CACHEABLE)
        response.headers["Cache-Control"] = "no-cache" if cacheable else "no-store"

        route = request.url_rule.rule if request.url_rule else "unmatched"
        method, who, started_s, request_id = request.method, client(), g.started_s, g.request_id

        def done() -> None:
            seconds = time.monotonic() - started_s
            metrics.request(route, method, response.status_code, seconds)
            log.info("%s %s %s %s %d %.0f ms", request_id, who, method, route, response.status_code, seconds * 1000)

        response.call_on_close(done)
        return response

    return finish
