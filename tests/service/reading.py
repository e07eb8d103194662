"""Reading a stream of server-sent events in a test."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx

Event = tuple[str, Any]


def events(response: httpx.Response) -> Iterator[Event]:
    """Name and JSON of each event; ``[DONE]`` has the name ``done`` and no JSON."""
    name = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line == "data: [DONE]":
            yield "done", None
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
            name = ""
