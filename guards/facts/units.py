"""What a number counts, read from the words right behind it or the sign right before it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal

from guards.facts.claim import FactKind
from guards.facts.numerals import plain

_CURRENCIES: dict[str, tuple[str, ...]] = {
    "USD": ("us$", "$", "usd", "dollars", "dollar", "bucks", "美元", "美金"),
    "EUR": ("€", "eur", "euros", "euro", "欧元"),
    "GBP": ("£", "gbp", "pounds", "pound", "quid", "英镑"),
    "CNY": ("¥", "cny", "rmb", "yuan", "元", "块钱", "块", "人民币", "cn¥", "圆"),
    "JPY": ("jpy", "yen", "円", "日元"),
    "INR": ("₹", "inr", "rs.", "rs", "rupees", "rupee"),
    "HKD": ("hk$", "hkd", "港币", "港元"),
    "CAD": ("ca$", "c$", "cad"),
    "AUD": ("au$", "a$", "aud"),
    "CHF": ("chf", "francs", "franc"),
    "KRW": ("₩", "krw"),
    "SEK": ("sek", "kr", "kronor"),
    "PLN": ("pln", "zł", "zloty"),
    "BRL": ("r$", "brl", "reais"),
}
_CODES = {sign: code for code, signs in _CURRENCIES.items() for sign in signs}
_SIGNS = "|".join(re.escape(sign) for sign in sorted(_CODES, key=len, reverse=True))
#: Signs and codes stand before a number; words such as "dollars" behind it only.
_LEADING = "|".join(
    re.escape(sign)
    for sign in sorted(_CODES, key=len, reverse=True)
    if sign in ("rs.", "rs", "kr", "人民币") or not sign.isalpha() or sign.upper() in _CURRENCIES or sign == "rmb"
)
_SCALES = {
    "k": 1000,
    "thousand": 1000,
    "m": 1_000_000,
    "million": 1_000_000,
    "千": 1000,
    "百": 100,
    "万": 10_000,
    "亿": 10**8,
}

_BEFORE = re.compile(rf"(?<![a-z])({_LEADING})\s?\Z", re.IGNORECASE)
_REACH_CHARS = 8
_AFTER = re.compile(
    rf"(?:[\s-]?(?P<scale>thousand|million|k(?![a-z])|m(?![a-z])|[千百万亿]))?"
    rf"(?:[\s-]?(?P<money>{_SIGNS})(?![a-z])|[\s-]?(?P<cents>cents?|pence)(?![a-z]))",
    re.IGNORECASE,
)
_SCALE_ONLY = re.compile(r"\s?(?P<scale>thousand|million|[km](?![a-z])|[千万亿])", re.IGNORECASE)
_PERCENT = re.compile(
    r"\s?(?:%|-?percent|per ?cent|pct(?![a-z])|个?百分点|prozent|pour ?cent|por ?ciento)", re.IGNORECASE
)
_PERCENT_BEFORE = re.compile(r"百分之\s?\Z")
_TENTHS = re.compile(r"\s?(?P<off>折(?!叠|磨|扣|腾))|成(?![功为立本员交熟长都人果分品])")

_DURATION = re.compile(
    r"(?:\s?-\s?|\s)?(?:(?:full|more|additional|extra|consecutive|whole|short|long)[\s-])?"
    r"(?:(?P<work>business|working|work|banking|calendar)[\s-])?(?:"
    r"(?P<s>seconds?|secs?)|(?P<min>minutes?|mins?)|(?P<h>hours?|hrs?|h)|(?P<d>days?|nights?)|(?P<w>weeks?|wks?)"
    r"|(?P<mo>months?|mos)|(?P<y>years?|yrs?))(?![a-z])"
    r"|\s?(?:个\s?)?(?:(?P<zwork>工作[日天])|(?P<zd>自然[日天]|天|日(?=内|之内|以内|后|之后|以后))|(?P<zs>秒钟?)|(?P<zmin>分钟)"
    r"|(?P<zh>小时|钟头)|(?P<zw>星期|礼拜|周(?![年岁末边]))"
    r"|(?P<zy>年(?![代级龄月]))|(?P<zy2>周年))|\s?个月(?P<zmo>)|\s?月(?P<zmo2>)(?=内|之内|以内)",
    re.IGNORECASE,
)
_LENGTHS = {
    "s": (1, "s"),
    "min": (60, "s"),
    "h": (3600, "s"),
    "d": (86400, "s"),
    "w": (604800, "s"),
    "mo": (1, "mo"),
    "y": (12, "mo"),
}

#: "one moment", "one second please", 祝您有美好的一天, 一块儿: number words that count nothing.
_SPEECH = re.compile(
    r"(?:one|a)[\s-](?:seconds?|time)(?![a-z])|一(?:分钟|天|年|周|元)?(?=快乐|愉快|开心|顺利)|一块(?!钱)|一百(?!元|块)分|百分(?!之)|万[一分]|半天",
    re.IGNORECASE,
)
_SPEECH_BEFORE = re.compile(r"(?:[的这那每某哪第有]|美好|同)\Z")
_ROUGHLY = re.compile("[多余来](?=[元块个天日周年小分秒万])")
_YEAR_DIGITS = re.compile(r"(?:19|20)\d\d")


@dataclass(frozen=True, slots=True)
class Unit:
    """What is counted.

    Attributes:
        kind: of the fact.
        name: canonical unit.
        factor: by which the number is multiplied for its canonical value.
        start: where the unit begins if it stands before the number, else -1.
        end: one past the unit's last character; -1 if it stands before the number.
        work: whether working days are meant.
    """

    kind: FactKind
    name: str
    factor: int = 1
    start: int = -1
    end: int = -1
    work: bool = False

    def names(self, value: str) -> set[str]:
        """The fact's values, of which any supports it."""
        if self.name == "折":
            off = 100 - 10 * Decimal(value) if Decimal(value) < 10 else 100 - Decimal(value)
            return {plain(off), plain(100 - off)}
        if self.name == "成":
            return {plain(10 * Decimal(value))}
        if self.name == "cent":
            return {f"{code} {plain(Decimal(value) / 100)}" for code in ("USD", "EUR", "GBP")}
        if self.work:
            return {f"{value} workdays"}
        return {f"{value} {self.name}".strip()}

    def also(self, value: str) -> set[str]:
        """What it is as well where it is trusted."""
        return {f"{plain(86400 * Decimal(value))} s"} if self.work else set()


