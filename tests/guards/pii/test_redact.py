"""Redaction for logs: complete, once and for all, and in linear time."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guards.pii.find import find_pii, redact

PARTS = st.sampled_from(
    (
        *(
            "13800138000",
            "8-7-6-5-4-3-2",
            "me@example.com",
            "4111111111111111",
            "11010519491231002X",
            "my name is John Smith",
        ),
        *(
            "[PHONE]",
            "[NAME_1]",
            "[PHONE",
            "phone",
            "call ",
            "12 High Street",
            "中山路12号",
            "我叫张三",
            "Mr. ",
            "Ann",
            "555 1234",
        ),
        *(" ", "，", ", ", ". ", "\n", "1", "order ", "x"),
    )
)


@given(st.one_of(st.lists(PARTS, max_size=14).map("".join), st.text(max_size=60)))
@settings(deadline=None)
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = redact(text)
    assert redact(once) == once
    assert find_pii(once) == ()


def test_marks_stand_in_place_of_data() -> None:
    text = "我叫张三，电话13800138000，住在中山路12号，卡号4111111111111111"
    assert redact(text) == "我叫[NAME]，电话[PHONE]，住在[ADDRESS]，卡号[CARD]"


@pytest.mark.parametrize(
    "unit",
    [
        "1 ",
        "0-",
        "12345 ",
        "4111 ",
        "a@",
        "a.",
        "一二",
        "路1号",
        "栋1",
        "my name is ",
        "Mr ",
        "1 Aa ",
        "(",
        "+1",
        "我叫张",
        "王先生",
        "a [at] ",
    ],
)
def test_time_is_linear(unit: str) -> None:
    """Twenty times the text takes about twenty times as long; quadratic time would take four hundred."""

    def took_s(size: int) -> float:
        text = (unit * size)[:size]
        begun = time.perf_counter()
        find_pii(text)
        return time.perf_counter() - begun

    find_pii(unit * 100)
    short = min(took_s(1000) for _ in range(3))
    assert took_s(20_000) < 100 * short + 0.1
