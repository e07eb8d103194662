"""Ways to write a text that people or models still read and simple rules do not; the text itself stays the same.

Each is a pure function of the text and a random generator. Where a way only exists for Latin letters (leetspeak), the
Chinese parts of a text stay as they are; where Unicode has a counterpart for Chinese, that is used.
"""

from __future__ import annotations

import base64
import random
import unicodedata
from collections.abc import Callable
from functools import lru_cache

Obfuscation = Callable[[str, random.Random], str]

_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u200e"
_HOMOGLYPHS = {
    "a": "аɑα",
    "c": "сϲ",
    "d": "ԁ",
    "e": "еҽ",
    "g": "ɡց",
    "h": "һհ",
    "i": "іι",
    "j": "ј",
    "l": "ӏ",
    "n": "ո",
    "o": "оοօ",
    "p": "рρ",
    "q": "ԛ",
    "s": "ѕ",
    "u": "սυ",
    "v": "ѵν",
    "w": "ԝ",
    "x": "х",
    "y": "уү",
    "A": "АΑ",
    "B": "ВΒ",
    "C": "СϹ",
    "E": "ЕΕ",
    "H": "НΗ",
    "I": "ІΙ",
    "K": "КΚ",
    "M": "МΜ",
    "N": "Ν",
    "O": "ОΟ",
    "P": "РΡ",
    "S": "Ѕ",
    "T": "ТΤ",
    "X": "ХΧ",
    "Y": "ҮΥ",
    "Z": "Ζ",
}
_LEET = {"a": "4@", "e": "3", "i": "1!", "o": "0", "s": "5$", "t": "7", "l": "1"}
_SMALL_CAPITALS = dict(zip("abcdefghijklmnopqrstuvwxyz", "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡxʏᴢ", strict=True))
_MARKS = "\u0300\u0301\u0308\u0316\u0323\u0330\u0335\u0336\u034a\u035c"


def full_width(text: str, _: random.Random) -> str:
    """ASCII in full width; Chinese characters as radicals and compatibility ideographs where Unicode has any."""
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else _compatible().get(c, c) for c in text)


def zero_width(text: str, rng: random.Random) -> str:
    """An invisible character after every other character."""
    return "".join(c + (rng.choice(_INVISIBLE) if rng.random() < 0.5 else "") for c in text)


def homoglyphs(text: str, rng: random.Random) -> str:
    """Two thirds of the Latin letters as Cyrillic, Greek or Armenian ones that look the same."""
    return "".join(rng.choice(_HOMOGLYPHS[c]) if c in _HOMOGLYPHS and rng.random() < 0.67 else c for c in text)


def leetspeak(text: str, rng: random.Random) -> str:
    """Four fifths of the vowels and some consonants as digits and signs."""
    return "".join(rng.choice(_LEET[low]) if (low := c.lower()) in _LEET and rng.random() < 0.8 else c for c in text)


def spaced(text: str, _: random.Random) -> str:
    """A space between characters, two more between words."""
    return " ".join(text)


def spaced_tight(text: str, _: random.Random) -> str:
    """A space between characters and none between words: the borders of words are lost."""
    return "\n".join(" ".join("".join(line.split())) for line in text.splitlines())


def punctuated(text: str, rng: random.Random) -> str:
    """A dot, dash, star or bar between the characters of every word."""
    sign = rng.choice(".-*|")
    return " ".join(sign.join(word) for word in text.split(" "))


def base64_code(text: str, _: random.Random) -> str:
    """The whole text in base64, with nothing that says so."""
    return base64.b64encode(text.encode()).decode()


def hex_code(text: str, _: random.Random) -> str:
    """The bytes of the whole text in hexadecimal."""
    return text.encode().hex()


def percent_code(text: str, _: random.Random) -> str:
    """The bytes of the whole text as in a URL, letters too."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


def html_entities(text: str, _: random.Random) -> str:
    """Every character as a numeric HTML entity."""
    return "".join(f"&#{ord(c)};" for c in text)


def unicode_escapes(text: str, _: random.Random) -> str:
    r"""Every character as ``\uXXXX``."""
    units = text.encode("utf-16-be")
    return "".join(f"\\u{units[at] * 256 + units[at + 1]:04x}" for at in range(0, len(units), 2))


def tags(text: str, _: random.Random) -> str:
    """Invisible behind a harmless question: tag characters for ASCII, variation selectors as bytes for the rest."""
    if text.isascii():
        return "Hello!" + "".join(chr(0xE0000 + ord(c)) for c in text if c.isprintable())
    return "你好!" + "".join(chr(0xFE00 + b if b < 16 else 0xE0100 + b - 16) for b in text.encode())


def combining_marks(text: str, rng: random.Random) -> str:
    """One to three marks over, under and through every letter."""
    return "".join(c + ("".join(rng.choices(_MARKS, k=rng.randint(1, 3))) if c.isalpha() else "") for c in text)


def small_capitals(text: str, _: random.Random) -> str:
    """Latin letters as small capitals."""
    return "".join(_SMALL_CAPITALS.get(c.lower(), c) for c in text)


def mathematical(text: str, _: random.Random) -> str:
    """Latin letters as bold mathematical ones."""
    return "".join(
        chr(0x1D400 + ord(c) - 65) if "A" <= c <= "Z" else chr(0x1D41A + ord(c) - 97) if "a" <= c <= "z" else c
        for c in text
    )


#: The eight that the acceptance counts.
ACCEPTED: dict[str, Obfuscation] = {
    "full_width": full_width,
    "zero_width": zero_width,
    "homoglyphs": homoglyphs,
    "leetspeak": leetspeak,
    "spaced": spaced,
    "base64": base64_code,
    "percent": percent_code,
    "tags": tags,
}
#: And more, measured beside them.
OBFUSCATIONS: dict[str, Obfuscation] = ACCEPTED | {
    "spaced_tight": spaced_tight,
    "punctuated": punctuated,
    "hex": hex_code,
    "html_entities": html_entities,
    "unicode_escapes": unicode_escapes,
    "combining_marks": combining_marks,
    "small_capitals": small_capitals,
    "mathematical": mathematical,
}


@lru_cache(maxsize=1)
def _compatible() -> dict[str, str]:
    """Per Chinese character, a Kangxi radical or a compatibility ideograph that NFKC makes of it again."""
    codes = (*range(0xF900, 0xFADA), *range(0x2F00, 0x2FD6))
    return {plain: chr(c) for c in codes if (plain := unicodedata.normalize("NFKC", chr(c))) != chr(c)}
