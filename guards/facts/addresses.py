"""Where to turn: links, e-mail addresses and telephone numbers in a text."""

from __future__ import annotations

import re

from guards.facts.claim import Claim, FactKind, claim, numbers

#: Top-level domains after which a name without scheme and path is taken for a domain: those that are no words.
_DOMAINS = (
    "com|net|org|edu|gov|cn|io|ai|info|biz|shop|store|online|app|dev|eu|de|uk|fr|es|nl|jp|kr|hk|tw|sg|ca|au|xyz|top|site"
    "|tech|cc"
)
#: After these only with a path behind it: "log in.It is" is a missing space.
_WORDS = "co|me|us|it|in|is|to|so|at|be|no|am|my|tv|ly|link|page|help|support|club|live"
_PATH = r"[A-Za-z0-9\-._~:/?#\[\]@!$&()*+,;=%]{0,2048}"
_URL = re.compile(
    rf"[a-z][a-z0-9+\-]{{1,15}}://{_PATH}"
    rf"|(?<![A-Za-z0-9@._\-])(?:www\d?\.(?:[a-z0-9\-]{{1,63}}\.){{0,4}}[a-z]{{2,24}}"
    rf"|(?:[a-z0-9][a-z0-9\-]{{0,62}}\.){{1,5}}(?:(?:{_DOMAINS})|(?:{_WORDS})(?=/[a-z0-9])))(?![A-Za-z0-9\-]|\.[a-z]{{2}})"
    rf"(?:[:/?#]{_PATH})?",
    re.ASCII | re.IGNORECASE,
)
#: A link's target, which need not be a whole address: [here](/returns).
_TARGET = re.compile(r"\]\(\s?([^()\s\x00]{1,512})", re.ASCII)
_AFTER_URL = ".,;:!?)]}*_'\"("

#: RFC 5321 lengths: 64 before the @, 255 after it; a host without a top-level domain is no less invented.
_EMAIL = re.compile(
    r"(?<![a-z0-9.%+\-])[a-z0-9._%+\-]{1,64}@[a-z0-9](?:[a-z0-9.\-]{0,253}[a-z0-9])?", re.ASCII | re.IGNORECASE
)

_PHONE = re.compile(
    r"(?<![\w.,/#$€£¥\-])(?:\+\s?|00)?\(?\d{1,15}(?:(?:[ .\-]|\)[ \-]?| ?\()\d{2,8}){0,7}(?![\w%]|[.,]\d|:\d\d)",
    re.ASCII,
)
_CALLED = re.compile(
    r"(?:\b(?:call|phone|mobile|tel|telephone|whatsapp|dial|ring|fax|hotline|helpline)\b|电话|手机|致电|拨打|座机|传真|热线)"
    r"[^\d.!?。]{0,24}$",
    re.IGNORECASE,
)
_REACH_CHARS = 40
#: Digits of a telephone number (E.164 has 15 at most), and those by which two spellings of one agree.
_FEWEST, _MOST, _TELLING = 5, 15, 10
_YEARS = re.compile(r"(?:19|20)\d\d[ \-](?:19|20)\d\d")
_AREA = re.compile(r"(?:0\d{2,3}|[48]00)[ \-]\d{7,8}|1[3-9]\d[ \-]?\d{4}[ \-]?\d{4}")


def emails(text: str) -> list[Claim]:
    """E-mail addresses."""
    if "@" not in text:
        return []
    return [claim(FactKind.EMAIL, m.span(), [m.group().lower()], [m.group().lower()]) for m in _EMAIL.finditer(text)]


def urls(text: str) -> list[Claim]:
    """Links: with a scheme, with www, of a known top-level domain, or as a target in Markdown."""
    found = [m.span() for m in _URL.finditer(text)] if "." in text or "://" in text else []
    found += [m.span(1) for m in _TARGET.finditer(text) if not any(s < m.end(1) and m.start(1) < e for s, e in found)]
    trimmed = [(start, start + len(text[start:end].rstrip(_AFTER_URL))) for start, end in sorted(found)]
    return [_url(text, start, end) for start, end in trimmed if start < end]


def _url(text: str, start: int, end: int) -> Claim:
    """A link; where it is trusted, so is the shorter address that it begins with, down to its host."""
    address = re.sub(r"^[a-z0-9+\-]+://(?:www\d?\.)?|^www\d?\.", "", text[start:end].lower()).rstrip("/#")
    parts = re.split(r"(?=[/?#])", address)[:16]
    shorter = {"".join(parts[:count]).rstrip("/") for count in range(1, len(parts) + 1)}
    return claim(FactKind.URL, (start, end), [address], {address, *shorter})


def phones(text: str) -> list[Claim]:
    """Telephone numbers as they are grouped, led by a plus, or announced by a word; a bare run of digits is no more."""
    found = []
    for match in _PHONE.finditer(text):
        number = match.group()
        digits = "".join(char for char in number if char.isdigit())
        if _FEWEST <= len(digits) <= _MOST and _is_phone(number, len(digits), text, match.start()):
            spelling = digits.lstrip("0")[-_TELLING:]  # with and without the country's code
            unbroken = numbers({digits.lstrip("0") or "0", spelling or "0"})
            found.append(claim(FactKind.PHONE, match.span(), [spelling], [spelling], unbroken))
    return found


def _is_phone(number: str, digits: int, text: str, start: int) -> bool:
    if _YEARS.fullmatch(number):
        return False
    groups = len(re.findall(r"\d+", number))
    alike = len(set(re.findall(r"\D+", number))) == 1
    if number[0] in "+(" or (groups >= 3 and digits >= 9 and (alike or "(" in number)) or _AREA.fullmatch(number):
        return True
    return _CALLED.search(text[max(0, start - _REACH_CHARS) : start]) is not None
