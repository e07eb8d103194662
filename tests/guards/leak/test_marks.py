"""The marks of chat templates are found, other brackets are not."""

from __future__ import annotations

import pytest

from guards.leak.marks import RoleTokens
from guards.views.normal import normalised


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
