"""Personal data is found where it is, and order numbers are left alone."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from guards.pii.find import PiiKind, PiiOptions, canonical, find_pii, redact, values_in

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def found(text: str) -> list[tuple[str, str]]:
    return [(finding.kind.value, text[finding.start : finding.end]) for finding in find_pii(text)]


def with_check_character(first_17: str) -> str:
    """ISO 7064 MOD 11-2 by its definition: the whole number, read with weights 2**i from the right, is 1 modulo 11."""
    for check in "0123456789X":
        values = [int(char) for char in first_17] + [10 if check == "X" else int(check)]
        if sum(value * 2**power for power, value in enumerate(reversed(values))) % 11 == 1:
            return first_17 + check
    raise AssertionError("every 17 digits have a check character")


def passes_luhn(digits: str) -> bool:
    total = 0
    for place, char in enumerate(reversed(digits)):
        value = int(char) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


REGIONS = st.sampled_from((110105, 440305, 310101, 150402, 500101, 659004, 710000, 810000, 830000))
IDS = st.builds(
    lambda region, day, sequence: with_check_character(f"{region}{day.strftime('%Y%m%d')}{sequence:03}"),
    REGIONS,
    st.dates(min_value=date(1920, 1, 1), max_value=date(2020, 12, 31)),
    st.integers(0, 999),
)
MOBILES = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
CARDS = st.from_regex(r"(4[0-9]{3}|5[1-5][0-9]{2}|62[0-9]{2})[0-9]{11}", fullmatch=True).map(
    lambda start: next(start + str(check) for check in range(10) if passes_luhn(start + str(check)))
)
#: What may stand directly beside a number without hiding it.
AROUND = st.sampled_from(["", " ", "，", "是", "：", "。", "号码", "(", ")", "\n", "的", "吗？"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("write to jane.doe+shop@mail.example.com, please", [("EMAIL", "jane.doe+shop@mail.example.com")]),
        ("邮箱abc_1@qq.com谢谢", [("EMAIL", "abc_1@qq.com")]),
        ("13800138000@163.com", [("EMAIL", "13800138000@163.com")]),
        ("me＠example.com", [("EMAIL", "me＠example.com")]),
        ("身份证11010519491231002X，", [("ID", "11010519491231002X")]),
        ("11010519491231002x", [("ID", "11010519491231002x")]),
        ("电话13800138000谢谢", [("PHONE", "13800138000")]),
        ("１３８００１３８０００", [("PHONE", "１３８００１３８０００")]),
        ("+86 138-0013-8000 and 138 0013 8000", [("PHONE", "+86 138-0013-8000"), ("PHONE", "138 0013 8000")]),
        ("座机0755-12345678，", [("PHONE", "0755-12345678")]),
        ("call +44 20 7946 0958 or (212) 555-0123.", [("PHONE", "+44 20 7946 0958"), ("PHONE", "(212) 555-0123")]),
        ("tel13800138000", [("PHONE", "13800138000")]),
        ("card 4111 1111 1111 1111 exp 04/27", [("CARD", "4111 1111 1111 1111")]),
        ("卡号6222021234567890128。", [("CARD", "6222021234567890128")]),
        ("3782 822463 10005", [("CARD", "3782 822463 10005")]),
        ("my ID is 11010519491231002X, phone 13800138000", [("ID", "11010519491231002X"), ("PHONE", "13800138000")]),
    ],
)
def test_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "I want to cancel order 12345 and get my money back",
        "订单 123456789012345678 什么时候发货",
        "订单号：110105194912310021",
        "order 1023456789 is late",
        "invoice no. 4111111111111112",
        "my tracking number is 2125550123",
        "运单号 755123456789 到哪了",
        "order #2024051212345",
        "delivered on 2024-05-12 13:30, ordered 12.05.2024",
        "I paid $1299.00 and €2345678",
        "version 1.2.3.4 of the app, pages 100-200",
        "a@b, @home, me@localhost",
        "0.13800138000",
        "4111 1111 1111 1112",
        "11010519491331002X",
    ],
)
def test_left_alone(text: str) -> None:
    assert found(text) == []


@given(IDS, AROUND, AROUND, st.booleans())
def test_every_valid_id_is_found_beside_anything(number: str, before: str, after: str, wide: bool) -> None:
    number = number.translate(FULL_WIDTH) if wide else number
    assert found(f"{before}{number}{after}") == [("ID", number)]


@given(IDS, st.integers(1, 9))
def test_an_id_with_a_wrong_check_character_is_no_id(number: str, shift: int) -> None:
    check = str((int(number[17]) + shift) % 10) if number[17] != "X" else str(shift)
    assert "ID" not in [kind for kind, _ in found(f"订单 {number[:17]}{check}")]


@given(MOBILES, AROUND, AROUND, st.booleans())
def test_every_mobile_number_is_found_beside_anything(number: str, before: str, after: str, wide: bool) -> None:
    number = number.translate(FULL_WIDTH) if wide else number
    assert found(f"{before}{number}{after}") == [("PHONE", number)]


@given(CARDS, AROUND, AROUND)
def test_every_card_is_found_beside_anything(number: str, before: str, after: str) -> None:
    assert found(f"{before}{number}{after}") == [("CARD", number)]


@given(st.from_regex(r"[0-9]{12,18}", fullmatch=True))
@example("8613000000000")
@example("008613000000000")
def test_order_numbers_without_a_check_digit_are_no_cards_ids_or_phones(number: str) -> None:
    checks = passes_luhn(number) or (len(number) == 18 and with_check_character(number[:17]) == number)
    assert checks or found(f"order {number}") == found(f"订单{number}") == []


@given(st.text(st.sampled_from("0123456789 -+()./@abc.comX订单电话１２\u200b"), max_size=60))
def test_findings_are_ordered_disjoint_and_inside(text: str) -> None:
    findings = find_pii(text)
    edges = [edge for finding in findings for edge in (finding.start, finding.end)]
    assert edges == sorted(edges)
    assert all(0 <= finding.start < finding.end <= len(text) for finding in findings)


def test_redact_leaves_no_digit_of_it() -> None:
    assert redact("call 13800138000 or me@example.com") == "call [PHONE] or [EMAIL]"


def test_kinds_and_regions_can_be_chosen() -> None:
    text = "me@example.com 020 7946 0958"
    assert [f.kind for f in find_pii(text, PiiOptions((PiiKind.EMAIL,)))] == [PiiKind.EMAIL]
    assert find_pii("see 0113 496 0321", PiiOptions(regions=("CN",))) == find_pii("see 9472 7916") == ()
    assert len(find_pii("see 0113 496 0321")) == 1
    assert len(find_pii("see 9472 7916", PiiOptions(regions=("SG",)))) == 1


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Can someone call me on 9472 7916?", "9472 7916"),
        ("Phone:\n60-56-85-91", "60-56-85-91"),
        ("传真是 1234 5678", "1234 5678"),
        ("+46 (0)179 459 33 office", "+46 (0)179 459 33"),
        ("Fax: 259.735.7502x459", "259.735.7502x459"),
    ],
)
def test_numbers_that_the_text_calls_telephone_numbers(text: str, number: str) -> None:
    assert found(text) == [("PHONE", number)]


def test_an_order_word_is_stronger_than_a_telephone_word() -> None:
    assert found("please call me about order 94727916") == found("电话查询订单号12345678") == []


def test_spellings_of_one_value_agree() -> None:
    assert canonical(PiiKind.PHONE, "+86 138-0013-8000") == canonical(PiiKind.PHONE, "１３８ ００１３ ８０００")
    assert canonical(PiiKind.EMAIL, "Me@Example.com") == canonical(PiiKind.EMAIL, "me@example.COM")
    assert values_in("x 4111-1111-1111-1111") == values_in("4111111111111111")
