"""Digits written as Chinese numerals, read as digits: a text of the same length, so that spans stay what they are."""

from __future__ import annotations

import re

from guards.pii.words import GAP

NUMERALS = "〇零○一二三四五六七八九幺壹贰叁肆伍陆柒捌玖"
_DIGITS = "0001234567891123456789"
_TABLE = str.maketrans(NUMERALS, _DIGITS)
#: As many as the shortest number that is certain without a word before it has digits; 十 and 百 end a run.
_RUN = re.compile(rf"[{NUMERALS}\d](?:[{GAP}]?[{NUMERALS}\d]){{9,}}", re.ASCII)
_NUMERAL = re.compile(f"[{NUMERALS}]")


def with_digits(text: str) -> str | None:
    """The text with long runs of numerals as digits; None if there is none."""
    if not _NUMERAL.search(text):
        return None
    read = _RUN.sub(lambda run: run.group().translate(_TABLE), text)
    return read if read != text else None
