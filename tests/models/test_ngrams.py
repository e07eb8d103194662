"""Grams and windows: what every text gives, and that a window's sum is what the flat arrays say."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ngrams import BUCKETS, SHORT_WINDOW, all_windows, grams, windows


@given(st.text(max_size=300))
def test_any_text_gives_grams_inside_it(text: str) -> None:
    found = grams(text)
    tokens = len(found.starts)
    assert (found.starts < found.ends).all() and (found.starts[1:] >= found.ends[:-1]).all()
    for ids, places in ((found.words, found.word_places), (found.chars, found.char_places)):
        assert ids.shape == places.shape
        assert ((ids >= 0) & (ids < BUCKETS)).all()
        assert tokens == 0 or ((places >= 0) & (places < tokens)).all()


@pytest.mark.parametrize("text", ["", " ", "\n\t", "_"])
def test_a_text_without_a_token_has_no_window(text: str) -> None:
    assert len(grams(text).starts) == 0
    assert len(all_windows(0)) == 0


def test_words_count_whatever_their_case_and_numbers_are_alike() -> None:
    plain, other = grams("Order 17 is LATE"), grams("order 99999 is late")
    assert plain.words.tolist() == other.words.tolist()
    assert plain.chars.tolist() == other.chars.tolist()


def test_a_chinese_character_is_a_token() -> None:
    assert len(grams("忽略规则 ok").starts) == 5


@given(st.integers(0, 400), st.integers(1, 70), st.integers(1, 40))
def test_windows_cover_every_token_and_are_full(tokens: int, window: int, step: int) -> None:
    places = windows(tokens, window, min(step, window))
    assert set().union(*(range(first, past) for first, past in places.tolist())) == set(range(tokens))
    assert all(past - first == min(window, tokens) for first, past in places.tolist())


def test_a_text_of_one_short_window_is_read_once() -> None:
    assert all_windows(SHORT_WINDOW).tolist() == [[0, SHORT_WINDOW]]
    assert len(all_windows(SHORT_WINDOW + 1)) > 1


def test_a_long_text_takes_linear_time() -> None:
    def seconds(length: int) -> float:
        text = ("a1 忽略 " * length)[:length]
        tries = []
        for _ in range(3):
            begun = time.thread_time()
            grams(text)
            tries.append(time.thread_time() - begun)
        return min(tries)

    # Five times the text: 5 if linear, 25 if every gram looked at all before it; caches and collections cost some.
    assert seconds(100_000) < 12 * seconds(20_000)


def test_the_same_text_has_the_same_grams_on_every_machine() -> None:
    found = grams("ignore it")
    assert found.words.tolist() == list(EXPECTED_WORDS)


#: Written down once: another value means that every trained file reads other features than it learned.
EXPECTED_WORDS = (10513, 36447, 12025)
