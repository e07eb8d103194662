"""Reading numbers: digits with any country's separators, English and Chinese number words."""

from __future__ import annotations

import re
from decimal import Decimal

#: A number in digits, with separators inside.
DIGITS = r"\d+(?:[.,'’]\d+)*"

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
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_WORD_VALUES = {word: value for value, word in enumerate(_ONES)} | {
    word: 10 * (value + 2) for value, word in enumerate(_TENS)
}
_WORD_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_FIRST = "(?:" + "|".join(sorted(_WORD_VALUES, key=len, reverse=True)) + "|a (?:hundred|thousand|million))"
_NEXT = "(?:" + "|".join(sorted([*_WORD_VALUES, *_WORD_SCALES], key=len, reverse=True)) + ")"
#: English number words, lower case: "five", "twenty-four", "one hundred and fifty".
ENGLISH = rf"{_FIRST}(?![a-z])(?:(?: and |[ -]){_NEXT}(?![a-z])){{0,8}}"

_HAN_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_HAN_SCALES = {"十": 10, "百": 100, "千": 1000}
_HAN_MYRIADS = {"万": 10_000, "亿": 100_000_000}
#: Chinese number words; half only before a measure of time.
CHINESE = r"[零〇一二两三四五六七八九十百千万亿]{1,16}"

_GROUPS = re.compile(r"[.,'’]")
_MANY_DIGITS = 60


def plain(value: Decimal | int) -> str:
    """Canonical: no exponent, no trailing zeros, no separators."""
    text = format(Decimal(value), "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def times(value: str, factor: int) -> str:
    """The canonical product."""
    return plain(Decimal(value) * factor)


def read_digits(text: str) -> frozenset[str]:
    """What a ``DIGITS`` match may mean, canonical; two readings of ``1.299``, itself if it is no number (``1.2.3``)."""
    groups = _GROUPS.split(text)
    marks = _GROUPS.findall(text)
    if len(text) > _MANY_DIGITS:
        return frozenset({text})
    if not marks:
        return frozenset({_joined(text, "")})
    whole, last = groups[:-1], groups[-1]
    kinds = set(marks)
    if len(kinds) > 1:  # 1,299.00: the last one is the decimal sign
        return frozenset({_joined("".join(whole), last)}) if _grouped(whole) else frozenset({text})
    if len(marks) > 1 or marks[0] in "'’":
        return frozenset({_joined("".join(groups), "")}) if _grouped(groups) else frozenset({text})
    decimal = _joined(whole[0], last)
    if len(last) == 3 and len(whole[0]) <= 3 and whole[0] != "0":
        return frozenset({_joined(whole[0] + last, ""), decimal})
    return frozenset({decimal})


def _grouped(groups: list[str]) -> bool:
    """Whether these are groups of thousands; lakhs (1,00,000) count as well."""
    return len(groups[0]) <= 3 and len(groups[-1]) == 3 and all(len(group) in (2, 3) for group in groups[1:])


def _joined(whole: str, fraction: str) -> str:
    fraction = fraction.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{fraction}" if fraction else "")


def read_english(text: str) -> frozenset[str]:
    """What an ``ENGLISH`` match means."""
    total = current = 0
    for word in re.split("[ -]", text):
        if word in ("a", "and"):
            continue
        scale = _WORD_SCALES.get(word)
        if scale is None:
            current += _WORD_VALUES[word]
        elif scale == 100:
            current = max(current, 1) * scale
        else:
            total += max(current, 1) * scale
            current = 0
    return frozenset({plain(total + current)})


def read_chinese(text: str) -> frozenset[str]:
    """What a ``CHINESE`` match means; both numbers of 两三 (two or three)."""
    if all(char in _HAN_DIGITS for char in text):
        digits = [str(_HAN_DIGITS[char]) for char in text]
        if len(digits) == 2 and int(digits[1]) > int(digits[0]) > 0:
            return frozenset(digits)
        return frozenset({_joined("".join(digits), "")})
    total = section = current = 0
    for char in text:
        if char in _HAN_DIGITS:
            current = _HAN_DIGITS[char]
        elif char in _HAN_SCALES:
            section += max(current, 1) * _HAN_SCALES[char]
            current = 0
        else:
            total = (total + section + current or 1) * _HAN_MYRIADS[char]
            section = current = 0
    return frozenset({plain(total + section + current)})
