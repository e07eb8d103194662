"""The measurement of drafts: whole, stored and read again, and honest about what it found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.engine.drafting import measure_drafts
from bench.engine.draftresult import DraftResult, drafts_json, read_drafts
from bench.engine.tables import drafts_table
from bench.errors import ResultFileError, UsageError
from tests.paths import DEMO


@pytest.fixture(scope="module")
def result() -> DraftResult:
    return measure_drafts(DEMO / "model.gguf", 1, 1, lambda share: None, known=3, asked=2)


def test_both_kinds_are_measured_and_compared(result: DraftResult) -> None:
    assert [row.kind for row in result.rows] == ["templated", "untemplated"]
    for row in result.rows:
        assert (row.answers, len(row.ratios)) == (2, 1)
        assert min(row.rates) > 0
        assert row.ratios[0] == pytest.approx(row.rates[0] / row.rates[1])
        assert 0 <= row.accepted_tokens <= row.drafted_tokens
        assert max(row.identical, row.identical_anyway) <= row.answers


def test_a_result_survives_its_file(result: DraftResult, tmp_path: Path) -> None:
    path = tmp_path / "drafts.json"
    path.write_text(drafts_json(result), encoding="utf-8")
    assert read_drafts(path) == result
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ResultFileError, match="drafts --out"):
        read_drafts(path)


def test_a_missed_limit_is_said(result: DraftResult) -> None:
    slow = replace(result, rows=tuple(replace(row, ratios=(0.5,)) for row in result.rows))
    assert [row[5] for row in drafts_table(slow).rows] == ["NO", "NO"]


def test_a_file_that_is_no_model_is_refused() -> None:
    with pytest.raises(UsageError, match=r"manifest\.json.*expected a GGUF"):
        measure_drafts(DEMO / "manifest.json", 1, 1, lambda share: None)
