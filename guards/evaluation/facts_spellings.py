"""How people write one fact in several ways: the spellings that the fact guard's own test suite is made of.

Written apart from ``guards.facts``, which has to read them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from guards.language import Language

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_HAN = "零一二三四五六七八九"
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_HOSTS = ("cornershop.com", "shop.example.com", "northwind-store.de", "meilidian.cn", "help.teahouse.shop")
_PAGES = ("returns", "refunds/status", "track", "delivery", "account/orders", "faq?topic=fees", "invoices", "warranty")
_BOXES = ("help", "support", "service", "returns", "info", "billing")


@dataclass(frozen=True, slots=True)
class Spellings:
    """One fact: its kind, ways to write it per language, and the numbers that make it up where there are several."""

    kind: str
    ways: Mapping[Language, tuple[str, ...]]
    parts: frozenset[int] = frozenset()


def _english(number: int) -> str:
    """0 to 99."""
    if number < 20:
        return _ONES[number]
    tens, one = divmod(number, 10)
    return _TENS[tens] + (f"-{_ONES[one]}" if one else "")


def _chinese(number: int) -> str:
    """0 to 99."""
    tens, one = divmod(number, 10)
    if not tens:
        return _HAN[one]
    return ("" if tens == 1 else _HAN[tens]) + "十" + (_HAN[one] if one else "")


def _wide(text: str) -> str:
    """With full-width digits."""
    return text.translate({ord("0") + value: 0xFF10 + value for value in range(10)})


def _amount(random: Random) -> Spellings:
    value = random.choice((random.randint(2, 99), random.randint(100, 9999)))
    if random.random() < 0.5:
        en: tuple[str, ...] = (f"${value:,}", f"${value:,}.00", f"{value} dollars", f"USD {value}", f"US${value:,}.00")
    else:
        en = (
            f"€{value:,}.00",
            f"{value:,}".replace(",", ".") + ",00 €",
            f"{value} euros",
            f"EUR {value}",
            f"{value} €",
        )
    if value < 100 and "$" in en[0]:
        en += (f"{_english(value)} dollars",)
    zh = (f"{value}元", f"￥{value}", f"¥{value}.00", f"{value:,}元", f"人民币{value}元", _wide(f"{value}元"))
    return Spellings("amount", {"en": en, "zh": (*zh, f"{_chinese(value)}元") if value < 100 else zh})


def _cents(random: Random) -> Spellings:
    value = f"{random.randint(0, 60)}.{random.randint(1, 99):02}"
    return Spellings(
        "amount", {"en": (f"${value}", f"{value} dollars", f"$ {value}"), "zh": (f"{value}元", f"¥{value}")}
    )


def _date(random: Random) -> Spellings:
    day = date(2024, 1, 1) + timedelta(days=random.randrange(1000))
    month = _MONTHS[day.month - 1]
    en: tuple[str, ...] = (
        day.isoformat(),
        f"{month} {day.day}, {day.year}",
        f"{day.day} {month} {day.year}",
        f"{month[:3]} {day.day}",
    )
    en += (f"{month} {day.day}", f"{day.day} {month}", f"{day.year}/{day.month}/{day.day}")
    zh = (
        f"{day.year}年{day.month}月{day.day}日",
        f"{day.month}月{day.day}日",
        day.isoformat(),
        f"{day.month}月{day.day}号",
    )
    return Spellings("date", {"en": en, "zh": (*zh, _wide(zh[0]))})


def _work_days(random: Random) -> Spellings:
    low = random.randint(1, 20)
    high = low + random.randint(1, 9)
    a, b = _english(low), _english(high)
    en: tuple[str, ...] = (f"{low}-{high} business days", f"{low} to {high} business days", f"{a} to {b} business days")
    en += (f"between {low} and {high} working days", f"{low}–{high} business days")
    zh = (f"{low}-{high}个工作日", f"{low}到{high}个工作日", f"{_chinese(low)}至{_chinese(high)}个工作日")
    return Spellings("duration", {"en": en, "zh": (*zh, f"{low}～{high}个工作日")}, frozenset({low, high}))


def _days(random: Random) -> Spellings:
    count = random.randint(3, 90)
    en = (f"{count} days", f"{_english(count)} days", f"{count * 24} hours")
    return Spellings(
        "duration", {"en": en, "zh": (f"{count}天", f"{_chinese(count)}天", f"{count * 24}小时")}, frozenset({count})
    )


def _months(random: Random) -> Spellings:
    count = random.randint(2, 9)
    en = (f"{count} years", f"{_english(count)} years", f"{count * 12} months")
    return Spellings("duration", {"en": en, "zh": (f"{count}年", f"{count * 12}个月", f"{_HAN[count]}年")})


def _percentage(random: Random) -> Spellings:
    value = random.randint(2, 98)
    en = (f"{value}%", f"{value} %", f"{value} percent", f"{_english(value)} percent", f"{value} per cent")
    return Spellings("percentage", {"en": en, "zh": (f"{value}%", f"百分之{_chinese(value)}", f"{value}％")})


def _hours(random: Random) -> Spellings:
    opens, closes = random.randint(6, 11), random.randint(13, 22)
    en = (
        f"from {opens} am to {closes - 12} pm",
        f"from {opens:02}:00 to {closes}:00",
        f"between {opens}:00 a.m. and {closes - 12}:00 p.m.",
        f"{opens}am-{closes - 12}pm",
    )
    zh = (
        f"上午{opens}点到下午{closes - 12}点",
        f"{opens}:00-{closes}:00",
        f"{opens}点至{closes}点",
        f"早上{opens}：00到{closes}：00",
    )
    return Spellings("time", {"en": en, "zh": zh}, frozenset({opens % 12, closes % 12}))


def _order(random: Random) -> Spellings:
    number = str(random.randint(10_000, 99_999_999_999))
    en = (f"order {number}", f"order #{number}", f"order number {number}", f"order no. {number}")
    return Spellings("number", {"en": en, "zh": (f"订单{number}", f"订单号{number}", f"订单{_wide(number)}")})


def _code(random: Random) -> Spellings:
    year, number = random.randint(2020, 2029), random.randint(100, 99_999)
    en = (f"reference ORD-{year}-{number}", f"reference ORD{year}{number}", f"reference ord-{year}-{number}".upper())
    return Spellings("number", {"en": en, "zh": (f"单号ORD-{year}-{number}", f"单号ORD{year}{number}")})


def _url(random: Random) -> Spellings:
    address = f"{random.choice(_HOSTS)}/{random.choice(_PAGES)}-{random.randint(1, 999)}"
    ways = (f"https://{address}", f"https://www.{address}", address, f"www.{address}", f"http://{address}")
    return Spellings("url", {"en": (*ways, f"[this page](https://{address})"), "zh": ways})


def _phone(random: Random) -> Spellings:
    area, end = random.randint(201, 989), random.randint(1000, 9999)
    en = (
        f"+1 ({area}) 555-{end}",
        f"+1 {area}-555-{end}",
        f"({area}) 555-{end}",
        f"{area}-555-{end}",
        f"+1{area}555{end}",
    )
    service = random.randint(100, 999)
    return Spellings("phone", {"en": en, "zh": (f"400-{service}-{end}", f"400 {service} {end}", f"400{service}{end}")})


def _email(random: Random) -> Spellings:
    address = f"{random.choice(_BOXES)}{random.randint(1, 9999)}@{random.choice(_HOSTS)}"
    return Spellings("email", {"en": (address, address.capitalize(), f"<{address}>"), "zh": (address, address.upper())})


#: What a fact of a row is drawn from.
MAKERS: tuple[Callable[[Random], Spellings], ...] = (
    _amount,
    _cents,
    _date,
    _work_days,
    _days,
    _months,
    _percentage,
    _hours,
    _order,
    _code,
    _url,
    _phone,
    _email,
)
