"""Telephone numbers: a numbering plan has them, a + begins them, or the words before them call them so.

The hotlines of Chinese firms (400 and 800 numbers) are nobody's personal data and are left alone, and so are free and
premium numbers of the other regions, unless the text says that they are called. A bare run of digits is a number of the
customer's only if it begins with the trunk prefix 0 or has the form of a Chinese mobile number: of other such runs most
are order numbers.
"""

from __future__ import annotations

import re

from phonenumbers import (
    COUNTRY_CODE_TO_REGION_CODE,
    NumberParseException,
    is_valid_number,
    parse,
)

from guards.pii.checked import accepted
from guards.pii.kinds import PiiOptions, Span, blanked, disjoint
from guards.pii.plans import is_national
from guards.pii.words import GAP, REACH_CHARS, is_contact, is_reference

_MOBILE = re.compile(
    r"(?<!\d)(?<!\d[.,])(?:(?:\+|00)?86[ -]?)?1[3-9]\d(?:\d{8}|([ -])\d{4}\1\d{4})(?!\d|\.\d\d(?!\d))", re.ASCII
)
#: In other groups; one digit at a time, 3-4-4, 3-8, 7-4, 3-2-2-2-2 and the like are certain, thousands are not.
_SPACED_MOBILE = re.compile(
    rf"(?<!\d)(?<!\d[{GAP},])1[{GAP}]{{0,2}}[3-9](?:[{GAP}]{{0,2}}\d){{9}}(?![{GAP}]?\d)", re.ASCII
)
_MOBILE_GROUPS = frozenset(
    (
        (1,) * 11,
        (3, 4, 4),
        (3, 8),
        (7, 4),
        (3, 2, 2, 2, 2),
        (3, 4, 2, 2),
        (3, 3, 5),
        (3, 5, 3),
        (4, 3, 4),
        (5, 6),
        (3, 3, 3, 2),
    )
)
#: Letters that stand directly before a mobile number and make it another thing: a carrier's code, a type.
_CODE = re.compile(r"(?<![A-Za-z])(?!TEL|QQ|WX|VX|PH|MOB|SMS)[A-Z]{1,4}$")
_HOTLINE = re.compile(rf"(?<![\d+])(?<!\d[{GAP}])(?:\+?86[ -]?)?[48]00(?:[{GAP}]?\d){{7}}(?!\d|[{GAP}]\d)", re.ASCII)
_LIKE = re.compile(
    r"(?:(?<![\w$¥€£])|(?<![\d+])(?=\+))(?:\+|00)?\(?\+?\d[\d ().\-/]{5,24}\d"
    r"(?:\s?(?:x|ext\.?)\s?\d{1,6})?(?![\dA-Za-z])",
    re.ASCII,
)
#: No plan writes a number in more; what is in more is a list of numbers.
_MAX_GROUPS = 7
#: What stands between two numbers rather than in one: a range, a list.
_APART = re.compile(r" [-/] |  |/.*/")
#: Lengths of E.164 numbers with and without country code, for numbers that the text itself calls telephone numbers.
_LENGTHS = range(7, 16)
#: Dates, numbers below one with a decimal point, thousands with points, and IPv4 addresses.
_NO_PHONE = re.compile(
    r"(?<![\d.])0\.\d+|(?<![\d.])\d{1,3}(?:\.\d{3}){3,}(?![\d.])|(?<!\d)(?:(?:19|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\2(?:19|20)\d\d)(?!\d)"
    r"|(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?![\d.])",
    re.ASCII,
)
#: Where a number of seven digits or more may stand; the patterns above, slower by far, look at nothing else.
_STRETCH = re.compile(rf"[\d+(](?:[()/+{GAP}]{{0,4}}\d){{6,}}", re.ASCII)
#: What of the text around such a stretch counts: the words before it; an extension and a word behind it.
_BEFORE_CHARS = 2 * REACH_CHARS
_AFTER_CHARS = 24


