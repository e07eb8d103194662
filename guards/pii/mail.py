"""E-mail addresses, also written out so that no @ gives them away.

Forms with words count only where they are certain: a bracketed [at], an ending such as "dot com" after words that speak
of mail, or 艾特. "Look at example dot com" is none.
"""

from __future__ import annotations

import re

from guards.pii.kinds import Span, blanked, disjoint

_LATIN = "a-z0-9\u00df-\u00f6\u00f8-\u00ff\u0100-\u024f"
_HAN = "\u4e00-\u9fff"
#: RFC 5321 lengths: 64 before the @, 255 after it. Letters with marks (RFC 6531) belong to it, Chinese ones do not:
#: they stand directly beside addresses.
_LOCAL_CHARS = re.compile(rf"[{_LATIN}._%+\-]", re.I)
_MAX_LOCAL_CHARS = 64
_AT_DOMAIN = re.compile(
    rf"@(?:(?:[{_LATIN}][{_LATIN}\-]{{0,62}}\.){{1,8}}[a-z]{{2,24}}(?![a-z0-9])|[{_HAN}{_LATIN}]{{1,20}}\.(?:中国|公司|网络|商城|网址))",
    re.I,
)
_TOP = "com|net|org|edu|gov|info|biz|io|me|co|cn|hk|tw|uk|us|de|fr|es|it|nl|ca|au|jp|eu"
_LOCAL = r"(?<![a-z0-9_.%+\-])(?P<local>[a-z0-9._%+\-]{1,64})"
_DOT = r"(?:\s?[\[({<]\s?(?:dot|点)\s?[\])}>]\s?|\s?点\s?|\s{1,2}dot\s{1,2}|\s?\.\s?)"
_DOMAIN = rf"(?:[a-z0-9][a-z0-9\-]{{0,30}}{_DOT}){{1,3}}(?:{_TOP})(?![a-z0-9])"
_BRACKETED = re.compile(rf"{_LOCAL}\s?[\[({{<]\s?(?:at|@|艾特)\s?[\])}}>]\s?{_DOMAIN}", re.I | re.ASCII)
_CHINESE_AT = re.compile(rf"{_LOCAL}\s?艾特\s?{_DOMAIN}", re.I | re.ASCII)
_SPOKEN = re.compile(rf"{_LOCAL}\s{{0,2}}(?:@|\bat\b)\s{{0,2}}{_DOMAIN}", re.I | re.ASCII)
#: Without one of these nothing is written out.
_WRITTEN_OUT = (
    " dot ",
    "艾特",
    "[at",
    "(at",
    "{at",
    "<at",
    "[@",
    "(@",
    "( at",
    "[ at",
    " @",
    "@ ",
    "点com",
    "点 com",
    "点cn",
)
_SPEAKS_OF_MAIL = re.compile(r"(?:\be-?mail|\bmail\b|\bwrite\b|\breach\b|\bcontact\b|邮箱|邮件)[^\x00]{0,40}$", re.I)
_REACH_CHARS = 56
_NO_LOCAL = frozenset(
    ("me", "us", "you", "it", "is", "look", "them", "him", "her", "address", "email", "mail", "support")
)


def emails(text: str) -> list[Span]:
    """E-mail addresses."""
    spans = []
    for match in _AT_DOMAIN.finditer(text):
        start = _local_start(text, match.start())
        if start is not None:
            spans.append((start, match.end()))
    lower = text.lower()
    if any(sign in lower for sign in _WRITTEN_OUT):
        rest = blanked(text, disjoint(spans))
        for pattern in (_BRACKETED, _CHINESE_AT):
            spans += [m.span() for m in pattern.finditer(rest)]
        spans += [m.span() for m in _SPOKEN.finditer(rest) if _is_certain(m)]
    return disjoint(spans)


def _local_start(text: str, at: int) -> int | None:
    """Where the part before the @ begins; None if there is none, or one that is too long."""
    start = at
    while start and at - start <= _MAX_LOCAL_CHARS and _LOCAL_CHARS.match(text, start - 1):
        start -= 1
    return start if 0 < at - start <= _MAX_LOCAL_CHARS else None


def _is_certain(match: re.Match[str]) -> bool:
    if match["local"].lower() in _NO_LOCAL:
        return False
    before = match.string[max(0, match.start() - _REACH_CHARS) : match.start()]
    return _SPEAKS_OF_MAIL.search(before) is not None
