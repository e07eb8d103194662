"""The language of a fixed text follows the customer's."""

from __future__ import annotations

import pytest

from guards.language import has_han, language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my parcel?", "en"),
        ("我的包裹在哪里", "zh"),
        ("请问 order ABC12345 到哪了", "zh"),
        ("I want to visit 北京 next week", "en"),
        ("退款 refund please", "zh"),
        ("12345 ???", "en"),
        ("", "en"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert language_of(text) == language


def test_rare_characters_are_chinese_too() -> None:
    assert has_han("\U00020000")
    assert not has_han("かな한글abc")
