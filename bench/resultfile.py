"""JSON of result files: a frozen dataclass to text and back, strictly and without NaN; what is wrong is named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from bench.errors import ResultFileError
from bench.schema import SUMMARY, Schema, schema_of

T = TypeVar("T")


class ResultFile(Generic[T]):
    """How one kind of result is stored.

    Args:
        kind: the dataclass.
        command: of bench, that writes such files.
        version_field: the field that holds the schema number; empty if there is none.
        version: the schema number that is read.
    """

    def __init__(self, kind: type[T], command: str, version_field: str = "", version: int = 0) -> None:
        self._adapter = TypeAdapter(kind)
        self._expected = f"expected a file written by `python -m bench {command} --out`"
        self._version_field, self._version = version_field, version
        self._schema = Schema(schema_of(kind, version_field, version), self._expected)

    def to_json(self, result: T, summary: Mapping[str, object] | None = None) -> str:
        """The file's text; the same result always gives the same bytes.

        Raises:
            ValueError: a number is NaN or infinite, which JSON cannot hold.
        """
        raw = self._adapter.dump_python(result, mode="json")
        if summary is not None:
            raw = {**raw, SUMMARY: summary}
        return json.dumps(raw, ensure_ascii=False, allow_nan=False) + "\n"

    def from_json(self, text: str, name: str) -> T:
        """A result from the text of a file called ``name``.

        Raises:
            ResultFileError: not JSON, another schema number, or against the schema (see ``bench.schema``); the message
                has the JSON path, the value there and what was expected.
        """
        try:
            raw = json.loads(text, parse_constant=_refuse)
            if isinstance(raw, dict):
                raw.pop(SUMMARY, None)
            plain = json.dumps(raw, allow_nan=False)  # refuses 1e999, which is read as infinite
        except (ValueError, RecursionError) as error:
            raise ResultFileError(f"{name} is not JSON ({error}); {self._expected}") from error
        if self._version_field:
            self._check_version(raw, name)
        self._schema.check(raw, name)
        try:
            return self._adapter.validate_json(plain, strict=True)
        except ValidationError as error:  # what the schema's language cannot say, such as 1.0 for a whole number
            first = error.errors()[0]
            place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
            raise ResultFileError(
                f"{name}: ${place} is {first['input']!r}; {first['msg']}; {self._expected}"
            ) from error

    def read(self, path: Path) -> T:
        """A result from a file. Raises as ``from_json``, also if the file cannot be read."""
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ResultFileError(f"{path} cannot be read ({error}); {self._expected}") from error
        return self.from_json(text, str(path))

    def _check_version(self, raw: object, name: str) -> None:
        version = raw.get(self._version_field) if isinstance(raw, dict) else None
        if version != self._version:
            raise ResultFileError(
                f"{name} has {self._version_field} {version!r}, this version reads {self._version}; {self._expected}"
            )


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")