def phones(text: str, options: PiiOptions) -> list[Span]:
    """Telephone numbers."""
    spans: list[Span] = []
    for stretch in _STRETCH.finditer(text):
        spans += _in_stretch(text, stretch.start(), min(len(text), stretch.end() + _AFTER_CHARS), options)
    return disjoint(spans)


def _in_stretch(text: str, start: int, end: int, options: PiiOptions) -> list[Span]:
    """The telephone numbers between two places; what is found, or is something else, is blanked for what comes next."""
    origin = max(0, start - _BEFORE_CHARS)
    rest = text[origin:end]
    at, limit = start - origin, end - origin
    spans = [m.span() for m in _MOBILE.finditer(rest, at, limit) if _is_mobile(m)]
    rest = blanked(rest, spans)
    rest = blanked(rest, disjoint(m.span() for m in _NO_PHONE.finditer(rest, at, limit)))
    spaced = accepted(_SPACED_MOBILE, rest, _has_mobile_groups, at, limit)
    spans += spaced
    rest = blanked(rest, spaced)
    if "CN" in options.regions:
        rest = blanked(rest, [m.span() for m in _HOTLINE.finditer(rest, at, limit)])
    for like in _LIKE.finditer(rest, at, limit):
        spans += _in_candidate(like, options.regions)
    return [(origin + first, origin + last) for first, last in spans]


def _is_mobile(match: re.Match[str]) -> bool:
    """Not with a carrier's code before it, nor an order number that begins with what may be a country code."""
    if _CODE.search(match.string, max(0, match.start() - 8), match.start()):
        return False
    return match.group()[0] in "+1" or not is_reference(match.string, match.start())


def _has_mobile_groups(match: re.Match[str]) -> bool:
    return tuple(len(group) for group in re.findall(r"\d+", match.group())) in _MOBILE_GROUPS


def _in_candidate(like: re.Match[str], regions: tuple[str, ...]) -> list[Span]:
    """The telephone numbers in one stretch of digits and what may stand between them."""
    start, end = like.span()
    if is_reference(like.string, start):
        return []
    number = like.group()
    if number[0] == "(" and ")" not in number:
        number, start = number[1:], start + 1
    main = re.split("[xe]", number, maxsplit=1)[0]
    digits = "".join(char for char in main if char.isdigit())
    named = _has_calling_code(digits) if "+" in main else is_contact(like.string, start, end)
    if named and len(digits) in _LENGTHS:
        return [(start, end)]
    if digits.startswith("00") and _is_international(digits[2:]):
        return [(start, end)]
    return [(start + first, start + last) for first, last in _national(main, regions)]


def _has_calling_code(digits: str) -> bool:
    return any(int(digits[:length]) in COUNTRY_CODE_TO_REGION_CODE for length in (1, 2, 3))


def _is_international(digits: str) -> bool:
    if not _has_calling_code(digits):
        return False
    try:
        return is_valid_number(parse("+" + digits))
    except NumberParseException:
        return False


def _national(number: str, regions: tuple[str, ...]) -> list[Span]:
    """Numbers of the regions' plans among the groups of digits, the longest first."""
    groups = [group.span() for group in re.finditer(r"\d+", number)]
    if len(groups) > _MAX_GROUPS:
        return []
    spans: list[Span] = []
    first = 0
    while first < len(groups):
        for last in range(len(groups), first, -1):
            begin, end = groups[first][0], groups[last - 1][1]
            begin -= number[:begin].endswith("(")
            if _is_written_national(number[begin:end], regions):
                spans.append((begin, end))
                first = last - 1
                break
        first += 1
    return spans


def _is_written_national(number: str, regions: tuple[str, ...]) -> bool:
    digits = "".join(char for char in number if char.isdigit())
    if len(digits) not in _LENGTHS or (number.isdigit() and digits[0] != "0") or _APART.search(number):
        return False
    return any(is_national(digits, region) for region in regions)
