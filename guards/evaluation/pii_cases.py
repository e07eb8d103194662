"""Generated texts with numbers: real ones in every surrounding, and what looks like one and is none.

Identity numbers and telephone numbers beside Chinese text without a border, in full-width digits, spaced and in
numerals; against them order numbers of 18 digits, wrong check digits, dates, amounts, tracking numbers, card
lookalikes. What makes a number valid is computed here from the standards' definitions, not with the detector's code.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from guards.pii.kinds import PiiKind

_WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")
_NUMERALS = str.maketrans("0123456789", "零一二三四五六七八九")
_REGIONS = ("110105", "310115", "440305", "330106", "510104", "650102", "150402", "500101", "210211", "632801")
_MOBILE_STARTS = (
    "130",
    "135",
    "138",
    "139",
    "147",
    "150",
    "159",
    "166",
    "173",
    "177",
    "186",
    "188",
    "191",
    "198",
    "199",
)

Maker = Callable[[random.Random], str]


@dataclass(frozen=True, slots=True)
class PiiCase:
    """A generated text: all before, the number, all after.

    Attributes:
        text: the whole.
        start: where the number begins.
        end: where it ends.
        kind: what it is; None for a lookalike.
        source: which maker made it.
    """

    text: str
    start: int
    end: int
    kind: PiiKind | None
    source: str


def generate_pii_cases(count: int, seed: int = 1) -> list[PiiCase]:
    """``count`` cases, half of them lookalikes; the same for the same seed."""
    rng = random.Random(seed)
    return [_case(rng, lookalike=bool(number % 2)) for number in range(count)]


def _case(rng: random.Random, *, lookalike: bool) -> PiiCase:
    source, maker, kind = rng.choice(_LOOKALIKES if lookalike else _REAL)
    number = maker(rng)
    before, after = rng.choice(_AROUND_LOOKALIKES[source] if lookalike else _AROUND[kind or PiiKind.ID])
    return PiiCase(f"{before}{number}{after}", len(before), len(before) + len(number), kind, source)


def _digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


def _with_id_check(first_17: str) -> str:
    """ISO 7064 MOD 11-2 by its definition: read with weights 2**i from the right, the whole is 1 modulo 11."""
    for check in "0123456789X":
        values = [int(char) for char in first_17] + [10 if check == "X" else int(check)]
        if sum(value * 2**power for power, value in enumerate(reversed(values))) % 11 == 1:
            return first_17 + check
    raise AssertionError("every 17 digits have a check character")


def _with_luhn_check(first: str) -> str:
    """The digit with which doubling every second digit from the right gives a sum of 0 modulo 10."""
    total = 0
    for place, char in enumerate(reversed(first)):
        value = int(char) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return first + str(-total % 10)


def _id(rng: random.Random) -> str:
    born = date(1940, 1, 1) + timedelta(days=rng.randrange(28000))
    number = _with_id_check(f"{rng.choice(_REGIONS)}{born:%Y%m%d}{_digits(rng, 3)}")
    return number.lower() if rng.random() < 0.2 else number


def _wrong_id(rng: random.Random) -> str:
    number = _id(rng).upper()
    return number[:17] + rng.choice([char for char in "0123456789" if char != number[17]])


def _mobile(rng: random.Random) -> str:
    return rng.choice(_MOBILE_STARTS) + _digits(rng, 8)


def _grouped_mobile(rng: random.Random) -> str:
    number, gap = _mobile(rng), rng.choice(" -.")
    return gap.join((number[:3], number[3:7], number[7:]))


def _landline(rng: random.Random) -> str:
    return (
        rng.choice(("010", "021", "0755", "0571", "028", "0512"))
        + rng.choice(("-", " ", ""))
        + rng.choice("25678")
        + _digits(rng, 7)
    )


def _abroad(rng: random.Random) -> str:
    return rng.choice(
        ("+44 20 7946 0", "+1 212 555 0", "+49 30 1234 5", "+65 9123 4", "+852 5123 4", "+33 6 12 34 5")
    ) + _digits(rng, 3)


def _card(rng: random.Random) -> str:
    return _with_luhn_check(rng.choice(("4", "51", "55", "6222", "6217")).ljust(4, "3") + _digits(rng, 11))


def _wrong_card(rng: random.Random) -> str:
    number = _card(rng)
    return number[:-1] + str((int(number[-1]) + rng.randrange(1, 10)) % 10)


def _order_18(rng: random.Random) -> str:
    """Eighteen digits that begin with a day, as shops number their orders."""
    day = date(2022, 1, 1) + timedelta(days=rng.randrange(1400))
    return f"{day:%Y%m%d}{_digits(rng, 10)}"


def _day(rng: random.Random) -> str:
    day = date(2015, 1, 1) + timedelta(days=rng.randrange(4000))
    return day.strftime(rng.choice(("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%Y%m%d", "%Y-%m-%d %H:%M:%S")))


def _amount(rng: random.Random) -> str:
    return rng.choice(
        (f"{rng.randrange(10**7)}.{_digits(rng, 2)}", f"{rng.randrange(1, 999)},{_digits(rng, 3)},{_digits(rng, 3)}.00")
    )


def _tracking(rng: random.Random) -> str:
    return rng.choice(("SF", "YT", "JDVA", "EMS", "ZTO")) + "1" + _digits(rng, rng.choice((12, 13, 14)))


def _wide(maker: Maker) -> Maker:
    return lambda rng: maker(rng).translate(_WIDE)


def _numerals(rng: random.Random) -> str:
    return _mobile(rng).translate(_NUMERALS)


def _spaced_id(rng: random.Random) -> str:
    number, gap = _id(rng), rng.choice(" -.")
    return gap.join((number[:6], number[6:14], number[14:]))


_REAL: tuple[tuple[str, Maker, PiiKind], ...] = (
    ("id", _id, PiiKind.ID),
    ("id in full-width digits", _wide(_id), PiiKind.ID),
    ("id in groups", _spaced_id, PiiKind.ID),
    ("mobile", _mobile, PiiKind.PHONE),
    ("mobile in full-width digits", _wide(_mobile), PiiKind.PHONE),
    ("mobile in groups", _grouped_mobile, PiiKind.PHONE),
    ("mobile in numerals", _numerals, PiiKind.PHONE),
    ("mobile with country code", lambda rng: rng.choice(("+86", "+86 ", "86-", "0086")) + _mobile(rng), PiiKind.PHONE),
    ("landline", _landline, PiiKind.PHONE),
    ("number abroad", _abroad, PiiKind.PHONE),
    ("card", _card, PiiKind.CARD),
)
_LOOKALIKES: tuple[tuple[str, Maker, None], ...] = (
    ("order number of 18 digits", _order_18, None),
    ("id with a wrong check digit", _wrong_id, None),
    ("card with a wrong check digit", _wrong_card, None),
    ("day", _day, None),
    ("amount", _amount, None),
    ("tracking number", _tracking, None),
    ("order number of 10 to 16 digits", lambda rng: rng.choice("2356789") + _digits(rng, rng.randrange(9, 16)), None),
    ("hotline", lambda rng: rng.choice(("400-", "800-", "400")) + f"{_digits(rng, 3)}-{_digits(rng, 4)}", None),
)
_BARE = (
    ("", ""),
    ("我的", "谢谢"),
    ("是", "，"),
    ("号码", "。"),
    ("看一下", "的"),
    ("给你", "吗？"),
    ("（", "）"),
    ("it is ", ", thanks"),
)
_AROUND = {
    PiiKind.ID: (
        *_BARE,
        ("身份证", "对吗"),
        ("身份证号：", "\n"),
        ("证件号码是", "请核实"),
        ("my id is ", "."),
        ("实名", "没通过"),
    ),
    PiiKind.PHONE: (
        *_BARE,
        ("电话", "谢谢"),
        ("手机号", "收不到验证码"),
        ("打", "找我"),
        ("call me on ", " please"),
        ("改成", "可以吗"),
    ),
    PiiKind.CARD: (*_BARE, ("卡号", "扣款了"), ("退到", "这张卡"), ("my card ", " was charged")),
}
_ORDER = (
    ("订单", "什么时候发货"),
    ("订单号：", "，谢谢"),
    ("单号是", "到哪了"),
    ("order ", " is late"),
    ("order number ", "."),
    ("invoice #", ""),
)
_AROUND_LOOKALIKES = {
    "order number of 18 digits": (*_ORDER, *_BARE),
    "id with a wrong check digit": (*_ORDER, ("身份证", "对吗"), ("", "")),
    "card with a wrong check digit": (*_ORDER, ("卡号", "不对")),
    "day": (*_BARE, ("", "下的单"), ("ordered on ", ""), ("预约", "送到")),
    "amount": (("付了", "元"), ("¥", ""), ("I paid $", ""), ("退款", "块"), ("total ", " USD")),
    "tracking number": (("快递", "到哪了"), ("", "没有物流"), ("tracking ", ""), ("运单号", "。")),
    "order number of 10 to 16 digits": _ORDER,
    "hotline": (("打", "没人接"), ("客服电话", ""), ("call ", " for service"), ("", "")),
}