def money_before(text: str, start: int) -> Unit | None:
    """The currency right before a number, with a scale behind it ("$2 million")."""
    match = _BEFORE.search(text, max(0, start - _REACH_CHARS), start)
    return Unit(FactKind.AMOUNT, _CODES[match[1].lower()], start=match.start()) if match else None


def after(text: str, start: int, end: int, *, digits: bool) -> Unit | None:
    """The unit right behind the number at ``start:end``; 100多元 is held for 100元."""
    end += bool(_ROUGHLY.match(text, end))
    if before := _PERCENT_BEFORE.search(text, max(0, start - 4), start):
        return Unit(FactKind.PERCENTAGE, "", start=before.start(), end=end)
    if match := _PERCENT.match(text, end):
        return Unit(FactKind.PERCENTAGE, "", end=match.end())
    if match := _TENTHS.match(text, end):
        return Unit(FactKind.PERCENTAGE, "折" if match["off"] else "成", end=match.end())
    if match := _DURATION.match(text, end):
        return _duration(match, text[start:end])
    if (match := _AFTER.match(text, end)) and not _leads(match):
        name = "cent" if match["cents"] else _CODES[match["money"].lower()]
        return Unit(FactKind.AMOUNT, name, _SCALES.get((match["scale"] or "").lower(), 1), end=match.end())
    if digits and (match := _SCALE_ONLY.match(text, end)):
        money = money_before(text, start)
        scale = _SCALES[match["scale"].lower()]
        return replace(money, factor=scale, end=match.end()) if money else None
    return None


def _leads(match: re.Match[str]) -> bool:
    """Whether the sign belongs to the number behind it: "order 5 $10"."""
    sign = match["money"]
    return bool(sign) and not sign.isalpha() and match.string[match.end() : match.end() + 2].strip()[:1].isdigit()


def _duration(match: re.Match[str], number: str) -> Unit | None:
    kind = (
        next(key for key, value in match.groupdict().items() if value is not None and key != "work")
        .lstrip("z")
        .rstrip("2")
    )
    if kind == "y" and _YEAR_DIGITS.fullmatch(number):
        return None
    if kind == "work" or (match["work"] or "").lower() in ("business", "working", "work", "banking"):
        return Unit(FactKind.DURATION, "workdays", end=match.end(), work=True)
    factor, name = _LENGTHS[kind]
    return Unit(FactKind.DURATION, name, factor, end=match.end())


def is_figure_of_speech(text: str, start: int, end: int) -> bool:
    """Whether the number word at ``start:end`` only sounds like a number."""
    if _SPEECH.match(text, start):
        return True
    return text[start:end] == "一" and _SPEECH_BEFORE.search(text, max(0, start - 2), start) is not None
