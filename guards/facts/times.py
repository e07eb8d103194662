"""Times of day and opening hours: 9:00, 9 am, 下午6点, 24/7."""

from __future__ import annotations

import re

from guards.facts.claim import Claim, FactKind, claim, numbers
from guards.facts.numerals import CHINESE, read_chinese

_HALF_DAY, _DAY = 720, 1440
_MERIDIEM = r"(?:\s?(?P<{0}>[ap])\.?\s?m(?:\.|(?![a-z])))"
_TO = r"\s?(?:-|–|—|~|to|until|till|and|至|到)\s?"
_CLOCK = re.compile(
    rf"(?<![\w$€£¥])(?<!\d[:.,])(?:(?P<from>\d{{1,2}}){_TO})?"
    rf"(?:(?P<h>[01]?\d|2[0-4]):(?P<m>[0-5]\d)(?::[0-5]\d)?(?!\d){_MERIDIEM.format('x')}?"
    rf"|(?P<h2>1[0-2]|0?[1-9])(?:\.(?P<m2>[0-5]\d))?{_MERIDIEM.format('x2')}"
    rf"|(?P<h3>[01]?\d|2[0-4])\s?(?:o'clock|o’clock|uhr)(?![a-z]))",
    re.IGNORECASE | re.ASCII,
)
_PERIOD = r"凌晨|清晨|早上|早晨|早|上午|中午|下午|午后|傍晚|晚上|夜间|夜里|晚"
_HAN_CLOCK = re.compile(
    rf"(?P<p>{_PERIOD})?\s?(?:(?P<h>\d{{1,2}})(?::(?P<m>[0-5]\d)|\s?(?:点|时(?![间候尚段长效刻]))(?P<half>半|整|钟|一刻|三刻|\s?[0-5]?\d分?)?)"
    rf"|(?P<w>{CHINESE})点(?P<half2>半|整|钟|一刻|三刻)?)"
)
#: What is counted in 点 without being a time: 以下3点建议.
_POINTS_BEFORE = re.compile(r"(?:以下|如下|下面|这|有|注意|几)\s?$")
_POINTS_AFTER = re.compile(r"(?:建议|原因|说明|注意|要求|内容|事项|提示|意见|方面|:)")
_QUARTERS = {"半": 30, "整": 0, "钟": 0, "一刻": 15, "三刻": 45}
_AFTERNOON = ("下午", "午后", "傍晚", "晚上", "夜里", "晚")

_ALWAYS = re.compile(
    r"(?<![\w.])24\s?[/x×*]\s?7(?![\w.]\d)|(?<!\w)7\s?[/x×*]\s?24(?:\s?(?:小时|hours?))?"
    r"|24[ \-]hours?(?:,? (?:a|per|every|each) day)?,? ?(?:and |/)?(?:7|seven) days (?:a|per) week"
    r"|twenty[- ]four[- ]seven|a?round[- ]the[- ]clock|全天候|全天\s?24\s?小时"
    r"|24\s?小时(?=.{0,2}(?:在线|客服|服务|营业|热线|全天|人工|值班|接听|不打烊))",
    re.IGNORECASE,
)
_DAILY = re.compile(r"(?:7|seven) days (?:a|per) week|全年无休", re.IGNORECASE)


def times(text: str) -> list[Claim]:
    """Times of day, and "always open"."""
    found: list[Claim] = []
    taken = bytearray(len(text))
    for form, read in ((_ALWAYS, _always), (_DAILY, _daily), (_CLOCK, _clock), (_HAN_CLOCK, _han_clock)):
        for match in form.finditer(text):
            if not any(taken[match.start() : match.end()]) and (claims := read(match)):
                found += claims
                taken[match.start() : match.end()] = b"\x01" * (match.end() - match.start())
    return sorted(found, key=lambda one: one.start)


def _always(match: re.Match[str]) -> list[Claim]:
    durations = frozenset((FactKind.DURATION, value) for value in ("86400 s", "604800 s"))
    return [claim(FactKind.TIME, match.span(), ["always"], ["always", "daily"], numbers(("24", "7")) | durations)]


def _daily(match: re.Match[str]) -> list[Claim]:
    return [claim(FactKind.TIME, match.span(), ["daily"], ["daily"], numbers("7"))]


def _clock(match: re.Match[str]) -> list[Claim]:
    """One time, or two: "9 to 6 pm" has both ends."""
    hour = int(match["h"] or match["h2"] or match["h3"])
    minute = int(match["m"] or match["m2"] or 0)
    letter = (match["x"] or match["x2"] or ("a" if (match["h"] or "").startswith("0") else "")).lower()
    found = []
    if match["from"]:
        first = int(match["from"])
        found += [_time(match.span("from"), first, 0, "")] if first <= 24 else []
    start = match.end("from") if match["from"] else match.start()
    return [*found, _time((start, match.end()), hour, minute, letter)]


def _han_clock(match: re.Match[str]) -> list[Claim]:
    text = match.string
    period = match["p"] or ""
    after = match["half"] or match["half2"] or ""
    if match["m"] is None:
        before = text[max(0, match.start() - 4) : match.start()]
        points = _POINTS_BEFORE.search(before) or (not after and _POINTS_AFTER.match(text, match.end()))
        if not period and not after and (points or match["w"]):
            return []
    elif not period:
        return []
    hour = int(match["h"]) if match["h"] else max(int(float(value)) for value in read_chinese(match["w"]))
    minute = int(match["m"]) if match["m"] else _QUARTERS.get(after, 0)
    if not match["m"] and after and after not in _QUARTERS:
        minute = int("".join(char for char in after if char.isdigit()))
    if hour > 24 or minute > 59:
        return []
    letter = "p" if period in _AFTERNOON else "a" if period and period not in ("中午", "夜间") else ""
    return [_time(match.span(), hour, minute, letter)]


def _time(span: tuple[int, int], hour: int, minute: int, letter: str) -> Claim:
    """A time; without morning or afternoon an hour up to 12 may be either."""
    if letter and hour <= 12:
        hours = {hour % 12 + (12 if letter == "p" else 0)}
    elif 0 < hour <= 12:
        hours = {hour, hour + 12}
    else:
        hours = {hour}
    values = {str((60 * value + minute) % _DAY) for value in hours}
    parts = {str(hour), str(hour % 12 or 12), str(minute)} if minute else {str(hour), str(hour % 12 or 12)}
    return claim(FactKind.TIME, span, values, values, numbers(parts))


def as_times(hour: int) -> frozenset[tuple[FactKind, str]]:
    """What a bare hour in "9 to 6" gives where it is trusted."""
    return (
        frozenset((FactKind.TIME, str(60 * value % _DAY)) for value in (hour, hour + 12)) if hour <= 24 else frozenset()
    )
