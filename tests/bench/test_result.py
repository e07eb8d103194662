"""Result files: there and back without loss, and a clear word about everything else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.errors import ResultFileError
from bench.result import SCHEMA, from_json, read_result, to_json
from tests.bench.samples import loop, record, result, simulated

SAMPLE = result([loop(1, [record(0, 100.0), record(1, 120.5)])])


@pytest.mark.parametrize(
    "sample", [SAMPLE, result([]), result([], attacks=None, usage=None, aborted="x"), simulated(1)]
)
def test_there_and_back(sample: object) -> None:
    text = to_json(sample, {"anything": 1})  # type: ignore[arg-type]
    assert from_json(text, "x") == sample
    assert to_json(from_json(text, "x"), {"anything": 1}) == text


def test_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(to_json(SAMPLE, {}))
    assert read_result(tmp_path / "a.json") == SAMPLE
    with pytest.raises(ResultFileError, match=r"b\.json cannot be read"):
        read_result(tmp_path / "b.json")


def spoilt(change: Callable[[dict[str, object]], object]) -> str:
    raw = json.loads(to_json(SAMPLE, {}))
    change(raw)
    return json.dumps(raw)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not JSON"),
        ("[]", "schema_version None"),
        (spoilt(lambda raw: raw.update(schema_version=SCHEMA + 1)), f"this version reads {SCHEMA}"),
        (spoilt(lambda raw: raw.pop("machine")), r"\$\.machine is missing; expected an object"),
        (spoilt(lambda raw: raw.update(surprise=1)), r"\$\.surprise is 1; expected no field"),
        (spoilt(lambda raw: raw.update(slo_ttft_s="2")), r"\$\.slo_ttft_s is \"2\"; expected a number"),
        (
            spoilt(lambda raw: raw["loops"][0]["records"][0].update(outcome="fine")),
            r"\$\.loops\[0\]\.records\[0\]\.outcome is \"fine\"; expected one of \"ok\", ",
        ),  # type: ignore[index]
        (spoilt(lambda raw: raw["machine"].update(cores=1.5)), "machine.cores"),  # type: ignore[attr-defined]
        (to_json(SAMPLE, {}).replace('"slo_ttft_s": 2.0', '"slo_ttft_s": NaN'), "NaN is no number"),
    ],
)
def test_what_is_wrong_is_named(text: str, says: str) -> None:
    with pytest.raises(ResultFileError, match=says) as caught:
        from_json(text, "that.json")
    assert str(caught.value).startswith("that.json")
