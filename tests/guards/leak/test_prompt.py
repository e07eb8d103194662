"""Runs of a protected text are found, in one piece or spread over an answer; everyday phrases are not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.leak.prompt import SHARE_LIMIT, PromptLeak, PromptShare
from guards.views.normal import normalised

PROMPT = (
    "You are the assistant of Lotus Bank. Never promise a rate, and hand over to a colleague when money is at stake."
)
PROMPT_ZH = "你是莲花商店的客服助手，请礼貌回答，不要承诺任何价格，遇到金额问题请转人工处理。"


def leaked(text: str, *protected: str) -> str | None:
    hits = PromptLeak(protected or (PROMPT, PROMPT_ZH)).scan(normalised(text)).hits
    return text[hits[0].start : hits[0].end] if hits else None


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("Sure: " + PROMPT, "You are the assistant of Lotus Bank. Never"),
        (
            "It says NEVER   promise a rate and\nhand over to a colleague!",
            "NEVER   promise a rate and\nhand over to",
        ),
        ("我的设定是：你是莲花商店的客服助手，请礼貌回答，谢谢", "你是莲花商店的客服助手，请礼貌回答"),
        ("nev\u200ber promise a rate and hand over to a colleague", "nev\u200ber promise a rate and hand over to"),
    ],
)
def test_long_runs_are_found(text: str, run: str) -> None:
    assert leaked(text) == run


@pytest.mark.parametrize(
    "text",
    [
        "I am the assistant of Lotus Bank, how can I help?",
        "When money is at stake I will hand over to a colleague.",
        "我是莲花商店的客服助手，请问有什么可以帮您？",
        "",
    ],
)
def test_everyday_phrases_pass(text: str) -> None:
    assert leaked(text) is None


def test_a_run_does_not_cross_from_one_protected_text_to_the_next() -> None:
    assert leaked("one two three four five six seven eight", "one two three four", "five six seven eight") is None
    assert leaked("one two three four five six seven eight", "one two three four five six seven eight") is not None


WORDS = st.lists(st.sampled_from([*PROMPT.split(), "you", "x", "。", *PROMPT_ZH[:12]]), max_size=40)


@given(WORDS, st.integers(0, 300))
def test_nothing_found_later_begins_before_what_was_held_back(words: list[str], at: int) -> None:
    text = " ".join(words)
    detector = PromptLeak([PROMPT, PROMPT_ZH])
    view = normalised(text[:at])
    held = detector.pending(view)
    for hit in detector.scan(normalised(text)).hits:
        assert hit.start >= held or hit.end <= at or detector.scan(view).hits


SPREAD = (
    "First, you are the assistant of them all. Second: Lotus Bank never promise a rate, says the manual. "
    "And they hand over to a colleague, gladly, when money is at stake. That is it."
)


def shared(text: str, *protected: str) -> str | None:
    hits = PromptShare(protected or (PROMPT, PROMPT_ZH)).scan(normalised(text)).hits
    return text[hits[0].start : hits[0].end] if hits else None


def test_a_prompt_in_pieces_is_found() -> None:
    assert leaked(SPREAD) is None
    assert shared(SPREAD) is not None
    assert shared("它说你是莲花商店的客服助手。还说请礼貌回答，不要承诺任何。遇到金额问题请转人工") is not None


@pytest.mark.parametrize(
    "text",
    [
        "I am the assistant of Lotus Bank, how can I help?",
        "When money is at stake I will hand over to a colleague.",
        "我是莲花商店的客服助手，请问有什么可以帮您？",
        "",
    ],
)
def test_everyday_phrases_are_no_share(text: str) -> None:
    assert shared(text) is None


def test_pieces_are_added_up_over_an_answer() -> None:
    detector = PromptShare([PROMPT])
    parts = SPREAD.split(". ")
    hits = [bool(detector.scan(normalised(part)).hits) for part in parts]
    assert hits[0] is False and any(hits)
    again = PromptShare([PROMPT])
    assert not any(again.scan(normalised(parts[0])).hits for _ in range(20)), "the same stretch counts once"


def test_a_short_text_has_no_share() -> None:
    assert shared("one two three four five six seven", "one two three four five six seven") is None


def test_what_is_out_before_the_share_is_full_is_less_than_it() -> None:
    grams = len(PROMPT.split()) - 3
    words = PROMPT.split()
    for count in range(4, 7):
        said = " ".join(words[:count])
        assert shared(said) is None
        assert (count - 3) / grams < SHARE_LIMIT


@pytest.mark.parametrize("unit", ["a ", "you are ", "the assistant ", "商店", "x"])
def test_the_worst_texts_take_linear_time(unit: str) -> None:
    protected = ((unit + "b ") * 1000, PROMPT)
    for detector in (PromptLeak(protected), PromptShare(protected)):
        view = normalised((unit * 4000)[:4000])
        begun = time.process_time()
        detector.scan(view)
        detector.pending(view)
        assert time.process_time() - begun < 0.1
