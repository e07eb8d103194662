"""A canary is found however it is said, and only a canary."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.leak.canary import CANARY_CHARS, GAP_CHARS, Canaries, canary, canary_from
from guards.views.normal import normalised

WORD = canary_from(b"an installation's key")


def found(text: str, *words: str) -> list[str]:
    return [text[hit.start : hit.end] for hit in Canaries(words or (WORD,)).scan(normalised(text)).hits]


def test_a_process_has_one_canary() -> None:
    assert canary() == canary()
    assert len(canary()) == CANARY_CHARS
    assert canary() != WORD


def test_a_key_has_one_canary() -> None:
    assert canary_from(b"an installation's key") == WORD
    assert canary_from(b"another installation's") != WORD
    with pytest.raises(ValueError, match="expected at least 16"):
        canary_from(b"short")


@pytest.mark.parametrize("word", ["", "short", "AEIOUaeiouAEIOUa", WORD + "b", WORD.upper()])
def test_other_words_are_no_canaries(word: str) -> None:
    with pytest.raises(ValueError, match="canary"):
        Canaries([word])


@pytest.mark.parametrize(
    "said",
    [
        WORD,
        WORD.upper(),
        " ".join(WORD),
        "-".join(WORD),
        "\u200b".join(WORD),
        ", ".join(WORD.title()),
        WORD[:8] + "\n" + WORD[8:],
        "".join(chr(ord(char) + 0xFEE0) for char in WORD),
        "\n".join(f"{number}. {char}" for number, char in enumerate(WORD, 1))[3:],
    ],
)
def test_every_spelling_is_found(said: str) -> None:
    assert found(f"The word is {said}, I think.") == [said]


@pytest.mark.parametrize("text", ["", WORD[:-1], WORD[1:], WORD[::-1], ("." * (GAP_CHARS + 1)).join(WORD)])
def test_other_texts_have_none(text: str) -> None:
    assert found(f"The {text}") == []


def test_several_canaries_are_told_apart() -> None:
    text = f"{canary()} and {WORD}"
    assert found(text, WORD, canary()) == [canary(), WORD]


PIECES = st.lists(st.sampled_from([*WORD, WORD[:5], WORD[5:], " ", "-", ". ", "a", "ü", "字"]), max_size=40).map(
    "".join
)


@given(PIECES, st.integers(0, 60))
def test_what_may_go_on_is_held_back(text: str, at: int) -> None:
    for whole in (text, text[:at] + WORD + text[at:]):
        detector = Canaries([WORD])
        held = detector.pending(normalised(whole[:at]))
        for hit in detector.scan(normalised(whole)).hits:
            assert hit.start >= held or hit.end <= at


@pytest.mark.parametrize("unit", [WORD[0], WORD[:-1], WORD[0] + " " * GAP_CHARS, " "])
def test_the_worst_texts_take_linear_time(unit: str) -> None:
    view = normalised((unit * 4000)[:4000])
    begun = time.process_time()
    Canaries([WORD]).scan(view)
    Canaries([WORD]).pending(view)
    assert time.process_time() - begun < 0.1
