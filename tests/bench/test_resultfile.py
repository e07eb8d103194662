"""What all result files have in common: no NaN in or out, and stored results that stay readable."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from bench import markdown
from bench.engine.draftresult import drafts_json, read_drafts
from bench.engine.result import read_engine_result
from bench.errors import ResultFileError
from bench.resultfile import ResultFile


@dataclass(frozen=True, slots=True)
class Reading:
    """A small result."""

    version: int
    rate: float
    names: tuple[str, ...] = ()


FILE = ResultFile(Reading, "try", "version", 3)
FREE = ResultFile(Reading, "try")


def test_a_result_survives_its_file_and_the_summary_does_not_come_back(tmp_path: Path) -> None:
    reading = Reading(3, 0.1 + 0.2, ("ä", "b"))
    (tmp_path / "x.json").write_text(FILE.to_json(reading, {"note": "for people"}), encoding="utf-8")
    assert '"summary": {"note"' in (tmp_path / "x.json").read_text(encoding="utf-8")
    assert FILE.read(tmp_path / "x.json") == reading
    assert FILE.to_json(reading) == '{"version": 3, "rate": 0.30000000000000004, "names": ["ä", "b"]}\n'


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_not_written(rate: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        FREE.to_json(Reading(3, rate))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
@pytest.mark.parametrize("file", [FILE, FREE])
def test_what_is_no_number_is_not_read(file: ResultFile[Reading], number: str) -> None:
    with pytest.raises(ResultFileError, match=r"^x is not JSON .*expected a file written by `python -m bench try"):
        file.from_json(f'{{"version": 3, "rate": {number}}}', "x")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "version None, this version reads 3"),
        ('{"version": 2, "rate": 1.0}', "version 2, this version reads 3"),
        ('{"version": 3}', r"x: \$\.rate is missing; expected a number"),
        ('{"version": 3, "rate": "1"}', r"x: \$\.rate is \"1\"; expected a number"),
        ('{"version": 3, "rate": 1.0, "names": [1]}', r"\$\.names\[0\] is 1; expected a text"),
    ],
)
def test_what_is_wrong_is_named(text: str, says: str) -> None:
    with pytest.raises(ResultFileError, match=says):
        FILE.from_json(text, "x")


def test_a_file_without_a_schema_number_is_checked_by_its_fields() -> None:
    assert FREE.from_json('{"version": 9, "rate": 1.0}', "x") == Reading(9, 1.0)
    with pytest.raises(ResultFileError, match=r"x: \$ is \[\]; expected an object"):
        FREE.from_json("[]", "x")


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "x.json").write_bytes(content)
    with pytest.raises(ResultFileError, match=r"x\.json cannot be read"):
        FILE.read(tmp_path / "x.json")


def test_stored_results_of_drafts_and_engine_are_read_and_written_alike() -> None:
    drafts, engines = (sorted((markdown.FOLDER / name).glob("*.json")) for name in ("drafts", "engine"))
    assert drafts
    assert engines
    for path in drafts:
        assert drafts_json(read_drafts(path)) == path.read_text(encoding="utf-8")
    for path in engines:
        assert read_engine_result(path).turns
