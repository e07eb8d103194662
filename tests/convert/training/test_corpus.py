"""The corpus: one spelling of slots, no answer that nobody could fill, no template on both sides of the split."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convert.errors import InputError
from convert.training.corpus import (
    INSTRUCTION_FILE,
    PAIR_FILES,
    Pair,
    canonical_slots,
    clean_pair,
    read_jsonl,
    read_pairs,
    read_rephrasings,
    split_by_template,
    template_clusters,
)
from convert.training.dataset import read_file
from models.slots import SHOP_SLOTS, slots_in
from tests.convert import tiny

PAIRS = read_file(tiny.PAIRS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{Order Number}}", "{{Order Number}}"),
        ("{{ Purchase ID Anonymized }}", "{{Order Number}}"),
        ("{{Bill Number}}", "{{Invoice Number}}"),
        ("{{Toll-Free Number}}", "{{Customer Support Phone Number}}"),
        ("{{Customer Service Email Address}}", "{{Customer Support Email}}"),
        ("{{Login Page URL}}", "{{Website URL}}"),
        ("{{Store Name}}", "{{Company Name}}"),
        ("press {{Cancel Order}}", "press Cancel Order"),
        ("{{Delivery Time}}", "{{Delivery Time}}"),
        ("no slots", "no slots"),
    ],
)
def test_slots_are_spelled_in_one_way_and_buttons_become_text(text: str, expected: str) -> None:
    assert canonical_slots(text) == expected
    assert canonical_slots(expected) == expected


def test_numbers_become_slots() -> None:
    assert clean_pair("cancel order 12345", "Done.", "cancel_order") == Pair(
        "cancel order {{Order Number}}", "Done.", "cancel_order"
    )
    found = clean_pair("invoice #98765 please", "Here is {{Invoice Number}}.", "get_invoice")
    assert found is not None
    assert found.question == "invoice {{Invoice Number}} please"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("Where is it?", "Your order {{Order Number}} is here."),
        ("How much?", "It costs {{Refund Amount}}."),
        ("When?", "On {{Date}}."),
        ("Who?", "Ask {{Agent Name}}."),
        ("Where is it?", "Order 55555 is here."),
        ("", "An answer."),
        ("A question?", "   "),
    ],
)
def test_an_answer_that_nobody_could_fill_is_left_out(question: str, answer: str) -> None:
    assert clean_pair(question, answer, "track_order") is None


@given(
    st.lists(st.sampled_from(["cancel", "1234567", "{{Order Number}}", "{{Name}}", "{{Website URL}}", "x"]), max_size=6)
)
def test_cleaning_is_idempotent_and_leaves_only_what_can_be_filled(words: list[str]) -> None:
    found = clean_pair("about " + " ".join(words), "Yes: " + " ".join(words[:3]), "cancel_order")
    if found is not None:
        assert slots_in(found.answer) <= SHOP_SLOTS | slots_in(found.question)
        assert clean_pair(found.question, found.answer, found.intent) == found


def test_answers_of_one_template_and_the_same_questions_are_one_cluster() -> None:
    pairs = [
        Pair("one", "Please open your account and choose the page Orders to see it.", ""),
        Pair("two", "Please open your account and choose the page Invoices to see it.", ""),
        Pair("three", "Something else entirely, with no word in common.", ""),
        Pair("THREE!", "A colleague will answer within two working days or so.", ""),
    ]
    first, second, third, fourth = template_clusters(pairs)
    assert first == second
    assert third == fourth
    assert first != third


@given(st.integers(0, 100), st.sampled_from([0.1, 0.3, 0.5]), st.integers(0, 20))
def test_no_template_stands_on_both_sides_and_order_does_not_matter(order: int, share: float, seed: int) -> None:
    split = split_by_template(PAIRS, share, seed)
    assert {id(pair) for pair in (*split.train, *split.held_out)} == {id(pair) for pair in PAIRS}
    clusters = dict(zip(PAIRS, template_clusters(PAIRS), strict=True))
    assert not {clusters[pair] for pair in split.train} & {clusters[pair] for pair in split.held_out}
    shuffled = random.Random(order).sample(PAIRS, len(PAIRS))
    again = split_by_template(shuffled, share, seed)
    assert set(again.train) == set(split.train)


def test_a_data_folder_is_read_and_cleaned(tmp_path: Path) -> None:
    (tmp_path / "support").mkdir()
    good = {"instruction": "where is 55555", "response": "A\n\n\nB", "intent": "track_order"}
    bad = {"instruction": "where", "response": "On {{Date}}", "intent": "track_order"}
    for name in PAIR_FILES:
        (tmp_path / "support" / name).write_text("\n".join(json.dumps(row) for row in (good, bad)))
    pairs = read_pairs(tmp_path)
    assert pairs == [Pair("where is {{Order Number}}", "A\nB", "track_order")] * 2
    rows = [
        {"instruction": "Where is 7777?", "intent": "track_order"},
        {"instruction": "locate it", "intent": "track_order"},
    ]
    (tmp_path / "support" / INSTRUCTION_FILE).write_text("\n".join(json.dumps(row) for row in rows))
    assert read_rephrasings(tmp_path, pairs) == {"track_order": ["locate it"]}


def test_a_malformed_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\nnope\n')
    with pytest.raises(InputError, match=r"x\.jsonl:2: not JSON"):
        read_jsonl(path)
    with pytest.raises(InputError, match="no such file"):
        read_jsonl(tmp_path / "y.jsonl")
