"""The generated suite is what it says, and the numbers in it are found."""

from __future__ import annotations

import json

import phonenumbers

from guards.evaluation.pii_cases import generate_pii_cases
from guards.evaluation.pii_suite import evaluate_pii_suite, report
from guards.pii.find import PiiKind, PiiOptions


def test_the_suite_is_reproducible_and_half_lookalikes() -> None:
    cases = generate_pii_cases(400, seed=7)
    assert cases == generate_pii_cases(400, seed=7) != generate_pii_cases(400, seed=8)
    assert sum(case.kind is None for case in cases) == 200
    assert all(0 <= case.start < case.end <= len(case.text) for case in cases)


def test_generated_mobile_numbers_are_valid_ones() -> None:
    mobiles = [case for case in generate_pii_cases(400) if case.source == "mobile"]
    assert mobiles
    assert all(
        phonenumbers.is_possible_number(phonenumbers.parse(case.text[case.start : case.end], "CN")) for case in mobiles
    )


def test_precision_and_recall_of_ids_and_phones() -> None:
    figures = evaluate_pii_suite(2000, seed=3)
    for kind in (PiiKind.ID, PiiKind.PHONE):
        assert figures.kinds[kind].cases > 100
        assert figures.kinds[kind].recall >= 0.99
        assert figures.kinds[kind].precision >= 0.99


def test_what_is_missed_lowers_recall_and_is_shown() -> None:
    figures = evaluate_pii_suite(300, options=PiiOptions(kinds=(PiiKind.PHONE,), regions=("SG",)))
    assert figures.kinds[PiiKind.PHONE].recall < 1.0
    assert figures.failures["id"] > 0
    assert "failed: " in report(figures)
    assert json.loads(json.dumps(figures.to_dict()))["kinds"]["PHONE"]["recall"] < 1.0
