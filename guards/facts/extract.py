"""All claims of a text. What one kind has taken, the next no longer sees."""

from __future__ import annotations

import re

from guards.facts.addresses import emails, phones, urls
from guards.facts.claim import BLANK, Claim, blanked
from guards.facts.dates import MONTH, dates
from guards.facts.numerals import CHINESE, ENGLISH
from guards.facts.ordinals import without_ordinals
from guards.facts.quantities import codes, quantities
from guards.facts.times import times
from guards.views.normal import View, normalised

#: Without any of this there is no claim.
_WORDS = (
    rf"(?<![a-z])(?:{ENGLISH}|an? (?:hour|day|week|month|year|business|working)|third|quarter|fifth|tenth|{MONTH}"
    r"|a?round[- ]the[- ]clock)"
)
_ANY = re.compile(rf"[\d@]|://|www|\.[a-z]{{2}}|\]\(|{_WORDS}|{CHINESE}|半|全天候|全年无休", re.IGNORECASE)
#: Circled and bracketed digits (NFKC makes plain ones of them): they number lists.
_LIST_SIGNS = re.compile("[\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3251-\u325f\u32b1-\u32bf]")
_FULL_WIDTH_COMMA = "\uff0c"
_TIMES_SIGN = re.compile(r"(?<=\d)\s?[x×*](?=\s?\d)")


def claims_in(text: str) -> tuple[Claim, ...]:
    """The claims of a text as it was given; their spans are in its normal form."""
    return claims_of(normalised(text))


def claims_of(view: View) -> tuple[Claim, ...]:
    """The claims of a view, in order, apart from each other but for ranges; spans are in ``view.text``."""
    if not _ANY.search(view.text):
        return ()
    rest = _prepared(view)
    found: list[Claim] = []
    for find in (emails, urls):
        rest = _take(rest, find(rest), found)
    rest = _take(rest, times(rest), found)
    rest = _take(rest, dates(rest), found)
    rest = without_ordinals(_TIMES_SIGN.sub(lambda match: " " * len(match.group()), rest))
    for find in (phones, codes):
        rest = _take(rest, find(rest), found)
    found += quantities(rest)
    return tuple(sorted(found, key=lambda one: (one.start, one.end)))


def _take(rest: str, new: list[Claim], found: list[Claim]) -> str:
    found += new
    spans: list[tuple[int, int]] = []
    for one in new:
        if spans and one.start < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], one.end))
        else:
            spans.append((one.start, one.end))
    return blanked(rest, spans)


def _prepared(view: View) -> str:
    """The view's text without the numbers of lists; a Chinese comma between digits separates and does not group."""
    if view.source.isascii():
        return view.text
    chars = list(view.text)
    for index, char in enumerate(chars):
        if not (char.isdigit() or char in ".,()"):
            continue
        origin = view.source[view.starts[index] : view.ends[index]]
        if _LIST_SIGNS.search(origin):
            chars[index] = BLANK
        elif char == "," and origin == _FULL_WIDTH_COMMA and not _is_wide(view, index - 1):
            chars[index] = "、"
    return "".join(chars)


def _is_wide(view: View, index: int) -> bool:
    return index >= 0 and not view.source[view.starts[index]].isascii()
