"""Judging answers: intents from the training half's answers, placeholders against the references."""

from __future__ import annotations

import pytest

from convert.training.corpus import Pair, Split
from convert.training.judge import IntentJudge, judge_intents, judge_placeholders
from convert.training.metrics import compare

TRAIN = [
    Pair("a", "Your refund will be paid back to your card.", "get_refund"),
    Pair("b", "The money of the refund goes back to you.", "get_refund"),
    Pair("c", "Your parcel is on its way and arrives tomorrow.", "track_order"),
    Pair("d", "The courier has the parcel, it arrives soon.", "track_order"),
]
ASKED = [Pair("e", "We refund the money.", "get_refund"), Pair("f", "The parcel arrives.", "track_order")]


def test_an_answer_is_right_if_it_is_about_what_was_asked_in_whatever_words() -> None:
    right = judge_intents(TRAIN, ASKED, ["the money of your refund", "courier on its way"])
    assert right is not None
    assert (right.intents, right.judged, right.accuracy, right.ceiling) == (2, 2, 1.0, 1.0)
    swapped = judge_intents(TRAIN, ASKED, ["courier on its way", "the money of your refund"])
    assert swapped is not None
    assert (swapped.accuracy, swapped.ceiling) == (0.0, 1.0)


def test_without_two_known_intents_nothing_is_judged() -> None:
    assert judge_intents([], ASKED, ["a", "b"]) is None
    assert judge_intents(TRAIN[:2], ASKED, ["a", "b"]) is None
    assert judge_intents(TRAIN, [Pair("q", "a", "unheard_of")], ["a"]) is None


def test_the_judge_tells_the_fixtures_held_out_references_apart_better_than_chance(split: Split) -> None:
    judge = IntentJudge(split.train)
    right = sum(judge.intent(pair.answer) == pair.intent for pair in split.held_out)
    assert right / len(split.held_out) > 2 / len(judge.intents)


def test_placeholders_are_counted_as_sets_and_spelled_in_one_way() -> None:
    found = judge_placeholders(
        ["{{Purchase Number}} {{Order Number}} at {{Website URL}}", "nothing", "{{Company Name}}"],
        ["{{Order Number}}", "{{Invoice Number}}", "nothing"],
    )
    assert (found.written, found.expected) == (3, 2)
    assert (found.precision, found.recall) == (pytest.approx(1 / 3), pytest.approx(1 / 2))
    none = judge_placeholders(["a"], ["b"])
    assert (none.precision, none.recall) == (None, None)


def test_answers_that_are_the_references_get_full_marks_and_the_signature_says_how() -> None:
    found = compare([pair.answer for pair in TRAIN], TRAIN, TRAIN)
    assert found.bleu == pytest.approx(100.0)
    assert found.rouge_l == 1.0
    assert found.intents is not None
    assert found.intents.accuracy == 1.0
    assert found.bleu_signature.startswith("nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:")
