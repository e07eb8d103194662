"""A service on a free port of the loopback address, for as long as a test needs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from runtime.assistant.face import Assistant
from runtime.service.app import create_app
from runtime.service.options import ServiceOptions
from runtime.service.server import Server


@contextmanager
def serving(assistant: Assistant | None, options: ServiceOptions | None = None) -> Iterator[str]:
    """Serve an assistant; the URL."""
    server = Server(create_app(assistant, options or ServiceOptions()), "127.0.0.1", 0)
    server.start()
    try:
        yield server.address
    finally:
        server.stop(grace_s=0)
