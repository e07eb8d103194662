r"""How each kind of personal data is recognised in a normalised text.

What is found holds a check digit or a numbering plan, or is called a telephone number by the words before it; names and
postal addresses are out of reach of such rules. Borders are "no digit beside it" rather than ``\b``, which does not
exist between a digit and a Chinese character.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from phonenumbers import Leniency, PhoneNumberMatcher


class PiiKind(StrEnum):
    """Kinds of personal data; the value is the word in a placeholder."""

    EMAIL = "EMAIL"
    ID = "ID"
    CARD = "CARD"
    PHONE = "PHONE"


@dataclass(frozen=True, slots=True)
class Finding:
    """Personal data at ``text[start:end]`` of the text as given."""

    kind: PiiKind
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class PiiOptions:
    """What to look for.

    Attributes:
        kinds: which kinds.
        regions: ISO 3166 codes; numbers are tried as national numbers of each. International ones (+…) always count.
    """

    kinds: tuple[PiiKind, ...] = tuple(PiiKind)
    regions: tuple[str, ...] = ("CN", "US", "GB")


DEFAULT = PiiOptions()

#: RFC 5321 lengths: 64 before the @, 255 after it.
_EMAIL = re.compile(
    r"(?<![\w.%+\-])[a-z0-9._%+\-]{1,64}@(?:[a-z0-9][a-z0-9\-]{0,62}\.){1,8}[a-z]{2,24}(?![a-z0-9])", re.ASCII | re.I
)
#: GB 11643-1999: region (6), birth date (8), sequence (3), check character.
_ID = re.compile(r"(?<!\d)[1-9]\d{5}((?:19|20)\d\d)(\d\d)(\d\d)\d{3}[\dXx](?![0-9A-Za-z])", re.ASCII)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"
#: ISO/IEC 7812: unbroken, or in the groups that are printed on cards (4-4-4-4, 4-6-5, 6-13); Maestro has 12.
_CARD = re.compile(
    r"(?<!\d)(?:[2-68]\d{12,18}|[2-68]\d{3}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{3})?|3\d{3}([ -])\d{6}\2\d{4,5}"
    r"|6\d{5}[ -]\d{13}|(?:1800|2131)\d{11}|(?:50[1-3]|5[6-8]\d|6[37]\d)\d{9})(?!\d)",
    re.ASCII,
)
_CN_MOBILE = re.compile(r"(?<!\d)(?<!\d[.,])(?:(?:\+|00)?86[ -]?)?1[3-9]\d(?:\d{8}|([ -])\d{4}\1\d{4})(?!\d)", re.ASCII)
_PHONE_LIKE = re.compile(
    r"(?<![\w$¥€£])(?:\+|00)?\(?\d[\d ().\-/]{5,24}\d(?:\s?(?:x|ext\.?)\s?\d{1,6})?(?![\dA-Za-z])", re.ASCII
)
#: Lengths of E.164 numbers with and without country code, for numbers that the text itself calls telephone numbers.
_PHONE_DIGITS = range(7, 16)
#: Dates, and numbers below one with a decimal point.
_NO_PHONE = re.compile(
    r"(?<![\d.])0\.\d+|(?<!\d)(?:(?:19|20)\d\d([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])([-/.])(?:0?[1-9]|[12]\d|3[01])\2(?:19|20)\d\d)(?!\d)",
    re.ASCII,
)
#: A number that the customer calls an order, an invoice or the like, just before it.
_REFERENCE = re.compile(
    r"(?:\b(?:order|invoice|tracking|reference|ref|case|ticket|parcel|booking|transaction|receipt)s?"
    r"|订单|单号|发票|运单|快递|流水|工单|案件|交易|编号)"
    r"(?:\s|number|no\b|num\b|nr\b|id\b|code|is\b|was\b|号码|号|编号|是|为|[#.:=,(\"'])*$",
    re.IGNORECASE,
)
#: Words before a number that make it a telephone number, whether or not a numbering plan has it.
_CONTACT = re.compile(
    r"(?:\b(?:call|phone|mobile|cell|desk|fax|tel|telephone|whatsapp|dial|ring|reach|answering)\b|电话|手机|致电|拨打|座机|传真)"
    r"[^\d.!?。]{0,20}$",
    re.IGNORECASE,
)
_WORDS_REACH_CHARS = 32

#: Fills what has been found: it belongs to no number and no address.
_BLANK = "~"


def search(text: str, options: PiiOptions) -> list[Finding]:
    """Findings in a normalised text. What one kind has taken, the next no longer sees."""
    found: list[Finding] = []
    rest = text
    for kind in PiiKind:
        if kind not in options.kinds:
            continue
        spans = _SEARCHES[kind](rest, options)
        found += [Finding(kind, start, end) for start, end in spans]
        rest = _blank(rest, spans)
    return sorted(found, key=lambda finding: finding.start)


def _blank(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text with the spans filled with a character that belongs to no number or address."""
    for start, end in spans:
        text = f"{text[:start]}{_BLANK * (end - start)}{text[end:]}"
    return text


