"""What stands open at the end of a text that is still growing, and may yet become personal data.

A stream holds back what begins here. Nothing is held for longer than its kind's cap: 320 characters for an e-mail
address, 160 for a postal address, 80 for a Chinese one, 64 for a number. A sentence that has ended holds nothing but a
number: no address goes on behind a full stop that is not that of "St." or an initial.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from guards.pii.addresses import MAX_CHARS, addresses
from guards.pii.kinds import PiiKind, PiiOptions
from guards.pii.spelled import NUMERALS
from guards.pii.streets import BEFORE_NAME, STREET_ENDINGS, UNITS

_EMAIL_CHARS = 320
_NUMBER_CHARS = 64
_NAME_CHARS = 160
_ADDRESS_ZH_CHARS = 80

_IN_EMAIL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.%+-@")
_IN_NUMBER = frozenset("0123456789 +()./-\u2010\u2011\u2012\u2013\u2014\u2015\u00b7_*xX" + NUMERALS)
_OPENS_NUMBER = re.compile(rf"[\d+({NUMERALS}]", re.ASCII)
#: An extension or a word such as "office" behind a number.
_AFTER_NUMBER = re.compile(r"[\s\-(]{0,4}[A-Za-z手机座办公]{1,9}\.?\s?\d{0,6}\Z")
_SPOKEN = re.compile(
    r"(?:[\[({<@]|艾|\s(?:a|at|at\s[^\n!?。]{0,100})\Z)[^\n!?。]{0,100}\Z|\s\Z",
    re.I,
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[ -]?\d(?:[ -]?[A-Za-z0-9]){0,34}[ -]?\Z", re.ASCII)
_IBAN_CHARS = 72

#: A sentence's end; the full stop of an abbreviation or an initial is none.
_STOP = re.compile(r"[!?。！？；;…\n]|\.(?=\s)")
_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Z]|St|Mr|Ms|Dr|Mrs|Mme|Prof|Ave|Rd|ul|Apt|apt|Ste|st|mr|mrs|Blvd|P\.O|Ft|Mt|No|Bldg|Rm|Fl|Ln|Ct|Pl|Sq)|tr)$"
)
_ADDRESS_START = re.compile(
    rf"#?\d|(?<![A-Za-z])(?:{UNITS}|P\.?\s?O|PSC|CMR|Postfach|Apartado|APO|FPO|DPO|{'|'.join(sorted(BEFORE_NAME))})\b"
    rf"|\b\w{{1,30}}(?:{STREET_ENDINGS})\b\.?"
    r"|(?:(?<=\bto )|(?<=\bis )|(?<=\bat )|(?<=\bon )|(?<=[sS] )|(?<=[:=-] )|(?<=[:=-]))[A-Z]",
    re.I,
)
_GROWS = re.compile(r"[,\s]{0,4}(?:\w[\w'’.\-]{0,24}[,\s]{0,4}){0,6}\Z")
_NAME = re.compile(
    r"(?:name|recipient|addressee|consignee|holder|beneficiary|attn|\bme\b|\bm[rsx]\b|\bmrs|\bmiss|mister|\bdr\b|\bprof|\bmme"
    r"|herr|frau|\bI['’]m|\bI am|\bthis is)[^\n!?。]{0,110}\Z",
    re.I,
)
_NAME_NEXT_LINE = re.compile(
    r"(?:name|regards|sincerely|faithfully|wishes|the best|truly|cheers)[^\n]{0,12}\n[^\n]{0,80}\Z", re.I
)
_NAME_ZH = re.compile(
    r"(?:我叫|名叫|人叫|名字|姓名|件人|货人|联系人|户名|持卡人|开户|请人|保人|姓)[^\n。！？，,]{0,60}\Z"
)


def pending(text: str, options: PiiOptions) -> int:
    """Index before which nothing begins that more text would make personal data of another extent."""
    kinds = set(options.kinds)
    starts = [len(text)]
    if PiiKind.EMAIL in kinds:
        starts += [_open_email(text), _open_spoken_email(text)]
    if PiiKind.IBAN in kinds:
        starts.append(_first(_IBAN, text, _IBAN_CHARS))
    if kinds & {PiiKind.ID, PiiKind.CARD, PiiKind.PHONE}:
        starts.append(_open_number(text))
    if PiiKind.ADDRESS in kinds:
        starts += [_open_address(text), _open_chinese_address(text)]
    if PiiKind.NAME in kinds:
        starts += [_first(pattern, text, _NAME_CHARS) for pattern in (_NAME, _NAME_NEXT_LINE, _NAME_ZH)]
        starts.append(_back(text, len(text), _is_han, 6))
    return min(starts)


def _first(pattern: re.Pattern[str], text: str, reach: int) -> int:
    """Where the longest match begins that ends at the end of the text, looked for in its last characters only."""
    match = pattern.search(text, max(0, len(text) - reach))
    return match.start() if match else len(text)


def _back(text: str, end: int, belongs: Callable[[str], bool], most: int) -> int:
    """Where the run of characters begins that ends at ``end``, ``most`` characters at most."""
    floor = max(0, end - most)
    while end > floor and belongs(text[end - 1]):
        end -= 1
    return end


def _open_email(text: str) -> int:
    return _back(text, len(text), _in_email, _EMAIL_CHARS)


def _open_spoken_email(text: str) -> int:
    """The word before an "at", a bracket or a space that stands open."""
    at = _first(_SPOKEN, text, _NAME_CHARS)
    while at and text[at - 1] in " \t":
        at -= 1
    return _back(text, at, _in_email, 64) if at < len(text) else at


def _open_number(text: str) -> int:
    """The digits and what may stand between them, with a word behind them."""
    after = _AFTER_NUMBER.search(text, max(0, len(text) - 24))
    ends = [len(text)]
    if after is not None and text[after.start() - 1 : after.start()] not in (".", ""):
        ends.append(after.start())
    start = min(_back(text, end, _IN_NUMBER.__contains__, _NUMBER_CHARS) for end in ends)
    opening = _OPENS_NUMBER.search(text, start)
    return opening.start() if opening else len(text)


def _open_address(text: str) -> int:
    """Where a Western address begins that may go on: in the sentence that has not ended, or touches the end."""
    floor = max(0, len(text) - MAX_CHARS)
    begin = floor
    for stop in _STOP.finditer(text, floor):
        if stop.group() != "." or not _ABBREVIATION.search(text, max(floor, stop.start() - 5), stop.start()):
            begin = stop.end()
    match = _ADDRESS_START.search(text, begin)
    start = match.start() if match else len(text)
    for first, last in addresses(text[floor:]):
        if _GROWS.fullmatch(text, floor + last):
            start = min(start, floor + first)
    return start


def _open_chinese_address(text: str) -> int:
    """The first Chinese character of the run at the end that an address may consist of."""
    start = _back(text, len(text), _in_chinese_address, _ADDRESS_ZH_CHARS)
    return next((at for at in range(start, len(text)) if _is_han(text[at])), len(text))


def _in_email(char: str) -> bool:
    return char in _IN_EMAIL or "\u00df" <= char <= "\u024f"


def _is_han(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff" or char == "\u00b7"


def _in_chinese_address(char: str) -> bool:
    return _is_han(char) or char in "#-()，, " or (char.isascii() and char.isalnum())
