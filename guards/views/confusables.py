"""Lookalikes of Latin letters read as those letters, and marks taken off letters that nobody writes with them."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from guards.views.leet import WORDS, shape, word_of
from guards.views.lookalikes import FAUX, FLAG_LETTERS, LIKE, SHAPES
from guards.views.normal import View
from guards.views.rewriting import Edit, rewritten

_LATIN = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
_FOREIGN = "".join(sorted({*FAUX})) + "\u0370-\u03ff\u0400-\u052f\u0531-\u0556\u0561-\u0586\u13a0-\u13fd\uab70-\uabbf"
_FAUX = frozenset(FAUX)
_WORD = re.compile(f"[{_LATIN}{_FOREIGN}0-9@$]+")
_FOREIGN_LETTER = re.compile(f"[{_FOREIGN}]")
_LATIN_LETTER = re.compile(f"[{_LATIN}]")
#: Greek letters by themselves, and units: α, 5 μm, kΩ, Δt.
_UNIT = re.compile(r"μ[A-Za-z]{1,2}|Δ[A-Za-z]|[kMG]?Ω|[α-ωΑ-Ω]")
_SHAPE = re.compile(f"[{''.join(SHAPES)}]+|[{''.join(FLAG_LETTERS)}]+")
_UNSHAPED = SHAPES | FLAG_LETTERS
#: A row of more flags than this is letters.
_FLAGS = 4

_MARK = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20dc\u20e5-\u20f0\ufe20-\ufe2f"
#: Keycaps and the like, which belong on digits.
_ENCLOSING = "\u20dd-\u20e4"
#: Such a mark on a letter of Latin, Greek, Cyrillic or Chinese with which it did not compose.
_MARKED = re.compile(f"[{_MARK}{_ENCLOSING}](?<=[{_LATIN}\u0370-\u052f\u4e00-\u9fff].)|[{_MARK}](?<=[0-9].)", re.DOTALL)
_ACCENTED = (
    "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f\u01cd-\u01dc\u01e6-\u01ed\u01f0\u01f4\u01f5\u0200-\u021b\u1e00-\u1e99"
)
_ACCENTED_LETTER = re.compile(f"[{_ACCENTED}]")
#: Three accented letters near one another: every dense word has them.
_MAY_BE_DENSE = re.compile(f"[{_ACCENTED}][{_LATIN}]{{0,3}}[{_ACCENTED}][{_LATIN}]{{0,3}}[{_ACCENTED}]")
_LATIN_WORD = re.compile(f"[{_LATIN}]+")
_UNMARKED = re.compile(f"[\u00c0-\u024f\u1e00-\u1eff]+|[{_MARK}]+|(?<![0-9#*\ufe0f])[{_ENCLOSING}]")
#: Letters with strokes, which Unicode does not decompose.
_STROKES = dict(zip("øØłŁđĐħĦŧŦƀɨı", "oOlLdDhHtTbii", strict=True))


_ALL_MARKS = ((0x300, 0x36F), (0x483, 0x489), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20F0), (0xFE20, 0xFE2F))
_ALL_ACCENTED = ((0xC0, 0x21B), (0x1E00, 0x1E99))
#: A text without any of these is what it seems.
_SUSPICIOUS = frozenset(
    {*FAUX, *_UNSHAPED, *(chr(code) for first, last in _ALL_MARKS + _ALL_ACCENTED for code in range(first, last + 1))}
)


def folded(view: View) -> View:
    """The view with lookalikes read as Latin letters; the view itself where nothing is suspicious.

    Read are: words that mix Latin letters with lookalikes, or lookalikes of several scripts; words of nothing but
    lookalikes of one script where most words are Latin; small capitals, phonetic and enclosed letters; letters under
    heaps of marks. A word of another script in a text of that script stays. What may be an i or an l is
    whichever makes a common word.
    """
    if view.text.isascii() or _SUSPICIOUS.isdisjoint(view.text):
        return view
    view = _without_marks(view)
    view = rewritten(view, _shapes(view.text))
    return rewritten(view, _words(view.text))


def _shapes(text: str) -> Iterator[Edit]:
    """Letters in shapes that no spelling uses, and regional indicators that are no flags: odd ones, or very many."""
    for match in _SHAPE.finditer(text):
        run = match.group()
        if run[0] in SHAPES or len(run) % 2 or len(run) > 2 * _FLAGS:
            yield Edit(match.start(), match.end(), "".join(_UNSHAPED[char] for char in run))


def _words(text: str) -> list[Edit]:
    """Words with lookalikes that are not simply words of another script, as Latin words."""
    if _FAUX.isdisjoint(text):
        return []
    latin = 0
    mixed: list[Edit] = []
    pure: list[tuple[Edit, str]] = []
    native: Counter[str] = Counter()
    for match in _WORD.finditer(text):
        word = match.group()
        if not _FOREIGN_LETTER.search(word):
            latin += 1
            continue
        scripts = {_script(char) for char in word if not char.isdigit() and char not in "@$"}
        if len(scripts) > 1:
            if not _UNIT.fullmatch(word):
                mixed.append(Edit(match.start(), match.end(), _latin(word)))
        elif all(char in LIKE or char.isascii() for char in word):
            pure.append((Edit(match.start(), match.end(), _latin(word)), scripts.pop()))
        else:
            native[scripts.pop()] += 1
    latin += len(mixed)
    pure = [(edit, script) for edit, script in pure if latin > native[script]]
    alone = all(_UNIT.fullmatch(text, edit.start, edit.end) for edit, _ in pure)
    found = mixed if alone and not mixed else [*mixed, *(edit for edit, _ in pure)]
    return sorted(found, key=lambda edit: edit.start)


def _latin(word: str) -> str:
    """The word in Latin letters; a sigma, which NFKC makes of the lunate one too, as an E or a C."""
    read = "".join(FAUX.get(char, char) for char in word)
    if "Σ" in word and shape(read) not in WORDS:
        read = "".join("C" if char == "Σ" else FAUX.get(char, char) for char in word)
    return (word_of(read) or read.replace("|", "l")) if "|" in read else read


def _script(char: str) -> str:
    """First word of the character's Unicode name, which for letters is the script; all Latin shapes are one."""
    if _LATIN_LETTER.match(char):
        return "LATIN"
    return unicodedata.name(char, "?").partition(" ")[0]


def _without_marks(view: View) -> View:
    """Marks and accents taken off, if some did not compose or a word of several letters has one on every other."""
    text = view.text
    dense = _MAY_BE_DENSE.search(text) and any(map(_is_dense, _LATIN_WORD.findall(text)))
    if not dense and not _MARKED.search(text):
        return view
    return rewritten(view, (Edit(m.start(), m.end(), "".join(map(_bare, m.group()))) for m in _UNMARKED.finditer(text)))


def _is_dense(word: str) -> bool:
    accented = len(_ACCENTED_LETTER.findall(word))
    return accented >= 3 and 2 * accented >= len(word)


@lru_cache(maxsize=2048)
def _bare(char: str) -> str:
    if char in _STROKES:
        return _STROKES[char]
    return "".join(part for part in unicodedata.normalize("NFD", char) if unicodedata.category(part)[0] != "M")
