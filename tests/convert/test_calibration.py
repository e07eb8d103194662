"""Thresholds and areas under the curve, against their definitions."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convert.errors import InputError
from convert.guard.calibration import Limits, auc, figures, lowest_threshold, threshold
from convert.guard.samples import Sample, read_samples

SCORES = st.lists(st.integers(0, 20).map(lambda n: n / 20), max_size=60)


@given(SCORES, SCORES)
def test_auc_is_the_chance_that_a_positive_outranks_a_negative(positive: list[float], negative: list[float]) -> None:
    found = auc(np.array(positive + negative), np.arange(len(positive) + len(negative)) < len(positive))
    if not positive or not negative:
        assert math.isnan(found)
    else:
        wins = [1.0 if p > n else 0.5 if p == n else 0.0 for p in positive for n in negative]
        assert found == pytest.approx(sum(wins) / len(wins))


@given(SCORES, st.floats(0, 1))
def test_no_lower_threshold_keeps_the_share(scores: list[float], share: float) -> None:
    array = np.array(scores)
    at = lowest_threshold(array, share)
    assert (array >= at).sum() <= share * len(scores)
    if at > 0:
        assert (array >= np.nextafter(at, 0)).sum() > share * len(scores)


def of(source: str, target: float | None, *, legitimate: bool = False) -> Sample:
    return Sample("x", {} if target is None else {"toxicity": target}, source, legitimate)


def test_every_kind_of_legitimate_text_has_its_limit() -> None:
    samples = [of("requests", 0.0, legitimate=True)] * 990 + [of("angry", 0.0, legitimate=True)] * 10
    samples += [of("comments", 0.0)] * 100
    scores = np.array([0.1] * 990 + [0.8] * 10 + [0.2] * 95 + [0.6] * 5)
    loose = Limits(legitimate=0.01, kind=1.0, other=0.05, lowest=0.0)
    assert threshold("toxicity", samples, scores, loose) == pytest.approx(
        0.2
    )  # ten of a thousand may pass, and five of 100
    strict = Limits(legitimate=0.01, kind=0.02, other=0.05, lowest=0.0)
    assert threshold("toxicity", samples, scores, strict) == pytest.approx(0.8)
    assert threshold("toxicity", samples, scores, Limits(kind=1.0, lowest=0.5)) == 0.5


def test_texts_of_the_label_and_unknown_ones_bind_no_threshold() -> None:
    samples = [of("requests", 0.0, legitimate=True), of("toxic", 1.0), of("unknown", None, legitimate=True)]
    assert threshold("toxicity", samples, np.array([0.1, 0.9, 0.9]), Limits(lowest=0.0)) == pytest.approx(0.1)


def test_figures_leave_out_what_is_unclear() -> None:
    samples = [of("a", 0.0), of("a", 1.0), of("a", 0.5), of("b", None), of("b", 0.2)]
    found = figures("toxicity", samples, np.array([0.1, 0.9, 0.0, 0.0, 0.95]), at=0.5)
    assert found["samples"] == 3 and found["auc"] == 0.5
    assert found["a"] == {"positives": 1, "negatives": 1, "auc": 1.0, "recall": 1.0, "false_alarms": 0.0}
    assert found["b"] == {"positives": 0, "negatives": 1, "false_alarms": 1.0}


def test_samples_are_read_from_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"text": "hi", "targets": {"toxicity": 0}, "legitimate": true}\n', encoding="utf-8")
    assert read_samples(path) == [Sample("hi", {"toxicity": 0.0}, "mine", legitimate=True)]


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('{"targets": {}}', "mine.jsonl:1: has no field 'text'"),
        ('{"text": "hi"}', "'targets'"),
        ('{"text": "hi", "targets": {"toxicity": "yes"}}', "'toxicity' is str; expected float"),
        ('{"text": "hi", "targets": {"toxicity": 2}}', "expected 0 to 1"),
        ('{"text": "hi", "targets": {}, "legitimate": 1}', "'legitimate' is int"),
        ("[]", "expected one JSON object"),
        ("{", "not JSON"),
    ],
)
def test_malformed_samples_are_named(tmp_path: Path, line: str, complaint: str) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_samples(path)
    assert complaint in str(caught.value)
