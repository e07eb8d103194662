"""Server-sent events: the framing of streamed answers.

Format: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from flask import Response

DONE = b"data: [DONE]\n\n"
"""What OpenAI's protocol ends a stream with."""


def event(data: object, name: str = "") -> bytes:
    """One event with a JSON body; JSON escapes line ends, so a body is always one ``data`` line."""
    head = f"event: {name}\n" if name else ""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"{head}data: {body}\n\n".encode()


def stream(events: Iterable[bytes]) -> Response:
    """A response that no proxy on the way should hold back."""
    return Response(events, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})
