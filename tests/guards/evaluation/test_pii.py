"""Figures for labelled personal data: counted by kind, and nothing hidden that nobody looks for."""

from __future__ import annotations

import json

import pytest

from guards.errors import InputFileError
from guards.evaluation.pii import LabelledPii, LabelledSpan, evaluate_pii, read_labelled_pii, report
from guards.pii.find import PiiKind, PiiOptions

ROWS = (
    LabelledPii("call 13800138000 or John", (LabelledSpan("PHONE_NUMBER", 5, 16), LabelledSpan("PERSON", 20, 24))),
    LabelledPii("I am Mr. Bond, 42", (LabelledSpan("PERSON", 9, 13), LabelledSpan("AGE", 15, 17))),
    LabelledPii("my zip code is 90210", (LabelledSpan("ZIP_CODE", 15, 20),)),
    LabelledPii("me@example.com", ()),
)


def test_every_kind_is_counted() -> None:
    figures = evaluate_pii(ROWS)
    phone, name, address, email = (
        figures.kinds[kind] for kind in (PiiKind.PHONE, PiiKind.NAME, PiiKind.ADDRESS, PiiKind.EMAIL)
    )
    assert (phone.labelled, phone.found, phone.whole, phone.recall, phone.precision) == (1, 1, 1, 1.0, 1.0)
    assert (name.labelled, name.found, name.recall) == (2, 1, 0.5)
    assert (address.labelled, address.recall, address.findings, address.right) == (0, None, 1, 1)
    assert (email.findings, email.right, email.precision) == (1, 0, 0.0)
    assert figures.not_sought == {"AGE": 1, "ZIP_CODE": 1}


def test_a_kind_that_is_switched_off_is_not_sought() -> None:
    figures = evaluate_pii(ROWS, PiiOptions(kinds=(PiiKind.EMAIL,)))
    assert set(figures.kinds) == {PiiKind.EMAIL}
    assert figures.not_sought["PERSON"] == 2


def test_the_report_names_kinds_and_what_is_not_looked_for() -> None:
    figures = evaluate_pii(ROWS)
    text = report(figures)
    assert "NAME" in text and "not looked for: AGE 1" in text
    assert json.loads(json.dumps(figures.to_dict()))["kinds"]["NAME"]["recall"] == 0.5


def test_reading_labelled_texts() -> None:
    line = json.dumps({"text": "me@example.com", "spans": [{"type": "EMAIL_ADDRESS", "start": 0, "end": 14}]})
    assert (
        list(read_labelled_pii([line, "", line], "f"))
        == [LabelledPii("me@example.com", (LabelledSpan("EMAIL_ADDRESS", 0, 14),))] * 2
    )


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[]",
        '{"text": "a"}',
        '{"text": 1, "spans": []}',
        '{"text": "a", "spans": [{"type": "x", "start": 0, "end": 2}]}',
    ],
)
def test_a_line_that_is_none_is_named(line: str) -> None:
    with pytest.raises(InputFileError, match="2"):
        list(read_labelled_pii(['{"text": "a", "spans": []}', line], "labelled.jsonl"))
