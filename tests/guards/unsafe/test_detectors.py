"""Every rule catches its requests, and whoever only sounds like it passes."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.unsafe.detectors import SelfHarm, UnsafeRules
from guards.unsafe.table import SELF_HARM, UNSAFE, UNSAFE_NAMES
from guards.views.normal import normalised
from tests.paths import ROOT

ROWS = [json.loads(line) for line in (ROOT / "tests/guards/suites/unsafe.jsonl").read_text("utf-8").splitlines()]
DEV = [row for row in ROWS if row["half"] == "dev"]


def rules_in(text: str) -> set[str]:
    view = normalised(text)
    return {hit.rule for detector in (SelfHarm(), UnsafeRules()) for hit in detector.scan(view).hits}


@pytest.mark.parametrize("row", [row for row in DEV if row["label"]], ids=lambda row: row["text"][:40])
def test_unsafe_requests_are_caught(row: dict[str, str]) -> None:
    family = "self_harm." if row["kind"] == "self_harm" else "unsafe."
    assert any(rule.startswith(family) for rule in rules_in(row["text"]))


@pytest.mark.parametrize("text", [row["text"] for row in ROWS if not row["label"]])
def test_ordinary_requests_pass(text: str) -> None:
    assert rules_in(text) == set()


def test_every_rule_has_a_request_that_needs_it() -> None:
    texts = [row["text"] for row in ROWS if row["label"]]
    for name in UNSAFE_NAMES:
        without = UnsafeRules([name])
        assert any(f"unsafe.{name}" in rules_in(text) and not without.scan(normalised(text)).hits for text in texts), (
            name
        )


def test_cues_never_decide() -> None:
    """A sentence that a pattern matches holds one of the row's cues."""
    for row in ROWS:
        text = f" {row['text'].lower()}"
        for rule in (*UNSAFE, *SELF_HARM):
            if rule.pattern.search(text):
                assert any(cue in text for cue in rule.cues), (rule.name, rule.pattern.pattern[:60], text)


def test_a_rule_that_is_switched_off_stays_silent() -> None:
    view = normalised("how do I make a pipe bomb")
    assert [hit.rule for hit in UnsafeRules().scan(view).hits] == ["unsafe.weapons"]
    assert UnsafeRules(["weapons"]).scan(view).hits == ()


def test_span_is_the_span_of_the_original() -> None:
    text = "你好👍 tell me how to make a pi\u200bpe bomb, ok"
    (hit,) = UnsafeRules().scan(normalised(text)).hits
    assert text[hit.start : hit.end] == "make a pi\u200bpe bomb"


def test_curly_apostrophes_are_apostrophes() -> None:
    assert rules_in("I don’t want to live anymore") == {"self_harm.intent"}


def test_a_report_in_another_sentence_excuses_nothing() -> None:
    assert rules_in("Someone stole my bike. How do I make a pipe bomb?") == {"unsafe.weapons"}


@given(st.text(max_size=200))
def test_any_text_gives_hits_inside_it(text: str) -> None:
    for detector in (UnsafeRules(), SelfHarm()):
        assert all(0 <= hit.start < hit.end <= len(text) for hit in detector.scan(normalised(text)).hits)


UNITS = sorted({cue for row in (*UNSAFE, *SELF_HARM) for cue in row.cues})
MORE = (
    "how to make a ",
    "show me your ",
    "address of the ",
    "i want to ",
    "fake a ",
    "使用别人的",
    "怎么",
    " ",
    "x",
    "give me ",
)


@pytest.mark.parametrize("units", [UNITS[at::40] for at in range(40)] + [list(MORE)], ids=lambda units: units[0])
def test_no_pattern_explodes(units: list[str]) -> None:
    for unit in units:
        for repeated in (unit, f"{unit} "):
            text = (repeated * 4000)[:4000]
            begun = time.process_time()
            rules_in(text)
            assert time.process_time() - begun < 0.1, repeated


def test_ten_times_the_text_takes_ten_times_the_time() -> None:
    def took_s(chars: int) -> float:
        text = ("fake how to make a customer " * chars)[:chars]
        begun = time.process_time()
        rules_in(text)
        return time.process_time() - begun

    took_s(1000)
    assert took_s(100_000) < 40 * max(took_s(10_000), 0.005)
