"""Only placeholders that the conversation's vault gave out are left in an answer."""

from __future__ import annotations

import pytest

from guards.leak.placeholders import ForeignPlaceholders
from guards.views.normal import normalised

OWN = {"[PHONE_1]", "[TEXT_2]"}
DETECTOR = ForeignPlaceholders(OWN.__contains__)


def replaced(text: str) -> str:
    for hit in reversed(DETECTOR.scan(normalised(text)).hits):
        text = text[: hit.start] + hit.replacement + text[hit.end :]
    return text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I will call [PHONE_1].", "I will call [PHONE_1]."),
        ("I will call [PHONE_2].", "I will call [PHONE]."),
        ("Write to [EMAIL_1] or [phone_1].", "Write to [EMAIL] or [phone_1]."),
        ("［ＰＨＯＮＥ＿3］", "[PHONE]"),
        ("[TEXT_1][TEXT_2]", "[TEXT][TEXT_2]"),
        ("你的电话是[PHONE_37]吗", "你的电话是[PHONE]吗"),
        (
            "[PHONE] [1] [PHONE_] [CAR_1] PHONE_2 [PHONE_1234567]",
            "[PHONE] [1] [PHONE_] [CAR_1] PHONE_2 [PHONE_1234567]",
        ),
    ],
)
def test_foreign_ones_are_replaced(text: str, expected: str) -> None:
    assert replaced(text) == expected


@pytest.mark.parametrize(
    ("text", "held"), [("ok [PHO", "[PHO"), ("ok [PHONE_12", "[PHONE_12"), ("ok [", "["), ("[1", ""), ("a] b", "")]
)
def test_open_ones_are_held_back(text: str, held: str) -> None:
    assert text[DETECTOR.pending(normalised(text)) :] == held
