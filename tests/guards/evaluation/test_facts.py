"""The fact guard's figures: how they are counted, and what they are on the generated suite."""

from __future__ import annotations

import json

import pytest

from guards.errors import InputFileError
from guards.evaluation.facts import FactRow, evaluate_facts, is_caught, read_facts, report
from guards.evaluation.facts_suite import generated


def test_shares_are_counted_per_kind() -> None:
    rows = [
        FactRow("It is $5.", ("$5",), invented=False, kind="amount"),
        FactRow("It is $6.", ("$5",), invented=False, kind="amount"),
        FactRow("It is $7.", ("$5",), invented=True, kind="amount"),
        FactRow("It takes ages.", (), invented=True, kind="duration"),
    ]
    figures = evaluate_facts(rows)
    assert (figures.total.false_alarms, figures.total.recall) == (0.5, 0.5)
    assert (figures.kinds["amount"].honest, figures.kinds["amount"].recall) == (2, 1.0)
    assert figures.kinds["duration"].false_alarms is None
    assert (figures.missed, figures.alarms) == (("It takes ages.",), ("It is $6.",))
    assert json.loads(json.dumps(figures.to_dict()))["total"]["recall"] == 0.5
    assert "50.0 %" in report(figures)
    with pytest.raises(ValueError, match="at least one"):
        evaluate_facts([])


def test_rows_are_read_and_a_bad_line_is_named() -> None:
    good = '{"answer": "It is $5.", "trusted": ["$5"], "invented": false, "kind": "amount"}'
    assert list(read_facts([good, " "], "f")) == [FactRow("It is $5.", ("$5",), invented=False, kind="amount")]
    bad = (
        "[]",
        "{",
        '{"answer": 1}',
        '{"answer": "", "trusted": ""}',
        '{"answer": "", "trusted": [], "invented": "no"}',
    )
    for line in bad:
        with pytest.raises(InputFileError, match="2"):
            list(read_facts([good, line], "f"))


def test_any_sentence_of_an_answer_counts() -> None:
    answer = "I am happy to help you with that today. The fee for a cancellation is $5. Is there anything else?"
    assert is_caught(answer, [])
    assert not is_caught(answer, ["It costs 5 dollars"])


def test_the_generated_suite_is_passed() -> None:
    figures = evaluate_facts(generated(seed=1, pairs=390))
    assert figures.total.honest == figures.total.invented == 390
    assert figures.total.false_alarms is not None and figures.total.false_alarms <= 0.02
    assert figures.total.recall is not None and figures.total.recall >= 0.99
    assert len(figures.kinds) == 9


def test_the_same_seed_gives_the_same_suite() -> None:
    assert list(generated(5, 4)) == list(generated(5, 4))
    assert list(generated(5, 4)) != list(generated(6, 4))
