"""Server-sent events, however their bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import ProtocolError
from bench.sse import MAX_EVENT_BYTES, EventParser

STREAM = (
    ": a comment\n"
    'data: {"a": 1}\n\n'
    "event: other\r\nid: 5\r\ndata:two\r\ndata: lines\r\n\r\n"
    "data: 订单\r\rretry: 10\n\ndata\n\n"
    "data: [DONE]\n\n"
    "data: never finished"
).encode()
EVENTS = ['{"a": 1}', "two\nlines", "订单", "", "[DONE]"]


def parse(chunks: list[bytes]) -> list[str]:
    parser = EventParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_events_do_not_depend_on_the_cuts(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    assert parse([STREAM[a:b] for a, b in pairwise(edges)]) == EVENTS


def test_byte_by_byte() -> None:
    assert parse([STREAM[i : i + 1] for i in range(len(STREAM))]) == EVENTS


def test_event_without_end_is_refused() -> None:
    parser = EventParser()
    with pytest.raises(ProtocolError, match="without an end"):
        for _ in range(MAX_EVENT_BYTES // 1000 + 2):
            parser.feed(b"x" * 1000)


def test_endless_data_lines_are_refused() -> None:
    parser = EventParser()
    with pytest.raises(ProtocolError, match="without an end"):
        for _ in range(MAX_EVENT_BYTES // 1000 + 2):
            parser.feed(b"data: " + b"x" * 1000 + b"\n")


def test_data_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(ProtocolError, match="UTF-8"):
        EventParser().feed(b"data: \xff\xfe\n\n")
