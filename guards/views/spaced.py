"""Letters and Chinese characters set apart by spaces, dots, dashes or other signs, joined again."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from guards.views.leet import WORDS, shape
from guards.views.normal import View
from guards.views.rewriting import Edit, rewritten
from guards.views.segments import borders

_LETTER = "A-Za-zÀ-ÖØ-öø-ÿ0-9@$!"
#: What sets letters apart: a few characters that are no letters.
_GAP = r"(?:[^\w@$!]|_){1,6}"
#: Single letters in a row. Each begins where no other can, so the time stays linear.
_ROW = re.compile(rf"(?<![^\W_])(?<![@$!])[{_LETTER}](?:{_GAP}[{_LETTER}](?![^\W_]))+")
#: The middle of a row: three letters, each after a gap. Most texts have none, and that is found out fast.
_MIDDLE = re.compile(rf"(?:[^\w@$!]|_)[{_LETTER}]{_GAP}[{_LETTER}]{_GAP}[{_LETTER}](?![^\W_])")
_EACH = re.compile(rf"([{_LETTER}])({_GAP})?")
_BLANKS = re.compile(r"\s+")
#: Rows of fewer letters may be abbreviations (U.S.A., R.S.V.P.) or sizes; they are joined beside a longer row.
_FROM_LETTERS = 5
_KNOWN_SHARE = 0.5
#: Letters per word in any language: gaps that make words of that length on average are the borders of words.
_SHORTEST_MEAN = 2.5
_LONGEST_MEAN = 9.0
_STOPS = frozenset(".,;:?!()")
#: Longer rows are no abbreviation and no list of models, even if they make no common words.
_LONG_LETTERS = 16
#: Of the letters of a row, at least this share are letters and not digits or signs.
_LETTER_SHARE = 0.6

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002a6df"
_HAN_GAP = r"(?:[^\w。!?\n]|_){1,5}"
#: A few Chinese characters, or a digit or letter by itself.
_HAN_PART = rf"(?:[{_HAN}]{{1,3}}|[A-Za-z0-9])"
_HAN_ROW = re.compile(rf"(?<![A-Za-z0-9]){_HAN_PART}(?:{_HAN_GAP}{_HAN_PART}(?![{_HAN}A-Za-z0-9])){{3,}}")
_HAN_MIDDLE = re.compile(rf"(?:[^\w。!?\n]|_){_HAN_PART}{_HAN_GAP}{_HAN_PART}(?:[^\w。!?\n]|_)")
_HAN_EACH = re.compile(rf"({_HAN_PART})({_HAN_GAP})?")
#: Mean number of characters between gaps from which a row is ordinary words with spaces or commas between them.
_ORDINARY_PART = 1.7
#: Lists of single characters are ordinary where their marks are: 红、黄、蓝、绿.
_LIST_MARKS = frozenset("、,;")
_LIST_PARTS = 8


def joined(view: View) -> View:
    """The view with letters that stand apart joined to words; the view itself if there are none.

    Borders of words are the gaps that differ from the most common gap of the row (``i.g.n.o.r.e a.l.l``, or wider
    spaces among single ones). Where there are none, or what stands between them is no word, the letters are cut into
    common words. Words are set apart by one space; marks of the sentence stay. Chinese is joined without spaces.
    """
    letters = _letters(view.text) if _MIDDLE.search(view.text) else ()
    han = _han(view.text) if not view.text.isascii() and _HAN_MIDDLE.search(view.text) else ()
    edits = [*letters, *han]
    if not edits:
        return view
    edits.sort(key=lambda edit: edit.start)
    return rewritten(
        view, [e for e, before in zip(edits, [None, *edits], strict=False) if not before or e.start >= before.end]
    )


def _letters(text: str) -> Iterator[Edit]:
    rows = [_Row(match) for match in _ROW.finditer(text)]
    rows = [row for row in rows if row.is_alphabetic()]
    if any(row.is_meant() for row in rows):
        for row in rows:
            yield from row.joined()


class _Row:
    """Single letters and the gaps between them; ``ends`` are the numbers of letters after which a word ends."""

    def __init__(self, match: re.Match[str]) -> None:
        self._parts = list(_EACH.finditer(match.string, match.start(), match.end()))
        self._gaps = [part[2] or "" for part in self._parts[:-1]]
        self._usual = Counter(self._gaps).most_common(1)[0][0]
        self._letters = "".join(part[1] for part in self._parts)
        self.ends = self._word_ends()

    def is_alphabetic(self) -> bool:
        return sum(map(str.isalpha, self._letters)) >= _LETTER_SHARE * len(self._letters)

    def is_meant(self) -> bool:
        """Whether the row is a disguise: half of it makes words of at least three letters, or it is long."""
        if len(self._letters) < _FROM_LETTERS:
            return False
        return len(self._letters) >= _LONG_LETTERS or self._known_share(sorted(self.ends)) >= _KNOWN_SHARE

    def joined(self) -> Iterator[Edit]:
        """What stands in place of the gaps: nothing within a word, a space or the sentence's mark between words."""
        for index, (part, gap) in enumerate(zip(self._parts, self._gaps, strict=False), start=1):
            mark = _within(gap, self._usual)
            if index in self.ends:
                mark = mark if mark.strip() else " "
            yield Edit(*part.span(2), mark.strip(" ") if index not in self.ends else mark)

    def _word_ends(self) -> set[int]:
        count = len(self._letters)
        wide = [index for index, gap in enumerate(self._gaps, start=1) if _is_wide(gap, self._usual)]
        if wide and len(wide) < count / _SHORTEST_MEAN:
            if count / (len(wide) + 1) <= _LONGEST_MEAN or self._known_share([*wide, count]) >= _KNOWN_SHARE:
                return {*wide, count}
        else:
            wide = []
        cuts = [*wide, *(index for index, gap in enumerate(self._gaps, start=1) if _within(gap, self._usual) in _STOPS)]
        edges = sorted({0, *cuts, count})
        spans = pairwise(edges)
        return {start + cut for start, end in spans for cut in borders(self._letters[start:end])}

    def _known_share(self, ends: list[int]) -> float:
        """Share of the letters that make common words of three letters or more."""
        words = [self._letters[start:end] for start, end in zip([0, *ends], ends, strict=False)]
        return sum(len(word) for word in words if len(word) > 2 and shape(word) in WORDS) / len(self._letters)


