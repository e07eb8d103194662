"""Chinese postal addresses: a road with a number, or a building with a number behind a place.

Found: 广东省深圳市南山区科技路12号3栋502室, 中山路12号, 阳光花园3栋2单元501, and a province and district with what
follows them behind 地址. Not found: a district alone, a place without a number that nothing calls an address.
An address takes at most ``MAX_CHARS``. Where nothing but words stands before a road's name, the name may be cut or
taken too long.
"""

from __future__ import annotations

import re

from guards.pii.kinds import Span, disjoint

MAX_CHARS = 80

_HAN = "\u4e00-\u9fff"
_NUMERALS = "一二三四五六七八九十百"
_NUMBER = rf"(?:\d{{1,5}}|[{_NUMERALS}]{{1,5}})"
_PROVINCES = (
    "北京|天津|上海|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西"
    "|甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
#: A house on a road, or a numbered part of a building or an estate.
_HOUSE = rf"(?:路|街|大道|巷|弄|胡同|马路|道)(?:[东西南北中]?段)?{_NUMBER}(?:-\d{{1,4}})?(?:号|弄)(?!线|店员)"
_PART = rf"{_NUMBER}(?:号楼|栋|幢|单元|座)|[A-Za-z]\d?(?:座|栋|幢)"
#: One pattern begins with plain characters, the other is only tried where a building's word is: both skip quickly.
_ON_ROAD = re.compile(rf"{_HOUSE}|(?:小区|花园|公寓|大厦|广场|家园|新村|苑|园|府|城|庭|湾|里|村)[A-Za-z]?(?:{_PART})")
_IN_BUILDING = re.compile(
    rf"[\dA-Za-z{_NUMERALS}](?<![\dA-Za-z].)(?:(?<=[A-Za-z])\d?|[\d{_NUMERALS}]{{0,4}})(?:号楼|栋|幢|单元|座)\d{{2,4}}(?:室|房|号|户)?(?!\d)"
)
_BUILDING = re.compile("栋|幢|座|单元|号楼")
_TAIL = re.compile(
    rf"(?:[ ,，]?(?:{_PART}|{_NUMBER}(?:层|楼|室|房|户|号|弄|组)"
    rf"|\d{{1,5}}(?:-\d{{1,5}}){{1,3}}(?!\d)|[A-Za-z]?\d{{2,5}}(?!\d)"
    rf"|[{_HAN}]{{1,10}}(?:小区|花园|公寓|大厦|广场|家园|新村|科技园|校区|中心|苑|栋)(?:[A-Za-z](?:座|栋))?)){{1,8}}"
)
#: What is called an address and holds two levels of places.
_CALLED = re.compile(
    rf"(?:地址|住址|住在|寄到|寄往|寄至|送到|送至|发到|发往|家住)(?:改成|改为|换成|更新为|变更为|是|为|在|:|：|\s){{0,3}}"
    rf"((?:(?:{_PROVINCES})(?:省|市)?|[{_HAN}]{{2,6}}?[省市])[{_HAN}]{{1,8}}?[市区县](?:[{_HAN}A-Za-z0-9#\-]{{0,40}}))"
)
_PLACE = re.compile(rf"(?:{_PROVINCES})|[{_HAN}]{{2,3}}(?:市|区|县)")
_LEAD_WORDS = re.compile(
    r"地址|住址|寄到|寄往|寄至|送到|送至|送去|发到|发往|改成|改为|换成|更新为|住|在|是|到|为|去|给|往|我家|我们|请|把|从|和|的|了|就|写|成|叫|与"
)
_BEFORE = re.compile(rf"[{_HAN}A-Za-z0-9]{{1,40}}\Z")
_NO_ROAD = re.compile(r"(?:这条|那条|哪条|一|半|网|线|思|出|走|赶|顺|两|几|同|知|味|难|报|频|渠|通)\Z")
_STOP = re.compile(r"[，,。!?！？]|谢谢|麻烦|请|可以|能不能|电话|手机|收件|邮编|，?联系")


def addresses_zh(text: str) -> list[Span]:
    """Chinese postal addresses in a normalised text."""
    spans: list[Span] = []
    if text.isascii():
        return spans
    patterns = (_ON_ROAD, _IN_BUILDING) if _BUILDING.search(text) else (_ON_ROAD,)
    cores = disjoint(core.span() for pattern in patterns for core in pattern.finditer(text))
    at = 0
    for first, last in cores:
        if first < at:
            continue
        start = _start(text, first, floor=spans[-1][1] if spans else 0)
        if start is None:
            continue
        limit = min(len(text), start + MAX_CHARS)
        tail = _TAIL.match(text, last, limit)
        spans.append((start, min(limit, tail.end() if tail else last)))
        at = spans[-1][1]
    for called in _CALLED.finditer(text):
        stop = _STOP.search(called.group(1))
        start = called.start(1)
        spans.append((start, start + (stop.start() if stop and stop.start() else len(called.group(1)))))
    return disjoint(spans)


def _start(text: str, core: int, floor: int) -> int | None:
    """Where the address begins whose road or building is named up to ``core``; None if nothing names it."""
    match = _BEFORE.search(text, max(floor, core - 40), core)
    if match is None:
        return None
    before = match.group()
    words = [word.end() for word in _LEAD_WORDS.finditer(before)]
    place = _PLACE.search(before)
    cut = max((end for end in words if place is None or end <= place.start()), default=0)
    if place is None:
        cut = max(words, default=0)
    elif cut == 0:
        province = re.search(_PROVINCES, before)
        cut = province.start() if province else 0
    name = before[cut:]
    if len(name) < 2 or _NO_ROAD.search(name) or not re.search(f"[{_HAN}]", name):
        return None
    return core - len(name)
