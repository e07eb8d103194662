"""Days in the calendar: ISO, English, Chinese and numeric dates, with and without year or day."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

from guards.facts.claim import Claim, FactKind, claim, numbers

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ),
        start=1,
    )
    for name in names.split()
}
#: A month's name, for any case.
MONTH = r"(?:" + "|".join(sorted(_MONTHS, key=len, reverse=True)) + r")(?![a-z])\.?"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?(?![\d:%]|[.,]\d|\s?[ap]\.?m\b)"
_YEAR = r"(?:19|20|21)\d\d(?!\d)"
_TO = r"\s?(?:-|–|—|~|to|through|until|至|到)\s?"

#: Each with named groups: y, m (name or number), d, and d2 for the end of a range within a month.
_FORMS = tuple(
    re.compile(form, re.IGNORECASE | re.ASCII)
    for form in (
        rf"(?<!\d)(?P<y>{_YEAR})([-/.])(?P<m>\d{{1,2}})\2(?P<d>\d{{1,2}})(?!\d)",
        rf"(?<!\d)(?P<y>{_YEAR})\s?年\s?(?P<m>\d{{1,2}})\s?月"
        rf"(?:\s?(?P<d>\d{{1,2}})\s?[日号](?:{_TO}(?P<d2>\d{{1,2}})\s?[日号])?)?",
        rf"(?<!\d)(?P<m>\d{{1,2}})\s?月\s?(?P<d>\d{{1,2}})\s?[日号]?(?:{_TO}(?P<d2>\d{{1,2}})\s?[日号])?(?!\d)",
        r"(?<![\d.])(?P<m>\d{1,2})\s?月(?:份|初|底|中旬|末|前|起|之前|以前)?(?!\d)",
        rf"(?<![a-z0-9])(?<!\b\d )(?<!\b\d\d )(?P<m>{MONTH})\s(?P<after>the\s)?(?P<d>{_DAY})"
        rf"(?:{_TO}(?P<d2>{_DAY}))?(?:,?\s(?P<y>{_YEAR}))?",
        rf"(?<![a-z0-9.,])(?:(?P<d2>{_DAY}){_TO})?(?P<d>{_DAY})\s(?:of\s)?(?P<m>{MONTH})(?:,?\s(?P<y>{_YEAR}))?",
        rf"(?<![a-z0-9])(?P<m>{MONTH})\s(?:of\s)?(?P<y>{_YEAR})",
        rf"(?<![\d.,/\-])(?P<a>\d{{1,2}})([-/.])(?P<b>\d{{1,2}})\2(?P<y>{_YEAR}|\d\d(?![\d/]))(?!\d)",
    )
)
#: A month by itself: only after such a word, since "may" and "march" are words too.
_ALONE = re.compile(
    r"(?<![a-z])(?:in|by|until|till|since|from|through|early|mid|late|before|after|during|every|last|next|of|end of|to)"
    rf"[ \-](?P<m>{MONTH})",
    re.IGNORECASE,
)
#: A day of no month: the 15th of each month, 每月5日.
_DAY_ALONE = re.compile(
    r"\b(?:on|by|until|before|after|every|from|to) the (?P<d>\d{1,2})(?:st|nd|rd|th)\b"
    r"(?!\s(?!of|at|and|or|to|each|every)[a-z])"
    r"|(?<![\d.])(?P<d2>\d{1,2})(?:号(?![码线楼店])|日(?!内|之内|以内|后|之后|以后|元|均|常|用))",
    re.IGNORECASE,
)


def dates(text: str) -> list[Claim]:
    """Dates that exist; two of them where a range shares its month."""
    found: list[Claim] = []
    taken = bytearray(len(text))
    for form in (*_FORMS, _ALONE, _DAY_ALONE):
        for match in form.finditer(text):
            if any(taken[match.start() : match.end()]):
                continue
            values = _values(match.groupdict())
            if values and not _is_a_verb(match.groupdict()):
                found += [_claim(match.span(), value) for value in values]
                taken[match.start() : match.end()] = b"\x01" * (match.end() - match.start())
    return sorted(found, key=lambda one: one.start)


def _is_a_verb(said: dict[str, str | None]) -> bool:
    """Whether "2 may" and "to march" are no dates: nothing else makes them one."""
    return said.get("m") in ("may", "march") and not said.get("y") and "after" not in said


#: Year, month and day of one meaning; None where it is not said.
_Day = tuple[int | None, int | None, int | None]


def _values(said: dict[str, str | None]) -> list[list[_Day]]:
    """Per date the days that it may mean; nothing if there is no such date."""
    year = _year(said.get("y"))
    if said.get("a"):
        a, b = int(said["a"] or 0), int(said["b"] or 0)
        either: list[_Day] = [(year, month, day) for month, day in ((a, b), (b, a)) if _exists(year, month, day)]
        return [either] if either else []
    name = (said.get("m") or "").lower().rstrip(".")
    month = int(name) if name.isdigit() else _MONTHS.get(name)
    days: list[int | None] = [_number(said[key]) for key in ("d", "d2") if said.get(key)]
    wanted: list[_Day] = [(year, month, day) for day in days or [None]]
    return [[day] for day in wanted] if all(_exists(*day) for day in wanted) else []


def _year(text: str | None) -> int | None:
    if not text:
        return None
    return int(text) if len(text) == 4 else 2000 + int(text)


def _number(text: str | None) -> int:
    return int("".join(char for char in text or "0" if char.isdigit()))


def _exists(year: int | None, month: int | None, day: int | None) -> bool:
    try:
        date(year or 2024, 1 if month is None else month, 1 if day is None else day)  # 2024 has a 29 February
    except ValueError:
        return False
    return True


def _claim(span: tuple[int, int], days: Iterable[_Day]) -> Claim:
    asks: set[str] = set()
    gives: set[str] = set()
    parts: set[str] = set()
    for day in days:
        asks |= _asks(*day)
        gives |= _gives(*day)
        parts |= {str(part) for part in day if part is not None}
    return claim(FactKind.DATE, span, asks, gives, numbers(parts))


def _text(year: int | None, month: int | None, day: int | None) -> str:
    return "-".join("?" if part is None else str(part) for part in (year, month, day))


def _asks(year: int | None, month: int | None, day: int | None) -> set[str]:
    """The date as it is said, or a source's date that leaves the year open ("open")."""
    return {_text(year, month, day), f"open {_text(None, month, day)}"}


def _gives(year: int | None, month: int | None, day: int | None) -> set[str]:
    """The date and everything less exact."""
    facts = {_text(y, m, d) for y in {year, None} for m in {month, None} for d in {day, None}}
    if year is None:
        facts |= {f"open {_text(None, m, d)}" for m in {month, None} for d in {day, None}}
    return facts - {_text(None, None, None), f"open {_text(None, None, None)}"}
