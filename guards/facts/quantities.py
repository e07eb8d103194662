"""Numbers and what they count: money, percentages, lengths of time, order numbers, or nothing that is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from guards.facts import units
from guards.facts.claim import Claim, Fact, FactKind, claim, numbers
from guards.facts.numerals import CHINESE, DIGITS, ENGLISH, read_chinese, read_digits, read_english, times
from guards.facts.times import as_times

_NUMBER = re.compile(rf"(?<![A-Za-z0-9_])(?P<d>{DIGITS})|(?<![a-z])(?P<e>{ENGLISH})|(?P<c>{CHINESE}|半)", re.IGNORECASE)
#: Letters, digits and dashes in one word.
_CODE = re.compile(r"(?<![A-Za-z0-9_\-])[A-Za-z0-9]{1,200}(?:[\-_][A-Za-z0-9]{1,200}){0,30}(?![A-Za-z0-9_])")
_LETTER_THEN_DIGIT = re.compile(r"[A-Za-z][\-_]?\d")
#: "takes5" is a slip, and no name such as MP3.
_GLUED = re.compile(r"(?:[A-Z]?[a-z]{3,}|[a-z]+(?=\d\d))(\d{1,2})")
_LOWER_WORD = re.compile(r"[a-z]{3,}-\d")

_RANGE = re.compile(r"\s{0,2}(?:-|–|—|~|to|至|到)\s{0,2}", re.IGNORECASE)
_EITHER = re.compile(r"\s{0,2}(?:-|–|—|~|to|至|到|and|or|或者?|or up to)\s{0,2}", re.IGNORECASE)
_LONGEST_LINK = 12

#: "within a week", "takes up to an hour".
_ARTICLE = re.compile(
    r"\b(?:within|up to|takes?|under|less than|more than|at least|at most|about|after|for) (?P<a>an?)(?= )"
    r"|\b(?P<half>half an?)(?= )",
    re.IGNORECASE,
)
_ARTICLES = re.compile(r"(?:half )?an?", re.IGNORECASE)
_PARTS = {"third": "3", "quarter": "4", "fifth": "5", "tenth": "10"}
_FRACTION = re.compile(
    r"(?<![a-z])(?P<count>a|one|two|three|four)[ -](?P<part>third|quarter|fifth|tenth)s?(?= of\b)"
    rf"|(?P<under>[二三四五六七八九十])分之(?P<zhover>{CHINESE})",
    re.IGNORECASE,
)
#: A number word at the end of a cut sentence has lost what it counts.
_CUT_CHARS = 120
#: From here on a bare number may be an amount in a table.
_TELLING_DIGITS = 3


@dataclass(frozen=True, slots=True)
class _Token:
    """A number at ``start:end``: what it may mean, and whether it is written in digits."""

    start: int
    end: int
    values: frozenset[str]
    digits: bool


def codes(text: str) -> list[Claim]:
    """Order numbers, coupon codes and the like of letters and digits."""
    if not _LETTER_THEN_DIGIT.search(text):
        return []
    found = []
    for match in _CODE.finditer(text):
        word = match.group()
        digits = sum(char.isdigit() for char in word)
        capitals = sum(char.isupper() for char in word)
        if not _LETTER_THEN_DIGIT.search(word) or _LOWER_WORD.match(word):
            continue
        glued = _GLUED.fullmatch(word)
        if digits >= 3 or (digits == 2 and capitals >= 3) or glued:
            plain = "".join(char for char in word if char.isalnum()).upper()
            parts = {run.lstrip("0") or "0" for run in re.findall(r"\d{3,}", word)}
            asks = [plain, glued[1].lstrip("0") or "0"] if glued else [plain]
            found.append(claim(FactKind.NUMBER, match.span(), asks, [plain, *parts]))
    return found


def quantities(text: str) -> list[Claim]:
    """Amounts, percentages, durations and bare numbers. Words count only with a unit."""
    tokens = list(_tokens(text))
    found: list[Claim] = []
    later: units.Unit | None = None
    for index in range(len(tokens) - 1, -1, -1):
        token = tokens[index]
        link = text[token.end : tokens[index + 1].start] if index + 1 < len(tokens) else ""
        unit = _unit(text, token) or (later if later and _linked(_EITHER, link) else None)
        if unit is None and index:
            unit = _leading(text, tokens[index - 1], token)
        later = unit
        if unit is not None:
            found.append(_counted(token, unit))
        elif token.digits or not _ARTICLES.fullmatch(text, token.start, token.end):
            claims = token.digits or _is_cut_off(text, token)
            found.append(_bare(token, claims=claims, hours=_is_hours(text, tokens, index)))
    return [*_fractions(text), *found[::-1]]


def _fractions(text: str) -> list[Claim]:
    values = [(match.span(), _fraction(match)) for match in _FRACTION.finditer(text)]
    return [claim(FactKind.PERCENTAGE, span, [value], [value]) for span, value in values]


def _fraction(match: re.Match[str]) -> str:
    if match["zhover"]:
        over, under = (sorted(read_chinese(match[key]))[0] for key in ("zhover", "under"))
        return f"{over}/{under}"
    count = match["count"].lower()
    over = "1" if count == "a" else sorted(read_english(count))[0]
    return f"{over}/{_PARTS[match['part'].lower()]}"


def _linked(pattern: re.Pattern[str], link: str) -> bool:
    return 0 < len(link) <= _LONGEST_LINK and pattern.fullmatch(link) is not None


def _leading(text: str, before: _Token, token: _Token) -> units.Unit | None:
    """The currency of "$5-10" for its end."""
    return units.money_before(text, before.start) if _linked(_RANGE, text[before.end : token.start]) else None


def _is_hours(text: str, tokens: list[_Token], index: int) -> bool:
    """Whether the number is an end of a bare range: "9 to 6"."""
    pairs = ((index - 1, index), (index, index + 1))
    return any(a >= 0 and b < len(tokens) and _linked(_RANGE, text[tokens[a].end : tokens[b].start]) for a, b in pairs)


def _tokens(text: str) -> Iterator[_Token]:
    found = [
        _Token(
            *match.span("half" if match["half"] else "a"), frozenset({"0.5" if match["half"] else "1"}), digits=False
        )
        for match in _ARTICLE.finditer(text)
    ]
    for match in _NUMBER.finditer(text):
        if match["d"]:
            values, digits = read_digits(match["d"]), True
        elif match["e"]:
            values, digits = read_english(match["e"].lower()), False
        else:
            values, digits = frozenset({"0.5"}) if match["c"] == "半" else read_chinese(match["c"]), False
        found.append(_Token(*match.span(), values, digits))
    return iter(sorted(found, key=lambda token: token.start))


def _unit(text: str, token: _Token) -> units.Unit | None:
    if not token.digits and units.is_figure_of_speech(text, token.start, token.end):
        return None
    return units.after(text, token.start, token.end, digits=token.digits) or units.money_before(text, token.start)


def _counted(token: _Token, unit: units.Unit) -> Claim:
    values = {
        times(value, unit.factor) for value in token.values if unit.factor != 1 and _is_number(value)
    } or token.values
    asks = {name for value in values for name in unit.names(value)}
    span = (min(token.start, unit.start) if unit.start >= 0 else token.start, max(token.end, unit.end))
    loose = {f"* {value}" for value in values} if unit.kind is FactKind.AMOUNT else set[str]()
    return claim(unit.kind, span, asks | loose, asks | _looser(unit, values), numbers(token.values | values))


def _looser(unit: units.Unit, values: frozenset[str] | set[str]) -> set[str]:
    """Working days are known as days, too; the other way round would promise something else."""
    return {name for value in values for name in unit.also(value)}


def _bare(token: _Token, *, claims: bool, hours: bool) -> Claim:
    """A number without unit; in words it claims nothing, but where it is trusted it may be repeated in digits."""
    more: set[Fact] = set()
    for value in token.values:
        if len(value) >= _TELLING_DIGITS:
            more.add((FactKind.AMOUNT, f"* {value}"))
        if hours and value.isdigit() and len(value) <= 2:
            more |= as_times(int(value))
        if value.isdigit() and len(value) >= 7:
            more.add((FactKind.PHONE, value[-10:]))
    return claim(FactKind.NUMBER, (token.start, token.end), token.values if claims else (), token.values, more)


def _is_cut_off(text: str, token: _Token) -> bool:
    return len(text) >= _CUT_CHARS and not text[token.end :].strip() and token.values != {"1"}


def _is_number(value: str) -> bool:
    return value.count(".") <= 1 and value.replace(".", "").isdigit()
