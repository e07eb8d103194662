"""Numbers that prove themselves by a check digit: identity numbers and payment cards.

What is not found: identity numbers of other countries than China and the United States, old Chinese numbers (15
digits, no check digit) that the text does not call such, and cards of issuers that are in no table and not
called cards.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from guards.pii.kinds import Span, disjoint
from guards.pii.words import GAP, is_card, is_identity, is_reference

#: GB 11643-1999: region (6), birth date (8), sequence (3), check character; and the 15 digits of before 1999. The
#: region begins with one of the codes of GB/T 2260.
_REGION = "(?:1[1-5]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71|8[123]|91)"
#: Where a number of eleven digits or more may stand; the patterns below, slower by far, look at nothing else.
_LONG = re.compile(rf"\d(?:[{GAP}]?[\dXx]){{10,}}", re.ASCII)
_ID = re.compile(rf"(?<!\d){_REGION}\d{{15}}[\dXx](?![0-9A-Za-z])", re.ASCII)
_OLD_ID = re.compile(rf"(?<!\d){_REGION}\d{{13}}(?![0-9A-Za-z])", re.ASCII)
_SPACED_ID = re.compile(
    rf"(?<!\d)(?<!\d[{GAP}])[1-9](?:[{GAP}]?\d){{16}}[{GAP}]?[\dXx](?![0-9A-Za-z]|[{GAP}]\d)", re.ASCII
)
_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECK = "10X98765432"
#: US Social Security numbers as they are written (20 CFR 422.103): no area 000, 666 or 9xx, no group 00, serial 0000.
_SSN = re.compile(
    r"\d{3}-\d\d-\d{4}(?![\d-])(?<![\d-]...........)(?<!000........)(?<!666........)(?<!9..........)(?<!00.....)(?<!0000)",
    re.ASCII,
)

#: Unbroken, or in the groups that are printed on cards (4-4-4-4, 4-6-5, 6-13), or digit by digit.
_CARD = re.compile(
    rf"(?<!\d)(?<!\d[.,])(?:[1-9]\d{{11,18}}|[1-9]\d{{3}}([{GAP}])\d{{4}}\1\d{{4}}\1\d{{4}}(?:\1\d{{1,3}})?"
    rf"|3\d{{3}}([{GAP}])\d{{6}}\2\d{{4,5}}|6\d{{5}}[ -]\d{{13}}|[1-9](?:([{GAP}])\d)(?:\3\d){{10,17}})(?!\d)",
    re.ASCII,
)
_LETTER_BEFORE = re.compile("[A-Za-z]$")
#: Issuer ranges and lengths of ISO/IEC 7812 cards as the networks publish them; but of 18 digits, which no
#: network in use has and Chinese identity numbers have, only what the text calls a card.
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|(?:5[1-5]\d\d|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}|3[47]\d{13}"
    r"|(?:62|81|82)(?:\d{14,15}|\d{17})|(?:6011|64[4-9]\d|65\d\d)(?:\d{12,13}|\d{15})|35(?:2[89]|[3-8]\d)(?:\d{12,13}|\d{15})|(?:1800|2131)\d{11}"
    r"|(?:30[0-5]|309|36\d|38\d|39\d)\d{11,16}|220[0-4]\d{12}|(?:50|5[6-8]|6\d)(?:\d{11,14}|\d{17})"
    r"|(?:50[1-3]|5[6-8]\d|6[37]\d)\d{9}",
    re.ASCII,
)


def ids(text: str) -> list[Span]:
    """Identity numbers."""
    spans: list[Span] = []
    for long in _LONG.finditer(text):
        end = long.end() + 3
        spans += [m.span() for m in _ID.finditer(text, long.start(), end) if _is_id(m.group())]
        spans += accepted(_SPACED_ID, text, lambda m: _is_id(_plain(m.group())), long.start(), end)
        old = _OLD_ID.finditer(text, long.start(), end)
        spans += [m.span() for m in old if _is_old_id(m.group()) and is_identity(text, m.start())]
    spans += [m.span() for m in _SSN.finditer(text) if not is_reference(text, m.start())]
    return disjoint(spans)


def cards(text: str) -> list[Span]:
    """Payment cards: a known issuer or the word for it, and Luhn's check digit.

    An unbroken number that is called an order is one: one in ten order numbers passes Luhn's formula.
    """
    found = (accepted(_CARD, text, _is_card, long.start(), long.end() + 1) for long in _LONG.finditer(text))
    return disjoint(span for spans in found for span in spans)


def accepted(
    pattern: re.Pattern[str], text: str, accept: Callable[[re.Match[str]], bool], at: int, end: int
) -> list[Span]:
    """Matches between ``at`` and ``end`` that are accepted; after another one the search goes on a character later."""
    spans: list[Span] = []
    while match := pattern.search(text, at, end):
        good = accept(match)
        if good:
            spans.append(match.span())
        at = match.end() if good else match.start() + 1
    return spans


def _plain(number: str) -> str:
    return "".join(char for char in number if char.isalnum())


def _is_id(number: str) -> bool:
    """ISO 7064 MOD 11-2 over the first 17 digits, as GB 11643-1999 writes it; a region, and a day that has been."""
    total = sum(weight * int(digit) for weight, digit in zip(_ID_WEIGHTS, number, strict=False))
    return (
        _ID_CHECK[total % 11] == number[17].upper()
        and re.match(_REGION, number) is not None
        and number[6:8] in ("18", "19", "20")
        and _is_date(number[6:10], number[10:12], number[12:14])
    )


def _is_old_id(number: str) -> bool:
    return _is_date("19" + number[6:8], number[8:10], number[10:12])


def _is_date(year: str, month: str, day: str) -> bool:
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _is_card(match: re.Match[str]) -> bool:
    number = match.group()
    digits = _plain(number).replace("_", "")
    if not _passes_luhn(digits):
        return False
    if is_card(match.string, match.start()):
        return True
    if _LETTER_BEFORE.search(match.string, max(0, match.start() - 1), match.start()):
        return False
    printed = match.group(1) is not None or match.group(2) is not None
    known = _ISSUERS.fullmatch(digits) is not None
    return known and (printed or not is_reference(match.string, match.start()))


def _passes_luhn(number: str) -> bool:
    """Luhn's formula (ISO/IEC 7812-1, annex B)."""
    digits = [int(char) for char in reversed(number)]
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0
