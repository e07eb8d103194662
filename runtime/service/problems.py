"""Every refusal of the service: which status, code and words belong to which error. One table, one shape."""

from __future__ import annotations

import math
from dataclasses import dataclass
from http import HTTPStatus

from werkzeug.exceptions import HTTPException

from runtime.errors import (
    EngineClosedError,
    EngineError,
    EngineUnavailableError,
    InvalidRequestError,
    PromptTooLongError,
    QueueFullError,
)

_KINDS = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}
_CODES = {404: "not_found", 405: "method_not_allowed", 408: "request_timeout", 413: "body_too_large"}


@dataclass(frozen=True, slots=True)
class Problem:
    """One refusal, in the shape of OpenAI's error object.

    Attributes:
        status: the HTTP status.
        code: for programs.
        message: for people: the value, what was expected, the remedy.
        param: the field that is wrong.
        retry_after_s: when it is worth trying again.
    """

    status: int
    code: str
    message: str
    param: str | None = None
    retry_after_s: float | None = None

    def to_dict(self) -> dict[str, object]:
        """The body: ``{"error": {...}}``."""
        kind = _KINDS.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    @property
    def headers(self) -> dict[str, str]:
        """What goes with it: Retry-After in whole seconds, at least one."""
        if self.retry_after_s is None:
            return {}
        return {"Retry-After": str(max(1, math.ceil(self.retry_after_s)))}


class Refusal(Exception):
    """The service itself refuses a request."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def problem_of(error: Exception) -> Problem:
    """What a caller is told of an error. Words of unforeseen errors stay in the log."""
    match error:
        case Refusal():
            return error.problem
        case InvalidRequestError():
            return Problem(400, "invalid_value", str(error), param=error.field)
        case PromptTooLongError():
            return Problem(400, "context_length_exceeded", str(error), param="messages")
        case QueueFullError():
            return Problem(429, "queue_full", str(error), retry_after_s=error.retry_after_s)
        case EngineClosedError():
            return not_ready(str(error) or "the engine is not taking requests")
        case EngineUnavailableError():
            why = "the engine that computes answers is not available; please ask again"
            return Problem(503, "engine_unavailable", why, retry_after_s=error.retry_after_s)
        case EngineError():
            return Problem(500, "engine_error", "the engine failed while computing this answer; please ask again")
        case HTTPException():
            status = error.code or 500
            code = _CODES.get(status, HTTPStatus(status).name.lower())
            return Problem(status, code, error.description or HTTPStatus(status).phrase)
    return Problem(500, "internal_error", "something went wrong on our side; the log has the details")


def not_ready(why: str) -> Problem:
    """503: starting or stopping."""
    return Problem(503, "not_ready", why, retry_after_s=2.0)
