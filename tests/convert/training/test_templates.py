"""Templates: the clusters are exactly what comparing every text with every other one gives."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from convert.training.corpus import Pair, apart_from, split_by_template, template_clusters
from convert.training.templates import SAME_TEMPLATE, clusters, shingles

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f"]), max_size=9).map(" ".join)


def _alike(one: str, other: str) -> bool:
    first, second = shingles(one), shingles(other)
    return len(first & second) >= SAME_TEMPLATE * len(first | second)


@given(st.lists(st.tuples(WORDS, st.sampled_from("pqrs")), max_size=12))
def test_two_items_are_together_only_if_a_chain_of_likeness_joins_them(items: list[tuple[str, str]]) -> None:
    groups = [{index} for index in range(len(items))]
    for one, other in combinations(range(len(items)), 2):
        if items[one][1] == items[other][1] or _alike(items[one][0], items[other][0]):
            joined = next(g for g in groups if one in g) | next(g for g in groups if other in g)
            groups = [g for g in groups if not g & joined] + [joined]
    found = clusters([text for text, _ in items], [key for _, key in items])
    assert {frozenset(i for i, c in enumerate(found) if c == cluster) for cluster in found} == set(
        map(frozenset, groups)
    )


@given(st.lists(WORDS, min_size=1, max_size=14), st.integers(0, 5))
def test_no_held_out_answer_is_made_from_a_template_that_was_trained_on(answers: list[str], seed: int) -> None:
    split = split_by_template([Pair(f"q{n}", answer, "") for n, answer in enumerate(answers)], 0.5, seed)
    assert not any(_alike(one.answer, other.answer) for one in split.train for other in split.held_out)


def test_a_template_is_one_however_many_answers_are_made_from_it() -> None:
    often = [Pair(f"q{n}", f"Please open the page and choose item {chr(97 + n % 26)} there.", "") for n in range(200)]
    assert len(set(template_clusters(often))) == 1


def test_chinese_answers_are_told_apart() -> None:
    one, same, other = (
        "您的订单已经发货，请耐心等待。",
        "您的订单已经发货，请您耐心等待。",
        "退款将在三个工作日内到账。",
    )
    first, second, third = clusters([one, same, other], ["1", "2", "3"])
    assert first == second != third


def test_what_shares_a_template_or_a_question_with_new_rows_is_taken_out() -> None:
    held = [Pair("one", "Open your account and choose Orders.", ""), Pair("two", "We call you back soon.", "")]
    assert apart_from(held, [Pair("three", "Open your account and choose Orders now.", "")]) == held[1:]
    assert apart_from(held, [Pair("TWO?", "Nothing in common at all here.", "")]) == held[:1]
    assert apart_from(held, []) == held
    assert apart_from([], held) == []
