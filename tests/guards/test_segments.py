"""Sentences of a growing text: the same cuts however it grows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.segments import MAX_SEGMENT_CHARS, next_cut

DENSE = st.text(st.sampled_from("ab .!?。！？；…”'\")\n\t,漢x\u3000"), max_size=600)
SPARSE = st.lists(st.sampled_from(["x" * 90, "漢" * 60, "y", " ", ". ", "。"]), max_size=12).map("".join)
TEXTS = st.one_of(DENSE, SPARSE)


def segments(text: str) -> list[str]:
    found, start = [], 0
    while (cut := next_cut(text, start, final=True)) is not None:
        found.append(text[start:cut])
        start = cut
    return found


@given(TEXTS)
def test_segments_are_the_text_and_bounded(text: str) -> None:
    found = segments(text)
    assert "".join(found) == text
    assert all(0 < len(segment) <= MAX_SEGMENT_CHARS for segment in found)


@given(TEXTS, st.integers(0, 600))
def test_a_cut_never_changes_when_more_text_comes(text: str, length: int) -> None:
    start = 0
    while (cut := next_cut(text[:length], start, final=False)) is not None:
        assert cut < len(text[:length]), "one character after the cut has been seen"
        assert next_cut(text, start, final=True) == cut
        start = cut


@given(TEXTS)
def test_a_long_text_is_always_cut(text: str) -> None:
    assert next_cut(text + "x" * (MAX_SEGMENT_CHARS + 1), 0, final=False) is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Your refund is on its way. It takes five days.\nBye now.",
            ["Your refund is on its way. ", "It takes five days.\nBye now."],
        ),
        ("Yes. No. Perhaps it can be done tomorrow. Good?", ["Yes. No. Perhaps it can be done tomorrow. ", "Good?"]),
        ("It costs 3.50 or 1.000.000 in all, see a.b.c for more", None),
        (
            "您的退款申请已经提交成功，请您耐心等待五个工作日。“谢谢！”我们会尽快处理。",
            ["您的退款申请已经提交成功，请您耐心等待五个工作日。", "“谢谢！”我们会尽快处理。"],
        ),
    ],
)
def test_cuts_stand_between_sentences(text: str, expected: list[str] | None) -> None:
    assert segments(text) == (expected or [text])
