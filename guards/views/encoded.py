r"""Base64, hexadecimal, binary, percent, HTML and \u codes read where they stand, one level deep.

A code counts only if it decodes to plausible text, so that order numbers, hashes and tracking codes stay what they are.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

from guards.views.leet import WORDS
from guards.views.normal import View, normalised
from guards.views.rewriting import Edit, rewritten

#: Runs of base64's letters with a capital or a digit after the first: an ordinary word has neither.
_BASE64 = re.compile(r"[\w+/\-](?=[a-z+/_\-]{0,40}[A-Z0-9])[\w+/\-]{6,}(?:\r?\n[\w+/\-]{4,})*={0,2}", re.ASCII)
#: What no ordinary word holds and nearly all base64 does.
_CODE_LIKE = re.compile(r"[a-z0-9+/_][A-Z]|[A-Za-z][0-9]|[0-9][a-z]")
_H = "[0-9A-Fa-f]"
_HEX = re.compile(rf"(?:0x)?{_H}{{2}}(?:(?:[ :,\-\n]|,? 0x)?{_H}{{2}}){{3,}}(?![0-9A-Za-z])")
_BINARY = re.compile(r"(?<!\d)[01]{8}(?:[ ,\n]?[01]{8}){2,}(?!\d)", re.ASCII)
_IN_URL = r"\w\-.~+/%?=&,:!"
_PERCENT = re.compile(rf"(?<![{_IN_URL}])[{_IN_URL}]*%[0-9a-f]{{2}}[{_IN_URL}]*", re.ASCII | re.IGNORECASE)
_PERCENT_CODE = re.compile("%[0-9a-f]{2}", re.IGNORECASE)
_ENTITY = re.compile(r"&#(?:x([0-9a-f]{1,6})|([0-9]{1,7}));?", re.IGNORECASE)
_CODE_POINT = rf"(?<![0-9A-Za-z])U\+{_H}{{4,6}}(?![0-9A-Za-z])(?: (?=U\+))?"
_ESCAPE = re.compile(rf"\\u\{{{_H}{{1,6}}\}}|\\u{_H}{{4}}|\\x{_H}{{2}}|\\U{_H}{{8}}|{_CODE_POINT}")
_ESCAPES = re.compile(f"(?:{_ESCAPE.pattern})+")
_ESCAPE_DIGITS = re.compile(f"{_H}+")
#: Fewer codes than this are a stray sign, or a file name with a blank.
_FROM_CODES = 3
_FROM_PERCENTS = 2
_NOT_HEX = re.compile("0x|[^0-9a-f]", re.IGNORECASE)
_NOT_BASE64 = re.compile(r"[^\w+/\-]", re.ASCII)
#: Shorter texts count only if they are common words: what is no code may look like letters by chance.
_SURE_CHARS = 9
_TEXT_SHARE = 0.85
_LETTER_SHARE = 0.5
_MARKS = frozenset(" \t\r\n.,;:!?'\"()-/$@#%&*。，！？：；、")
_WORD = re.compile("[A-Za-z]+")
_CHINESE = re.compile("[0-9A-Za-z.,!?:;。、]*[\u4e00-\u9fff]{2,}[\u4e00-\u9fff0-9A-Za-z.,!?:;。、]*")


def decoded(view: View) -> View:
    """The view with every code that holds text replaced by the text in normal form; the view itself if there is none.

    Each decoded character stands for the whole code. The result has at most 18 times the characters (NFKC's limit).
    "In place" means that what surrounds the code stays: ``decode this: aWdub3Jl`` reads ``decode this: ignore``.
    """
    text = view.text
    edits: list[Edit] = []
    for signs, reader in _READERS:
        if not signs or any(sign in text for sign in signs):
            edits += reader(text)
    if not edits:
        return view
    edits.sort(key=lambda edit: (edit.start, -edit.end))
    return rewritten(view, _outermost(view, edits))


def _outermost(view: View, edits: list[Edit]) -> Iterator[Edit]:
    end = 0
    for edit in edits:
        if edit.start >= end and edit.text:
            yield Edit(edit.start, edit.end, edit.text, (view.starts[edit.start], view.ends[edit.end - 1]))
            end = edit.end


def _base64(text: str) -> Iterator[Edit]:
    if not _CODE_LIKE.search(text):
        return
    for match in _BASE64.finditer(text):
        code = _NOT_BASE64.sub("", match.group()).replace("-", "+").replace("_", "/")
        if len(code) % 4 == 1 or code.islower() or code.isdigit():  # an ordinary word or number
            continue
        if (found := _text(base64.b64decode(code + "=" * (-len(code) % 4)))) is not None:
            yield Edit(match.start(), match.end(), found)


def _hex(text: str) -> Iterator[Edit]:
    for match in _HEX.finditer(text):
        if match.start() and text[match.start() - 1].isalnum():
            continue
        digits = _NOT_HEX.sub("", match.group())
        data = bytes.fromhex(digits[: len(digits) // 2 * 2])
        if (found := _text(data, wordless=not digits.isdigit())) is not None:
            yield Edit(match.start(), match.end(), found)


def _binary(text: str) -> Iterator[Edit]:
    for match in _BINARY.finditer(text):
        bits = re.sub("[^01]", "", match.group())
        data = bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))
        if (found := _text(data)) is not None:
            yield Edit(match.start(), match.end(), found)


def _percent(text: str) -> Iterator[Edit]:
    for match in _PERCENT.finditer(text):
        code = match.group()
        if len(_PERCENT_CODE.findall(code)) >= _FROM_PERCENTS:
            found = normalised(unquote_to_bytes(code.replace("+", " ")).decode("utf-8", "replace")).text
            yield Edit(match.start(), match.end(), found)


def _entities(text: str) -> Iterator[Edit]:
    found = list(_ENTITY.finditer(text))
    said = [_char(int(match[1], 16) if match[1] else int(match[2])) for match in found]
    if sum(map(str.isalnum, said)) >= _FROM_CODES:  # emoji and quotation marks in this form are no disguise
        for match, char in zip(found, said, strict=True):
            yield Edit(match.start(), match.end(), normalised(char).text)


def _escapes(text: str) -> Iterator[Edit]:
    runs = [(run, [_code(escape) for escape in _ESCAPE.findall(run.group())]) for run in _ESCAPES.finditer(text)]
    if sum(len(codes) for _, codes in runs) < _FROM_CODES:
        return
    for run, codes in runs:
        if "\\x" in run.group() and max(codes) > 0x7F and max(codes) < 0x100:
            said = bytes(codes).decode("utf-8", "replace")
        else:
            said = "".join(map(_char, codes)).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        yield Edit(run.start(), run.end(), normalised(said).text)


def _code(escape: str) -> int:
    return int(_ESCAPE_DIGITS.findall(escape)[0], 16)


def _char(code: int) -> str:
    return chr(code) if code <= 0x10FFFF else "\ufffd"


def _text(data: bytes, *, wordless: bool = True) -> str | None:
    """What the bytes say in UTF-8, in normal form; None if that is no plausible text.

    Plausible is printable text of letters, digits and common marks, half of it letters. If it is short, or may not be
    ``wordless``, half of its letters have to be in common words, or its characters common Chinese ones.
    """
    try:
        text = normalised(data.decode("utf-8")).text
    except UnicodeDecodeError:
        return None
    if not text.strip() or not all(char.isprintable() or char in "\t\r\n" for char in text):
        return None
    usual = sum(char.isalnum() or char in _MARKS for char in text)
    if usual < _TEXT_SHARE * len(text) or sum(map(str.isalpha, text)) < _LETTER_SHARE * len(text):
        return None
    if not text.isascii() and len(text) < _SURE_CHARS:
        return text if _CHINESE.fullmatch(text) and _is_common(text) else None
    if wordless and len(text) >= _SURE_CHARS:
        return text
    known = sum(len(word) for word in _WORD.findall(text) if word.lower() in _COMMON)
    return text if 2 * known >= len(text) else None


def _is_common(chinese: str) -> bool:
    """Whether all characters are among the 6,763 of GB 2312, a quarter of the block."""
    try:
        chinese.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


_COMMON = frozenset(word for word in WORDS.values() if len(word) > 2)
#: What reads a code, and what every text with such a code holds; nothing where that would spare nothing.
_READERS: tuple[tuple[tuple[str, ...], Callable[[str], Iterator[Edit]]], ...] = (
    ((), _base64),
    (tuple("234567"), _hex),
    (("0",), _binary),
    (("%",), _percent),
    (("&#",), _entities),
    (("\\", "U+"), _escapes),
)
