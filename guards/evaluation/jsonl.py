"""Reading the guards' input files: one JSON object a line; a malformed line is named by its number."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from guards.errors import InputFileError
from guards.evaluation.evaluate import LabelledText
from guards.evaluation.unsafe import UnsafeRow


def read_texts(lines: Iterable[str], file: str) -> Iterator[str]:
    """The field ``text`` of every line; blank lines are skipped.

    Raises:
        InputFileError: a line is not an object with a string ``text``.
    """
    for number, row in _objects(lines, file):
        yield _text(row, file, number)


def read_labelled(lines: Iterable[str], file: str) -> Iterator[LabelledText]:
    """``text``, ``label`` (1 or true: should be caught) and, if there is one, ``source`` of every line.

    Raises:
        InputFileError: a line is not such an object.
    """
    for number, row in _objects(lines, file):
        label, source = row.get("label"), row.get("source", "")
        if label not in (0, 1):
            raise InputFileError(file, number, f"field 'label' is {label!r}; expected 0 or 1")
        if not isinstance(source, str):
            raise InputFileError(file, number, f"field 'source' is {source!r}; expected a text")
        yield LabelledText(_text(row, file, number), bool(label), source)


def read_unsafe(lines: Iterable[str], file: str) -> Iterator[UnsafeRow]:
    """``text``, ``label``, ``lang``, ``kind`` and ``half`` of every line.

    Raises:
        InputFileError: a line is not such an object.
    """
    for number, row in _objects(lines, file):
        try:
            yield UnsafeRow.from_dict(row)
        except ValueError as error:
            raise InputFileError(file, number, str(error)) from error


def _objects(lines: Iterable[str], file: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputFileError(file, number, f"is not JSON ({error})") from error
        if not isinstance(row, dict):
            raise InputFileError(file, number, f"is {type(row).__name__}; expected an object")
        yield number, row


def _text(row: Mapping[str, object], file: str, number: int) -> str:
    text = row.get("text")
    if not isinstance(text, str):
        raise InputFileError(file, number, f"field 'text' is {text!r}; expected a text")
    return text