def _emails(text: str, _options: PiiOptions) -> list[tuple[int, int]]:
    return [m.span() for m in _EMAIL.finditer(text)] if "@" in text else []


def _ids(text: str, _options: PiiOptions) -> list[tuple[int, int]]:
    return [m.span() for m in _ID.finditer(text) if _is_date(*m.groups()) and _checks_as_id(m.group())]


def _is_date(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _checks_as_id(number: str) -> bool:
    """ISO 7064 MOD 11-2 over the first 17 digits, as GB 11643-1999 writes it."""
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, number, strict=False))
    return _ID_CHECK[total % 11] == number[17].upper()


def _cards(text: str, _options: PiiOptions) -> list[tuple[int, int]]:
    return [m.span() for m in _CARD.finditer(text) if _checks_as_card(m.group())]


def _checks_as_card(number: str) -> bool:
    """Luhn's formula (ISO/IEC 7812-1, annex B)."""
    digits = [int(char) for char in reversed(number) if char.isdigit()]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0


def _phones(text: str, options: PiiOptions) -> list[tuple[int, int]]:
    """Chinese mobile numbers anywhere; others if a word or a numbering plan says so, and no order word does."""
    spans = [m.span() for m in _CN_MOBILE.finditer(text) if not _prefixed_order_number(m)]
    rest = _blank(text, [*spans, *(m.span() for m in _NO_PHONE.finditer(text))])
    for like in _PHONE_LIKE.finditer(rest):
        before = rest[max(0, like.start() - _WORDS_REACH_CHARS) : like.start()]
        if _REFERENCE.search(before):
            continue
        if (like.group()[0] == "+" or _CONTACT.search(before)) and _digits(like.group()) in _PHONE_DIGITS:
            spans.append(like.span())
        else:
            spans += _in_numbering_plan(like, options.regions)
    return sorted(spans)


def _prefixed_order_number(mobile: re.Match[str]) -> bool:
    """Whether only digits that may be a country code (86, 0086) and an order word before them stand there."""
    start = mobile.start()
    before = mobile.string[max(0, start - _WORDS_REACH_CHARS) : start]
    return mobile.group()[0] not in "+1" and _REFERENCE.search(before) is not None


def _digits(number: str) -> int:
    """How many digits a number has before its extension."""
    return sum(char.isdigit() for char in re.split("[xe]", number, maxsplit=1)[0])


def _in_numbering_plan(like: re.Match[str], regions: Iterable[str]) -> list[tuple[int, int]]:
    for region in regions:
        matches = PhoneNumberMatcher(like.group(), region, leniency=Leniency.VALID, max_tries=8)
        if spans := [(like.start() + m.start, like.start() + m.end) for m in matches]:
            return spans
    return []


_SEARCHES = {PiiKind.EMAIL: _emails, PiiKind.ID: _ids, PiiKind.CARD: _cards, PiiKind.PHONE: _phones}
