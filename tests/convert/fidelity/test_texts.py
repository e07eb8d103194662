"""Texts to calibrate on and to check with: two kinds, no overlap."""

from __future__ import annotations

from pathlib import Path

import pytest

from convert.errors import InputError
from convert.fidelity.texts import PROBES, CalibrationTexts, calibration_texts, check_texts, read_general
from tests.convert import tiny


def test_nothing_that_is_calibrated_on_is_checked_with() -> None:
    calibration, checked = calibration_texts(tiny.PAIRS), check_texts(tiny.PAIRS)
    assert calibration.support
    assert calibration.general
    assert not set(calibration.support) & set(checked.conversations)
    assert not set(calibration.general) & set(checked.general)
    assert set(calibration.general) | set(checked.general) == set(read_general())
    assert abs(len(calibration.general) - len(checked.general)) <= 1


def test_the_projects_general_texts_are_many_and_none_stands_twice() -> None:
    texts = read_general()
    assert len(set(texts)) == len(texts) >= 40
    assert sum(map(len, texts)) > 10_000
    assert any("\n    " in text for text in texts)  # code
    assert any(max(text) > "\u4e00" for text in texts)


def test_without_data_the_probes_are_checked_and_the_general_texts_too() -> None:
    texts = check_texts(None)
    assert texts.conversations == PROBES
    assert texts.general == read_general()[1::2]


def test_support_and_general_text_take_turns_until_both_end() -> None:
    texts = CalibrationTexts(tuple("abcdefg"), ("1", "2", "3"), ())
    assert "".join(texts.mixed()) == "abc1def2g3"
    assert "".join(CalibrationTexts((), ("1", "2"), ()).mixed()) == "12"


def test_own_general_text_is_read_as_paragraphs_or_as_json_lines(tmp_path: Path) -> None:
    plain = tmp_path / "own.txt"
    plain.write_text("one\r\nand more\r\n\r\n\r\n  two  \n\nthree\n", encoding="utf-8")
    assert read_general(plain) == ("one\nand more", "two", "three")
    lines = tmp_path / "own.jsonl"
    lines.write_text('{"text": "one"}\n{"other": 1}\n{"text": "two"}\n', encoding="utf-8")
    assert read_general(lines) == ("one", "two")
    assert calibration_texts(tiny.PAIRS, general=lines).general == ("one",)
    assert calibration_texts(tiny.PAIRS, general=lines).sources == ("support: pairs.jsonl", "general: own.jsonl")
    assert check_texts(None, general=lines).general == ("two",)


def test_too_little_general_text_is_refused(tmp_path: Path) -> None:
    single = tmp_path / "one.txt"
    single.write_text("only one", encoding="utf-8")
    with pytest.raises(InputError, match="1 texts; expected two or more"):
        read_general(single)
    with pytest.raises(InputError, match="no such file"):
        read_general(tmp_path / "none.txt")
