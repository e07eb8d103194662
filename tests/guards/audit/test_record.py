"""What a line holds, and what it never does."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.audit.chain import GENESIS, TURN, Link, opened, seal
from guards.audit.log import AuditOptions
from guards.audit.record import shown, written
from tests.guards.audit.conftest import STAMP, Place, record

TEXTS = AuditOptions(text_chars=200)


def test_a_line_says_what_happened(place: Place) -> None:
    with place.open(TEXTS) as log:
        log.append(record(1))
    line = json.loads(place.files()[0].read_text("utf-8").splitlines()[1])
    assert (line["kind"], line["seq"], line["at"]) == ("turn", 2, 1_700_000_001)
    data = line["data"]
    assert len(data["session"]) == len(data["client"]) == 16
    assert {key: value for key, value in data.items() if key not in ("session", "client")} == {
        "in": {"action": "allow", "scores": {"toxicity": 0.0123}},
        "out": {"action": "redact", "rule": "pii.phone"},
        "rule": "pii.phone",
        "policy": STAMP,
        "end": "stop",
        "intent": "track_order",
        "sources": ["model:demo"],
        "handoff": False,
        "cached": False,
        "adapter": "",
        "tokens": {"prompt": 120, "cached": 100, "completion": 30},
        "timing_ms": {"guard_in": 1.23, "total": 900.0},
        "question": "where is my parcel",
        "answer": "Call [PHONE] about where is my parcel",
    }


def test_texts_are_kept_only_if_asked_for(place: Place) -> None:
    with place.open() as log:
        log.append(record(1, "a very special question"))
    assert "special" not in place.files()[0].read_text("utf-8")


def test_the_same_customer_has_one_name_and_not_his_own(place: Place) -> None:
    with place.open() as log:
        log.append(record(1))
        log.append(replace(record(1), client="addr:192.168.1.78"))
        log.append(replace(record(1), client="", session_id=""))
    text = place.files()[0].read_text("utf-8")
    one, other, nobody = (json.loads(line)["data"] for line in text.splitlines()[1:])
    assert one["session"] == other["session"] != one["client"] != other["client"]
    assert (nobody["session"], nobody["client"]) == ("", "")
    assert "192.168" not in text
    assert "session-1" not in text


def test_every_field_is_redacted() -> None:
    secret = "jane@example.com"
    row = written(
        replace(
            record(1, secret),
            answer=secret,
            intent=secret,
            sources=(secret,),
            adapter=secret,
            end=secret,
            verdict_in=replace(record(1).verdict_in, policy_version=secret, scores={secret: 0.5}),
            verdict_out=None,
            timing_ms={secret: 1.0},
        ),
        str.upper,
        100,
    )
    text = json.dumps(row)
    assert secret not in text
    assert text.count("[EMAIL]") == 9


@pytest.mark.parametrize("at", range(80, 101))
def test_a_number_at_the_cut_is_not_cut_in_two(at: int) -> None:
    kept = shown("x" * (at - 1) + " 13800138000 " + "y" * 3000, 100)
    assert not any(char.isdigit() for char in kept)
    assert len(kept) <= 110


def test_an_address_as_long_as_they_get_is_not_cut_in_two() -> None:
    address = "a" * 64 + "@" + "b" * 60 + "." + "c" * 60 + ".com"
    assert "aaa" not in shown("x" * 90 + " " + address + " " + "y" * 3000, 100)


def test_a_text_that_cannot_be_redacted_is_withheld() -> None:
    assert shown(b"13800138000" * 20, 100).startswith("[WITHHELD")  # type: ignore[arg-type]


def test_long_texts_cost_little() -> None:
    assert len(shown("你" * 1_000_000, 100)) <= 101


@given(st.text(st.characters(), max_size=60))
def test_any_text_can_be_sealed_and_opened(text: str) -> None:
    link = Link(TURN, 7, GENESIS, "", 1.5, {"text": text})
    line, mac = seal(b"k" * 32, link)
    assert line.count(b"\n") == 1
    found = opened(b"k" * 32, line[:-1])
    assert found == replace(link, mac=mac)
    assert opened(b"j" * 32, line[:-1]) is None
