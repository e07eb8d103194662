"""Which of the two languages a customer writes, for the choice of a fixed text."""

from __future__ import annotations

import re
from typing import Literal

Language = Literal["en", "zh"]

LANGUAGES: tuple[Language, ...] = ("en", "zh")

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_WORD = re.compile("[A-Za-z\u00c0-\u024f]+")


def has_han(text: str) -> bool:
    """Whether any Chinese character stands in the text."""
    return _HAN.search(text) is not None


def language_of(text: str) -> Language:
    """``zh`` if there are at least as many Chinese characters as Latin words (and any), else ``en``."""
    characters = len(_HAN.findall(text))
    return "zh" if characters and characters >= len(_WORD.findall(text)) else "en"
