"""Requests as CSV: one row each, a header that says what is in it, and nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io

from bench.csvfile import COLUMNS, HEADER, csv_rows
from bench.records import Outcome
from bench.result import Result
from tests.bench.samples import loop, record, result, simulated


def rows(measured: Result) -> list[dict[str, str]]:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(csv_rows(measured))
    text.seek(0)
    return list(csv.DictReader(text))


def test_every_request_has_its_row_and_attacks_come_last() -> None:
    measured = simulated(1, count=5)
    found = rows(measured)
    assert [row["loop"] for row in found] == ["closed-1"] * 5 + ["closed-4"] * 5 + ["attacks"] * 8
    assert measured.attacks is not None
    assert [row["kind"] for row in found[10:]] == [one.kind.value for one in measured.attacks.records]


def test_figures_are_the_records() -> None:
    (row, *_) = rows(result([loop(3, [record(4, 100.0, gap_ms=20.0, tokens=8)])]))
    assert {name: row[name] for name in ("loop", "loop_kind", "chats", "rate_per_s", "conversation", "turn")} == {
        "loop": "closed-3",
        "loop_kind": "closed",
        "chats": "3",
        "rate_per_s": "",
        "conversation": "4",
        "turn": "0",
    }
    assert [float(row[name]) for name in ("ttft_ms", "tpot_ms", "itl_max_ms", "e2e_ms")] == [100.0, 20.0, 20.0, 240.0]
    assert [row[name] for name in ("pieces", "tokens", "prompt_tokens", "cached_tokens")] == ["8", "8", "50", "25"]


def test_a_failure_has_no_latency_and_its_text_is_no_formula() -> None:
    broken = record(0, 1.0, tokens=1, outcome=Outcome.FAILED, error='=HYPERLINK("x"), twice')
    (row, *_) = rows(result([loop(1, [broken])]))
    assert row["outcome"] == "failed"
    assert row["tpot_ms"] == row["itl_max_ms"] == ""
    assert row["error"] == '\'=HYPERLINK("x"), twice'


def test_every_column_is_explained_and_named_once() -> None:
    assert len(set(HEADER)) == len(COLUMNS)
    assert all(meaning for _, meaning, _ in COLUMNS)
