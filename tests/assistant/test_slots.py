"""Numbers leave a message before the model sees it and come back in the answer, however the answer is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.slots import delexicalise
from runtime.assistant.slots import SlotFiller


def fill(pieces: list[str], values: dict[str, str], language: str = "en") -> str:
    filler = SlotFiller(values, language)
    return "".join(filler.feed(piece) for piece in pieces) + filler.finish()


@pytest.mark.parametrize(
    ("message", "text", "values"),
    [
        ("cancel order 12345 now", "cancel order {{Order Number}} now", {"Order Number": "12345"}),
        ("cancel order #12345.", "cancel order {{Order Number}}.", {"Order Number": "12345"}),
        ("取消订单12345吧", "取消订单{{Order Number}}吧", {"Order Number": "12345"}),
        ("I paid $1,299.50", "I paid {{Currency Symbol}}{{Refund Amount}}", None),
        ("two shirts, size 44", "two shirts, size 44", {}),
        ("version 1.2345", "version 1.2345", {}),
        ("cancel order 12345 from 2024", "cancel order {{Order Number}} from 2024", {"Order Number": "12345"}),
        ("order 2023", "order {{Order Number}}", {"Order Number": "2023"}),
        ("bought on 2024-05-01", "bought on 2024-05-01", {}),
        ("paid 1500 yuan for order 12345", "paid 1500 yuan for order {{Order Number}}", {"Order Number": "12345"}),
        ("call 55555, order 12345", "call 55555, order {{Order Number}}", {"Order Number": "12345"}),
        ("12345 and again 12345", "{{Order Number}} and again {{Order Number}}", {"Order Number": "12345"}),
        ("part ABC12345", "part ABC12345", {}),
    ],
)
def test_numbers_become_slots(message: str, text: str, values: dict[str, str] | None) -> None:
    expected = {"Currency Symbol": "$", "Refund Amount": "1,299.50"} if values is None else values
    assert delexicalise(message) == (text, expected)


def test_of_two_numbers_alike_the_first_counts() -> None:
    assert delexicalise("11111 or 22222") == ("{{Order Number}} or 22222", {"Order Number": "11111"})


@given(st.data())
def test_any_cut_fills_alike(data: st.DataObject) -> None:
    answer = "Order {{Order Number}} {is} {{Nothing Known}}, call {{Customer Support Phone Number}} {{ or not }} {{x"
    borders = sorted(data.draw(st.lists(st.integers(0, len(answer)), max_size=10)))
    pieces = [answer[a:b] for a, b in zip([0, *borders], [*borders, len(answer)], strict=True)]
    filled = fill(pieces, {"Order Number": "12345"})
    assert filled == "Order 12345 {is} Nothing Known, call the phone number on your receipt or not "


def test_braces_that_are_no_slot_pass() -> None:
    text = "a {b} {{" + "c" * 100
    assert fill([text[:9], text[9:]], {}) == text
    assert fill(["{", "a"], {}) == "{a"
    assert fill(["x{"], {}) == "x{"


def test_what_nobody_knows_is_vague_in_the_customers_language() -> None:
    assert fill(["about {{Order Number}}"], {}) == "about your order number"
    assert fill(["订单{{Order Number}}"], {}, "zh") == "订单"
