"""Postal addresses, as far as rules reach: a house number with a street's type beside it, or what is called an address.

Found: "12 High Street, London SW1A 1AA", "Hauptstraße 5", "26 rue des Lilas", P.O. boxes, a number and a name in
capitals after "my address is", post codes that are called so, and Chinese addresses (``addresses_zh``).
Not found: a town by itself, a house without a number, a street without a type that nothing calls an address ("9721
Dalmatinova" alone), and forms of other countries than those whose words stand below. An address is cut after
``MAX_CHARS``; what follows is then not seen as part of it.
"""

from __future__ import annotations

import re

from guards.pii.addresses_zh import addresses_zh
from guards.pii.kinds import Span, blanked, disjoint
from guards.pii.streets import AFTER_NAME, BEFORE_NAME, STOP_WORDS, STREET_ENDINGS, STRONG, UNITS, WEAK
from guards.pii.words import is_reference

MAX_CHARS = 160

_HOUSE = re.compile(
    r"[#\d](?<![\w.,#$€£¥:/\-].)(?:(?<=\d)\d{0,5}|\d{1,6})(?:[ -]?[A-Za-z](?![\w'’]))?(?:[-/]\d{1,4}[A-Za-z]?)?"
    r"(?![\w.%:])(?!,\d)",
    re.ASCII,
)
#: Letters of alphabets; Chinese, Japanese and Korean ones are no part of a Western address.
_LETTER = r"[^\W\d_\u2e80-\uffff]"
_TOKEN = re.compile(
    rf"[ \t]{{1,2}}({_LETTER}(?:{_LETTER}|['’.-](?={_LETTER})){{0,29}}\.?/?|\d{{1,4}}(?:st|nd|rd|th)?(?!\w))"
)
_UNIT = rf"(?:(?:{UNITS})\.?\s?#?\s?\w{{1,6}}(?!\w)|#\s?\w{{1,6}}(?!\w))"
_UK_CODE = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}(?!\w)"
_CODE = rf"(?:{_UK_CODE}|[A-Z]{{2}},? \d{{5}}(?:-\d{{4}})?(?!\d)|\d{{4,6}}(?:-\d{{4}})?(?!\d))"
_TOWN = rf"[A-ZÀ-ÞĀ-Ž]{_LETTER}{{1,24}}(?:[ -]{_LETTER}{{1,24}}){{0,3}}"
_TAIL_UNIT = re.compile(rf"[,\s]{{0,3}}{_UNIT}", re.I)
_TAIL_CODE = re.compile(rf"[,\s]{{1,3}}(?:{_LETTER}{{2,24}}[,\s]{{1,2}}){{0,4}}{_CODE}")
_TAIL_CODE_ANY = re.compile(rf"[,\s]{{1,3}}{_UK_CODE}", re.I)
_TAIL_TOWN = re.compile(rf",\s?{_TOWN}(?=\s*(?:[,.;!?)\n]|\Z))")
_TAIL_CODE_TOWN = re.compile(rf"[,\s]{{1,3}}(?:[A-Z]{{1,2}}-)?\d{{4,5}}\s{_TOWN}")
_TAIL_COUNTRY = re.compile(
    r",?\s{1,2}(?:USA|U\.S\.A\.|UK|United Kingdom|United States|England|Scotland|Wales|Ireland|Canada|Germany|France"
    r"|Spain)\b"
)
_TAIL = (
    _TAIL_UNIT,
    _TAIL_UNIT,
    _TAIL_CODE_TOWN,
    _TAIL_CODE,
    _TAIL_TOWN,
    _TAIL_TOWN,
    _TAIL_CODE_ANY,
    _TAIL_CODE,
    _TAIL_COUNTRY,
)
_LEAD_UNIT = re.compile(rf"(?:{_UNIT})[,\s]{{1,2}}\Z", re.I)

_BOX = re.compile(
    r"\b(?:P\.?\s?O\.?\s?Box|Postfach|Apartado)\s?#?\s?\d{1,6}(?!\d)|\b(?:PSC|Unit|CMR)\s\d{3,5},?\s+Box\s\d{1,5}"
    r"|\b[AFD]PO,?\s(?:AA|AE|AP),?\s\d{5}(?!\d)",
    re.I,
)
_POST_CODE = re.compile(
    rf"(?:\bzip(?:\s?code)?|\bpost\s?code|\bpostal code|邮编|邮政编码)\s{{0,2}}(?:is|:|是|为|#)?\s{{0,2}}"
    rf"({_UK_CODE}|\d{{5,6}}(?:-\d{{4}})?(?!\d))",
    re.I,
)
_CALLED = re.compile(
    r"(?:(?:address|Address|ADDRESS)(?:es)?(?:\s(?:is|was|to|are))?|(?:live|Live|living)s? (?:at|on)"
    r"|(?:resid)(?:e|es|ing) at"
    r"|(?:ship|Ship|shipped|deliver|Deliver|delivered|send|Send|sent|moved)(?: it| them| this)? to)\s{0,2}[:=-]?\s{0,6}"
)
_BY_NUMBER = re.compile(rf"\d{{1,6}}[A-Za-z]?,?\s[A-ZÀ-ÞĀ-Ž]{_LETTER}{{2}}[^.!?;。\n\x00]{{0,80}}")
_BY_NAME = re.compile(rf"(?:[A-ZÀ-ÞĀ-Ž]{_LETTER}{{1,24}}\.?\s){{1,4}}\d{{1,4}}[a-z]?(?!\w)")
_ON = re.compile(
    r"(?:\s(?:and|but|instead|please|because|as|so|thanks?|thank|not|my|i|is|was|with|for|if|when)\b|,\s(?:please|thanks?|and|but|my|i)\b).*",
    re.S,
)
_ENDINGS = tuple(STREET_ENDINGS.split("|"))
#: Types in capitals; the plain letters at its beginning let the search skip from candidate to candidate.
_BEFORE = re.compile(rf"(?:{'|'.join(sorted((word.capitalize() for word in BEFORE_NAME), key=len, reverse=True))})\s")
_DIGIT = re.compile(r"\d")
_NUMBER_AFTER = re.compile(r"\s\d{1,4}[A-Za-z]?(?!\w)")


