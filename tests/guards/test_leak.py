"""Template marks and runs of a protected text are found; everyday phrases are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.leak import PromptLeak, RoleTokens
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


@pytest.mark.parametrize("text", ["<|user|>", "ok </s>", "[/INST]", "＜|assistant|＞", "<|us\u200ber|>"])
def test_marks_are_found(text: str) -> None:
    assert [hit.rule for hit in RoleTokens().scan(normalised(text)).hits] == ["leak.role_token"]


@pytest.mark.parametrize("text", ["a < b and c > d", "[PHONE_1]", "see [1]", "x <- y", "<b>bold</b>"])
def test_other_brackets_are_no_marks(text: str) -> None:
    assert RoleTokens().scan(normalised(text)).hits == ()


@pytest.mark.parametrize(
    ("text", "held"), [("ok <|us", "<|us"), ("ok <", "<"), ("ok [INS", "[INS"), ("a < b", ""), ("plain", "")]
)
def test_open_brackets_are_held_back(text: str, held: str) -> None:
    assert text[RoleTokens().pending(normalised(text)) :] == held
