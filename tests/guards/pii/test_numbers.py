"""Numbers with check digits, and telephone numbers: however they are written, and nothing that only looks like one."""

from __future__ import annotations

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from guards.pii.find import PiiKind, PiiOptions, canonical, find_pii
from guards.pii.plans import is_national
from tests.guards.pii.found import found

KINDS = (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("身份证1 1 0 1 0 5 1 9 4 9 1 2 3 1 0 0 2 X", [("ID", "1 1 0 1 0 5 1 9 4 9 1 2 3 1 0 0 2 X")]),
        ("身份证110105 19491231 002X的", [("ID", "110105 19491231 002X")]),
        ("旧身份证号110105491231002", [("ID", "110105491231002")]),
        ("my SSN is 710-31-0236.", [("ID", "710-31-0236")]),
        ("order 4111 1111 1111 1111", [("CARD", "4111 1111 1111 1111")]),
        ("card 4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1", [("CARD", "4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1")]),
        ("IBAN DE89 3704 0044 0532 0130 00 bitte", [("IBAN", "DE89 3704 0044 0532 0130 00")]),
        ("账户GB82WEST12345698765432谢谢", [("IBAN", "GB82WEST12345698765432")]),
        ("gb82 west 1234 5698 7654 32", [("IBAN", "gb82 west 1234 5698 7654 32")]),
    ],
)
def test_checked_numbers(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "单号110105491231002",
        "order 710-31-0236",
        "000-31-0236 666-31-0236 910-31-0236 710-00-0236 710-31-0000",
        "订单号202405121234567890",
        "order 4111111111111111",
        "license U62928788557186",
        "DE88 3704 0044 0532 0130 00",
        "GB82WEST123456987654321",
        "in DE89 days",
    ],
)
def test_lookalikes(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("电话138-00-13-80-00，", "138-00-13-80-00"),
        ("打1 3 8 0 0 1 3 8 0 0 0", "1 3 8 0 0 1 3 8 0 0 0"),
        ("138.0013.8000", "138.0013.8000"),
        ("一三八零零一三八零零零", "一三八零零一三八零零零"),
        ("我的手机幺三八00幺三八000哈", "幺三八00幺三八000"),
        ("座机010-12345678在", "010-12345678"),
        ("固话零七五五一二三四五六七八", "零七五五一二三四五六七八"),
        ("my number is 00442079460958", "00442079460958"),
        ("Tel+442079460958", "+442079460958"),
        ("（+33 6 12 34 56 78）", "+33 6 12 34 56 78"),
        ("please call me at (888) 555-0123", "(888) 555-0123"),
        ("655 437 108 office", "655 437 108"),
    ],
)
def test_telephone_numbers(text: str, number: str) -> None:
    assert found(text) == [("PHONE", number)]


@pytest.mark.parametrize(
    "text",
    [
        "打400-820-8820或者800-820-8820",
        "客服电话4008208820",
        "purchase 3707955617",
        "i bought 3707955617",
        "SF1380013800012 and JD13800138000",
        "价格15.000.000.000",
        "address 41.176.181.243 blocked",
        "call me about 94727916",
        "一二三四五六七八九十",
        "pages 1 2 3 4 5 6 7 8 9 10 11",
        "+999 12345678",
    ],
)
def test_what_is_no_telephone_number(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_regions_numbers_are_in_its_plan(region: str) -> None:
    """As the library writes them for callers in the country; it takes them for valid as well."""
    for kind in KINDS:
        example = phonenumbers.example_number_for_type(region, kind)
        if example is not None:
            written = phonenumbers.format_number(example, PhoneNumberFormat.NATIONAL)
            assert is_national("".join(char for char in written if char.isdigit()), region), written


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_regions_numbers_are_found_with_a_country_code(region: str) -> None:
    for kind in KINDS:
        example = phonenumbers.example_number_for_type(region, kind)
        if example is not None and len(phonenumbers.national_significant_number(example)) >= 6:
            number = phonenumbers.format_number(example, PhoneNumberFormat.INTERNATIONAL)
            assert found(f"请打{number}找我") == [("PHONE", number)]


def test_a_number_of_a_region_that_is_not_configured_is_left_alone() -> None:
    assert find_pii("see 030 1234567", PiiOptions(regions=("US",))) == ()
    assert [f.kind for f in find_pii("see 030 1234567", PiiOptions(regions=("DE",)))] == [PiiKind.PHONE]


def test_numerals_and_digits_of_one_number_agree() -> None:
    assert canonical(PiiKind.PHONE, "一三八零零一三八零零零") == canonical(PiiKind.PHONE, "13800138000")
    assert canonical(PiiKind.IBAN, "de89 3704 0044 0532 0130 00") == "DE89370400440532013000"