def addresses(text: str) -> list[Span]:
    """Postal addresses, English and Chinese."""
    spans = addresses_zh(text)
    if _DIGIT.search(text):
        rest = blanked(text, spans)
        cores = _by_house(rest) + _by_type(rest) + _by_call(rest)
        if any(word in rest for word in ("ox", "OX", "PO", "Postfach", "Apartado")):
            cores += [m.span() for m in _BOX.finditer(rest)]
        spans += [(_lead(rest, start), _tail(rest, start, end)) for start, end in cores]
        lower = rest.lower()
        if any(word in lower for word in ("zip", "post", "邮")):
            spans += [m.span(1) for m in _POST_CODE.finditer(rest)]
    return disjoint(spans)


def _by_house(text: str) -> list[Span]:
    """A number with up to five names and a street's type behind it, or with a street's name in one word before it."""
    spans = []
    for house in _HOUSE.finditer(text):
        start = _one_word_street(text, house.start())
        if start is not None:
            spans.append((start, house.end()))
            continue
        end = _street_end(text, house.end())
        if end is not None and not is_reference(text, house.start()):
            spans.append((house.start(), end))
    return spans


def _one_word_street(text: str, at: int) -> int | None:
    """Where the street begins whose name ends with its type just before ``at``: Hauptstraße 5."""
    word = text[max(0, at - 32) : at].rstrip(" ").rstrip(".").rpartition(" ")[2].rpartition("\n")[2].rpartition(">")[2]
    if len(word) < 5 or not word.endswith(_ENDINGS) or not word[0].isupper():
        return None
    return text.rindex(word, 0, at)


def _street_end(text: str, at: int) -> int | None:
    """Where the street ends whose house number ends at ``at``; None if there is no street."""
    names: list[str] = []
    ends: int | None = None
    for _ in range(7):
        if any(name[0].isupper() for name in names):
            unit = _TAIL_UNIT.match(text, at)
            if unit and _DIGIT.search(unit.group()):
                return unit.end()
        token = _TOKEN.match(text, at)
        if token is None:
            break
        word = token.group(1)
        plain = word.rstrip(".").lower()
        if plain in STOP_WORDS and not (names and word in ("the", "of")):
            break
        if names and _is_type(word, plain, names):
            ends = at = token.end() - (word.endswith(".") and plain not in AFTER_NAME)
            if not text[at : at + 1].isspace() or "\n" in text[at : at + 2]:
                return ends
        if not names and plain in BEFORE_NAME and (word[0].isupper() or plain not in ("via", "place", "corso")):
            return _names_end(text, token.end())
        if ends is not None:
            return ends
        if names and word[0].isdigit() and names[-1][0].isdigit():
            break
        names.append(word)
        at = token.end()
        if word.endswith(".") and len(plain) > 4:
            break
    return ends


def _is_type(word: str, plain: str, names: list[str]) -> bool:
    """Whether the word is a street's type: in capitals like the names before it, or hardly anything else."""
    capital = all(name[0].isupper() or name[0].isdigit() or name in ("of", "the", "de", "la") for name in names)
    if plain in STRONG:
        return capital or not any(name.lower() in STOP_WORDS for name in names)
    return plain in WEAK and capital and word[0].isupper()


def _names_end(text: str, at: int) -> int | None:
    """Where the names end that follow a street's type."""
    end = None
    for _ in range(5):
        token = _TOKEN.match(text, at)
        if token is None or (end is not None and token.group(1).lower() in STOP_WORDS):
            break
        at = token.end()
        if token.group(1)[0].isupper() or token.group(1)[0].isdigit():
            end = at
    return end


def _by_type(text: str) -> list[Span]:
    """A street's type before its name, then the number: Via Tasso 129."""
    spans = []
    for match in _BEFORE.finditer(text):
        end = _names_end(text, match.end() - 1)
        number = _NUMBER_AFTER.match(text, end) if end else None
        if number or (end and text[end - 1].isdigit()):
            spans.append((match.start(), number.end() if number else end or 0))
    return spans


def _by_call(text: str) -> list[Span]:
    """What the text calls an address: a number and a name in capitals, or names and a number."""
    spans = []
    for call in _CALLED.finditer(text):
        match = _BY_NAME.match(text, call.end()) or _BY_NUMBER.match(text, call.end())
        if match:
            address = _ON.sub("", match.group()).rstrip(" ,")
            if len(address) > 5:
                spans.append((match.start(), match.start() + len(address)))
    return spans


def _lead(text: str, start: int) -> int:
    """The start, with a flat's number before it."""
    match = _LEAD_UNIT.search(text, max(0, start - 20), start)
    return match.start() if match else start


def _tail(text: str, start: int, end: int) -> int:
    """The end, with the flat, the town and the post code behind it."""
    limit = min(len(text), start + MAX_CHARS)
    for pattern in _TAIL:
        match = pattern.match(text, end, limit)
        if match and (pattern is not _TAIL_UNIT or re.search(r"\d|#", match.group())):
            end = match.end()
    return min(end, limit)
