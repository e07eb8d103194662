"""What the routes of one app share, and what they know of a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from flask import current_app, request

from runtime.service.metrics import Metrics
from runtime.service.options import ServiceOptions
from runtime.service.running import RunningAnswers

EXTENSION = "tellerbox"
CLIENT = "tellerbox.client"
"""Where ``access`` notes in a request's environment who is asking."""


@dataclass(frozen=True, slots=True)
class Service:
    """The parts of one app."""

    answers: RunningAnswers
    options: ServiceOptions
    metrics: Metrics


def service() -> Service:
    """The parts of the app that handles this request."""
    return cast(Service, current_app.extensions[EXTENSION])


def client() -> str:
    """Who is asking: ``key:NAME`` with an API key, else ``addr:ADDRESS``.

    It makes the queue fair, and a session goes on only for the client that began it. Behind one address many customers
    may sit; what keeps their sessions apart is the id, which nobody can guess. No cookie is set.
    """
    return str(request.environ.get(CLIENT, "addr:"))


def hung_up() -> Callable[[], bool]:
    """Whether this request's client has disconnected: a question to the server, not to the request's own thread."""
    return cast("Callable[[], bool]", request.environ.get("waitress.client_disconnected", lambda: False))