def _is_wide(gap: str, usual: str) -> bool:
    """Whether the gap is white space beyond the usual: the border of two words."""
    rest = gap.removeprefix(usual).removesuffix(usual) if len(gap) > len(usual) else gap
    return gap != usual and (rest == "" or any(map(str.isspace, rest)))


def _within(gap: str, usual: str) -> str:
    """What a gap holds besides what is usual, blanks made one: the mark of the sentence, or the border of a word."""
    if gap == usual or len(gap) <= len(usual):
        return ""
    return _BLANKS.sub(" ", gap.removeprefix(usual).removesuffix(usual)) if gap.strip() else ""


def _han(text: str) -> Iterator[Edit]:
    for row in _HAN_ROW.finditer(text):
        parts = list(_HAN_EACH.finditer(text, row.start(), row.end()))
        han = sum(len(part[1]) for part in parts if not part[1].isascii())
        if not 0.5 * len(parts) <= han <= _ORDINARY_PART * len(parts):
            continue
        gaps = [part[2] or "" for part in parts[:-1]]
        usual = Counter(gaps).most_common(1)[0][0]
        if len(parts) < _LIST_PARTS and usual in _LIST_MARKS:
            continue
        for part, gap in zip(parts, gaps, strict=False):
            yield Edit(*part.span(2), _within(gap, usual).strip())
