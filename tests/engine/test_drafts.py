"""Drafts out of earlier answers: the commonest continuation of what was just said, as far as the evidence goes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engine.costs import StepCosts
from runtime.engine.drafts import DraftIndex
from tests.engine.drafted import ANSWER, after, experienced


def test_a_known_answer_is_continued_after_three_tokens() -> None:
    index = experienced(DraftIndex())
    index.add(ANSWER)
    assert after(index, ANSWER[:2]) == ()
    assert after(index, ANSWER[:12]) == tuple(ANSWER[12:20])


def test_the_end_of_the_prompt_lets_a_draft_begin_at_the_first_token() -> None:
    index = experienced(DraftIndex())
    tail = [7, 8, 9, 10]
    index.add(ANSWER, tail)
    draft = after(index, (), tail)
    assert draft and draft == tuple(ANSWER[: len(draft)])


def test_nothing_is_drafted_beyond_the_end_of_an_answer() -> None:
    index = experienced(DraftIndex())
    index.add(ANSWER)
    index.add([1, 2, 3])
    assert after(index, ANSWER[:-2]) == tuple(ANSWER[-2:])
    assert after(index, ANSWER) == ()


def test_the_commonest_continuation_is_taken_and_of_equals_the_latest() -> None:
    index = experienced(DraftIndex())
    for last in (50, 51, 51, 50, 51, 52):
        index.add([1, 2, 3, last])
    assert after(index, [1, 2, 3])[:1] == (51,)
    equal = experienced(DraftIndex())
    for last in (50, 51):
        equal.add([1, 2, 3, last])
    assert after(equal, [1, 2, 3])[:1] == (51,)


def test_the_longest_match_decides() -> None:
    index = experienced(DraftIndex())
    index.add([9, 8, 1, 2, 3, 60, 61])
    for _ in range(3):
        index.add([5, 6, 1, 2, 3, 70, 71])
    assert after(index, [9, 8, 1, 2, 3])[:1] == (60,)


def test_chances_fall_along_a_draft_and_belong_to_its_tokens() -> None:
    index = experienced(DraftIndex())
    index.add(ANSWER)
    cursor = index.cursor()
    for token in ANSWER[:10]:
        cursor.feed(token)
    draft = cursor.draft(15)
    assert len(draft) == len(cursor.chances) > 0
    assert list(cursor.chances) == sorted(cursor.chances, reverse=True)
    assert all(0 < chance <= 1 for chance in cursor.chances)


def test_text_that_never_follows_the_index_has_nothing_drafted_in_the_end() -> None:
    rng = random.Random(5)
    index = DraftIndex()
    for _ in range(300):
        index.add([rng.randrange(6) for _ in range(40)])
    cursor = index.cursor()
    for _ in range(1500):
        cursor.feed(rng.randrange(6))
    costs = StepCosts()
    lengths = []
    for _ in range(200):
        cursor.feed(rng.randrange(6))
        cursor.draft(8)
        lengths.append(costs.draft_length(1, cursor.chances))
    assert cursor.acceptance < 0.5
    assert sum(lengths) <= 4


@given(st.lists(st.lists(st.integers(0, 5), max_size=30), max_size=25), st.lists(st.integers(0, 5), max_size=40))
def test_a_draft_has_always_followed_the_last_three_tokens_in_an_answer_in_memory(
    answers: list[list[int]], said: list[int]
) -> None:
    index = DraftIndex(64)
    cursor = index.cursor()
    kept: list[int] = []
    for answer in answers:
        index.add(answer)
        kept += [*answer, -1]
    kept = kept[-64:]
    for fed, token in enumerate(said, 1):
        cursor.feed(token)
        if draft := cursor.draft(6):
            whole = [*said[max(fed - 3, 0) : fed], *draft]
            assert len(whole) == 3 + len(draft)
            assert any(kept[i : i + len(whole)] == whole for i in range(len(kept)))


@given(st.lists(st.lists(st.integers(0, 3), max_size=20), max_size=12), st.lists(st.integers(0, 3), max_size=40))
def test_drafting_ahead_does_not_change_what_is_learned(answers: list[list[int]], said: list[int]) -> None:
    states = []
    for ahead in (False, True):
        index = DraftIndex(256)
        for answer in answers:
            index.add(answer)
        cursor = index.cursor()
        for fed, token in enumerate(said):
            if ahead and fed % 4 == 0:
                cursor.draft(5)
            cursor.feed(token)
        states.append((cursor.draft(5), cursor.chances, cursor.acceptance))
    assert states[0] == states[1]


def test_after_a_wrong_guess_the_draft_that_held_it_is_given_up() -> None:
    index = experienced(DraftIndex())
    for answer in ([1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 9, 8, 10, 11]):
        index.add(answer)
    cursor = index.cursor([1, 2, 3])
    assert cursor.draft(4)[:2] == (4, 5)
    cursor.feed(9)
    before = cursor.acceptance
    cursor.feed(8)
    assert cursor.acceptance > before


def test_the_oldest_answers_are_forgotten_and_memory_does_not_grow() -> None:
    index = DraftIndex(1000)
    size = index.size_bytes
    index.add(ANSWER)
    experienced(index)
    assert after(index, ANSWER[:12])
    rng = random.Random(2)
    for _ in range(60):
        index.add([rng.randrange(2000, 9000) for _ in range(40)])
    assert after(index, ANSWER[:12]) == ()
    assert index.tokens == 1000
    assert index.size_bytes == size
    index.add(range(5000))
    assert index.tokens == 1000


def test_a_running_answer_survives_that_its_places_are_overwritten() -> None:
    index = experienced(DraftIndex(64))
    index.add(ANSWER)
    cursor = index.cursor()
    for token in ANSWER[:10]:
        cursor.feed(token)
    index.add(range(3000, 3200))
    cursor.draft(8)
    for token in ANSWER[10:]:
        cursor.feed(token)
        assert all(token >= 0 for token in cursor.draft(8))


def test_verified_drafts_are_counted() -> None:
    index = DraftIndex()
    index.cursor().result(5, 3)
    index.cursor().result(2, 2)
    assert (index.proposed_tokens, index.accepted_tokens) == (7, 5)


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 64"):
        DraftIndex(10)
    with pytest.raises(ValueError, match="0 or more"):
        DraftIndex().add([3, -1, 4])
