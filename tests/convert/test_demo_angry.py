"""Written messages of angry customers: the grammar, sides that stay apart, and pairs that differ by an attack."""

from __future__ import annotations

import random
import re
from itertools import pairwise

import pytest

from convert.demo.angry import (
    ATTACKS,
    DEALT_SLOTS,
    LANGUAGES,
    SIDES,
    TEST_TOPICS,
    Wordings,
    attack,
    expand,
    joined,
    say,
    wordings,
    worn,
)
from convert.demo.angry_data import PASSING, Amounts, tempers
from convert.demo.toxicity import Example

ASKED = ("where is my refund", "cancel order 5512 please")
SLOTS = {"thing": ("kettle",), "damn": ("bloody",)}


def lines_of(given: Wordings) -> set[str]:
    return {line for topics in given.lines.values() for part in topics.values() for line in part}


@pytest.fixture(scope="module", params=SIDES)
def made(request: pytest.FixtureRequest) -> list[Example]:
    return tempers(ASKED, Amounts(angry=300, abuse=200), 3, request.param)


def test_a_line_becomes_one_of_its_texts() -> None:
    rng = random.Random(0)
    found = {expand("[my|the] {damn} {thing}[| broke]", SLOTS, rng, heat=0.5) for _ in range(200)}
    assert found == {
        f"{a} {b}kettle{c}" for a in ("my", "the") for b in ("", "bloody ") for c in ("", " broke")
    }  # no text keeps a second blank where the swear word was left out


def test_heat_is_the_share_of_swear_words() -> None:
    rng = random.Random(0)
    assert {expand("{damn} it", SLOTS, rng, heat=1.0) for _ in range(50)} == {"bloody it"}
    assert {expand("{damn} it", SLOTS, rng, heat=0.0) for _ in range(50)} == {"it"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_can_be_written(language: str) -> None:
    rng = random.Random(0)
    for side in SIDES:
        given = wordings(language, side)
        for line in lines_of(given):
            text = expand(line, given.slots, rng, heat=1.0)
            assert text and not re.search(r"[\[\]{}|]", text), line


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_side_says_what_another_does(language: str) -> None:
    sides = [wordings(language, side) for side in SIDES]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert not lines_of(sides[first]) & lines_of(sides[second])
        for slot in DEALT_SLOTS:
            assert not set(sides[first].slots[slot]) & set(sides[second].slots[slot])
    assert sides[2].lines["angry"].keys() >= TEST_TOPICS
    assert not TEST_TOPICS & (sides[0].lines["angry"].keys() | sides[1].lines["angry"].keys())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_is_on_every_side(language: str) -> None:
    for side in SIDES:
        given = wordings(language, side)
        assert {"angry", *ATTACKS} <= given.lines.keys() and all(given.lines[kind] for kind in given.lines)
        assert {attack(given, random.Random(n))[1] for n in range(60)} == set(ATTACKS)


def test_no_word_for_people_in_english_insults_is_one_for_things_in_the_anger() -> None:
    """A line on the wrong side of the border would teach the opposite of what it should."""
    given = wordings("en", "train")
    calm = " ".join(
        say(given, "angry", random.Random(n), heat=1.0) for n in range(3000)
    )  # customers quote what they were called, but call nobody so
    assert not re.search(r"\byou (are |\w+ )?(idiots?|morons?|bastards?|bitch(es)?|cunts?|assholes?)\b", calm)


def test_attacks_are_toxic_and_anger_is_not(made: list[Example]) -> None:
    for example in made:
        assert example.targets[0] == (0.0 if example.source in PASSING else 1.0)
        assert example.injection == 0.0
        assert example.source in PASSING or example.source in {"abuse", "abuse_zh"}
    assert PASSING | {"abuse", "abuse_zh"} == {example.source for example in made}
    assert {e.targets[2] for e in made if e.source in PASSING} == {0.0}
    assert any(e.targets[2] == 1.0 for e in made if e.source == "abuse")


def test_attacks_in_angry_messages_have_a_harmless_twin(made: list[Example]) -> None:
    """The twin follows the attack; the words of each of its sentences are in it, but for signs of wear."""
    pairs = [
        (first.text, second.text)
        for first, second in pairwise(made)
        if first.source == "abuse" and second.source == "angry"
    ]
    shared = [set(re.findall(r"\w+", b.lower())) - set(re.findall(r"\w+", a.lower())) for a, b in pairs]
    assert len(pairs) > 40 and sum(len(lost) <= 1 for lost in shared) > 0.8 * len(pairs)


def test_the_same_seed_makes_the_same_texts_and_sides_differ() -> None:
    small = Amounts(angry=20, abuse=20)
    again = [[e.text for e in tempers(ASKED, small, 3, side)] for side in ("train", "train", "test")]
    assert again[0] == again[1] != again[2]


def test_texts_vary(made: list[Example]) -> None:
    assert len({e.text for e in made}) > 0.75 * len(made)
    assert max(len(e.text) for e in made) < 700


def test_wear_keeps_most_of_a_text() -> None:
    for n in range(200):
        rng = random.Random(n)
        assert abs(len(worn("where is my parcel", "en", rng)) - 18) <= 12
        assert "快递" in worn("快递呢", "zh", rng)
        assert joined(["a b", "c d"], "en", rng).split("b")[1].strip(" ,.!?-\n").startswith("c d")
