"""Normalised views: the same text as Unicode's own normalisation, with offsets that lead back."""

from __future__ import annotations

import re
import sys
import time
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from guards.views.normal import _SIMPLE as SIMPLE
from guards.views.normal import MAX_MARKS, damage_in, normalised, visible

#: Letters that join, split, reorder, vanish or stay; plain text() meets too few of them side by side.
AWKWARD = st.text(
    st.sampled_from(
        "aeA1 é\u0301\u0323\u0308ﬁ①ａ１，。漢字İ\n👍\U0001f3fd"
        "\u200b\u200d\ufe0f\U000e0041\u3164\x00\x07\ud800"
        "\uac00\u1100\u1161\u11a8\uff9e\u30ab\u09c7\u09be"
        "\u0645\u06cc\u200c\u0915\u094d\u0937👩💻❤1\u20e3🏴\U000e0067\U000e0062\U000e007f"
    ),
    max_size=40,
)
ANY = st.one_of(AWKWARD, st.text(max_size=60), st.text(st.characters(), max_size=30))


def most_marks(text: str) -> int:
    """Length of the longest run of characters that may join the one before them."""
    marks = re.findall(r"[^\W\d_]?((?:[\u0300-\u036f\u1160-\u11ff\uff9e]|[^\w\s])+)", visible(text))
    return max(map(len, marks), default=0)


@given(ANY)
def test_view_is_nfkc_of_what_is_visible(text: str) -> None:
    assume(most_marks(text) <= MAX_MARKS)
    assert normalised(text).text == unicodedata.normalize("NFKC", visible(text))


@given(ANY, st.integers(0, 1000))
def test_offsets_are_valid_and_lead_back(text: str, base: int) -> None:
    view = normalised(text, base)
    assert len(view.starts) == len(view.ends) == len(view.text)
    assert all(0 <= start < end <= len(text) for start, end in zip(view.starts, view.ends, strict=True))
    assert list(view.starts) == sorted(view.starts)
    assert list(view.ends) == sorted(view.ends)
    for index, char in enumerate(view.text):
        start, end = view.span(index, index + 1)
        said = text[start - base : end - base]  # a joiner that is kept for what stands around it is itself
        assert char in unicodedata.normalize("NFKC", visible(said)) or (char in said and not visible(char))
    covered = {at for start, end in zip(view.starts, view.ends, strict=True) for at in range(start, end)}
    assert all(at in covered for at, char in enumerate(text) if visible(char))


def test_every_pair_that_unicode_composes_is_composed() -> None:
    for code in range(sys.maxunicode + 1):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            pair = "".join(chr(int(part, 16)) for part in parts)
            assert normalised(pair).text == unicodedata.normalize("NFKC", pair), f"U+{code:04X}"


@pytest.mark.parametrize(
    ("text", "needle", "found"),
    [
        ("我的电话１３８", "138", "１３８"),
        ("a ﬁne day", "fi", "ﬁ"),
        ("ig\u200bno\u00adre it", "ignore", "ig\u200bno\u00adre"),
        ("x e\u0301t", "ét", "e\u0301t"),
        ("flag \U0001f3f4\U000e0067\U000e007f end", "end", "end"),
    ],
)
def test_spans_are_spans_of_the_original(text: str, needle: str, found: str) -> None:
    view = normalised(text)
    at = view.text.index(needle)
    start, end = view.span(at, at + len(needle))
    assert text[start:end] == found


def test_origin_of_the_end_is_the_end() -> None:
    view = normalised("ab\u200b", base=7)
    assert (view.origin(0), view.origin(1), view.origin(2)) == (7, 8, 10)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain\ttext\r\n\x0b\x0c\x85", []),
        ("好的，谢谢👍", []),
        ("a\ud800b", [("encoding.surrogate", 1, 2)]),
        ("a\x00\x00b", [("encoding.nul", 1, 3)]),
        ("\x1b[31m \x7f", [("encoding.control", 0, 1), ("encoding.control", 6, 7)]),
        ("\x00\ud800\x01", [("encoding.nul", 0, 1), ("encoding.surrogate", 1, 2), ("encoding.control", 2, 3)]),
    ],
)
def test_damage_is_found_where_it_is(text: str, expected: list[tuple[str, int, int]]) -> None:
    assert [(damage.rule, damage.start, damage.end) for damage in damage_in(text)] == expected


@pytest.mark.parametrize(
    "text",
    [
        "👨\u200d👩\u200d👧\u200d👦",
        "❤\ufe0f\u200d🔥",
        "1\ufe0f\u20e3 #\ufe0f\u20e3",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "می\u200cخواهم",
        "क\u094d\u200dष क\u094d\u200cष",
        "ර\u0dca\u200dය",
    ],
)
def test_joiners_stay_where_a_script_or_an_emoji_needs_them(text: str) -> None:
    assert visible(text) == text
    assert normalised(text).text == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("ig\u200dno\u200cre", "ignore"),
        ("忽\u200d略\ufe0f", "忽略"),
        ("1\ufe0f 2\u200d3", "1 23"),
        ("👍\u200d", "👍"),
        ("\u200dsalaam م\u200ca", "salaam مa"),
        ("a\U000e0069\U000e0067b", "ab"),
        ("🏴\U000e0069\U000e0067\U000e006e\U000e006f\U000e0072\U000e0065\U000e007f", "🏴"),
        ("x\ufe00\ufe01\U000e0100", "x"),
    ],
)
def test_stray_invisible_characters_go(text: str, left: str) -> None:
    assert normalised(text).text == left


def test_the_fast_path_takes_only_characters_that_stay_single() -> None:
    for code in range(sys.maxunicode + 1):
        if SIMPLE.fullmatch(chr(code)):
            one = unicodedata.normalize("NFKC", chr(code))
            assert len(one) == 1, f"U+{code:04X}"
            assert unicodedata.category(one)[0] != "M", f"U+{code:04X}"
            assert unicodedata.normalize("NFKC", "a" + one) == "a" + one, f"U+{code:04X}"


@pytest.mark.parametrize("marks", ["\u0301" * 100_000, "\u0301" * 50_000 + "\u0323" * 50_000, "\u0301\u0323" * 50_000])
def test_heaps_of_marks_take_linear_time(marks: str) -> None:
    begun = time.process_time()
    assert len(normalised("a" + marks).text) <= 100_001
    assert time.process_time() - begun < 1.0
