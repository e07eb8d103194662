"""Numbers that claim nothing: the ordinals of lists, "step 2", "3 easy ways"; and placeholders."""

from __future__ import annotations

import re

from guards.facts.claim import blanked

_PLACEHOLDER = r"\[[A-Z]{2,16}(?:_\d{1,6})?\]|\{\{[^{}\n]{0,60}\}\}"
#: At the beginning of a line or after a sentence: "1. Log in", "(2) Log in", "**3.** Log in"; after a colon 1 only.
_BEGINS = (
    r"(?:^|(?<=[\n。])|(?<=[^\d][.!?;])|(?<=[.!?;] )|(?<=[.!?:][*\x22\x27)\]”’] )|(?<=[.!?:]\*\* )|(?<=[-–—*>#] )"
    r"|(?<=\*\*)|(?<=[^\d]:)(?=[ (]?1[^\d])|(?<=: )(?=\(?1[^\d]))"
)
_LISTED = _BEGINS + r"[ \t>*#\-]{0,6}[(（\[]?(?:1\d|20|\d)(?:\\?\.(?!\d)|[)）\]、]|:(?!\d)|\s[-–—]\s(?=[A-Za-z*]))"
#: What is counted through, and not stated.
_STEP = r"\b(?:steps?|options?|methods?|points?|parts?|phases?|stages?|tips?|questions?|ways?)\s?#?"
_NAMED = rf"{_STEP}\d{{1,2}}(?:\s?(?:-|–|to|and|or|,|&|through)\s?\d{{1,2}}){{0,4}}(?![\w%]|[.,:]\d)"
_NAMED_ZH = r"(?:第|步骤|选项|方法|方式|方案)\s?\d{1,2}(?!\d|[.:]\d)"
_FEW = r"(?:\d|1[0-2])"
_COUNTED = (
    rf"(?<![\w$€£¥.,\-]){_FEW}\s(?:[a-z]{{2,12}}\s)?"
    r"(?:steps?|options?|ways?|methods?|things?|questions?|reasons?|tips?|alternatives?)\b"
)
_COUNTED_ZH = (
    rf"(?<![\d.]){_FEW}\s?(?:个?(?:步骤|选项|方法|方式|问题|原因|途径|方面|建议|要点)"
    r"|种(?:方式|方法|途径|情况|选择|可能)?|步|条(?:建议|途径)?|点(?=建议|原因|要求|:)|项)"
)
_RANK = r"\b(?:[1-9]|1\d|2[0-9]|3[01])(?:st|nd|rd|th)\b"
#: Names of things rather than quantities: 2FA, 3D, 5G.
_NAME = r"(?<![\w.,])\d(?:FA|SV|DS?|G)(?!\w)"
_KEYCAP = r"\d\ufe0f?\u20e3"

_SPAN = re.compile("|".join((_PLACEHOLDER, _LISTED, _NAMED_ZH, _COUNTED_ZH, _NAME, _KEYCAP)))
_SPAN_ANY_CASE = re.compile("|".join((_NAMED, _COUNTED, _RANK)), re.IGNORECASE)


def without_ordinals(text: str) -> str:
    """The text, equally long, with such numbers blanked."""
    text = blanked(text, (match.span() for match in _SPAN.finditer(text)))
    return blanked(text, (match.span() for match in _SPAN_ANY_CASE.finditer(text)))
