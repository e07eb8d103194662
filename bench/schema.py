"""The JSON schema (draft 2020-12) of a result file, made from its dataclass, and the check of a document against it.

The dataclasses stay the only source: whoever adds a field has added it to the schema. A stranger's program can check a
file with the schema alone; ``summary`` is open, because it only repeats what follows from the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from pydantic import TypeAdapter

from bench.errors import ResultFileError

DIALECT = "https://json-schema.org/draft/2020-12/schema"

#: Stands beside the result for readers who have no Python.
SUMMARY = "summary"

_LONGEST_VALUE = 80
_TYPES = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
}


def schema_of(kind: type, version_field: str = "", version: int = 0) -> dict[str, Any]:
    """The schema of files that hold a ``kind``.

    Args:
        kind: a dataclass.
        version_field: its field that holds the schema number; empty if there is none.
        version: the number that this field must hold.

    Returns:
        A JSON object: ``$defs`` holds each nested dataclass with its docstring, where units and meanings stand.
    """
    made: dict[str, Any] = TypeAdapter(kind).json_schema()
    properties = dict(made["properties"])
    if version_field:
        properties[version_field] = {**properties[version_field], "const": version}
    properties[SUMMARY] = {"type": "object", "description": "What follows from the rest, computed anew at reading."}
    return {"$schema": DIALECT, **made, "properties": properties}


class Schema:
    """A schema that documents are checked against.

    Args:
        schema: as ``schema_of`` makes it.
        remedy: what a message about a bad file ends with.
    """

    def __init__(self, schema: Mapping[str, Any], remedy: str) -> None:
        self._validator = Draft202012Validator(schema)
        self._remedy = remedy

    def check(self, document: object, name: str) -> None:
        """Whether a parsed document holds to the schema.

        Args:
            document: what ``json.loads`` gave.
            name: of the file, for the message.

        Raises:
            ResultFileError: it does not; the message has the JSON path, the value there and what was expected.
        """
        error = best_match(self._validator.iter_errors(document))
        if error is not None:
            raise ResultFileError(f"{name}: {_what_is_wrong(error)}; {self._remedy}")


def _what_is_wrong(error: ValidationError) -> str:
    path = error.json_path
    value: Any = error.instance
    schema: dict[str, Any] = error.schema if isinstance(error.schema, dict) else {}
    if error.validator == "required":
        missing = next(field for field in schema["required"] if field not in value)
        return f"{path}.{missing} is missing; expected {_expected(schema['properties'].get(missing, {}))}"
    if error.validator == "additionalProperties":
        unknown = next(field for field in value if field not in schema["properties"])
        return f"{path}.{unknown} is {_shown(value[unknown])}; expected no field of that name"
    return f"{path} is {_shown(value)}; expected {_expected(schema)}"


def _expected(schema: Mapping[str, Any]) -> str:
    """A schema in words; the constraint that is nearest to the value comes first."""
    if "const" in schema:
        return _shown(schema["const"])
    if "enum" in schema:
        return f"one of {', '.join(_shown(value) for value in schema['enum'])}"
    if "anyOf" in schema:
        return " or ".join(_expected(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return f"an object ({schema['$ref'].rsplit('/', 1)[-1]})"
    bounds = [f"{word} {schema[key]}" for key, word in _BOUNDS if key in schema]
    return " ".join([_TYPES.get(str(schema.get("type", "")), "a value"), *bounds])


_BOUNDS = (("minItems", "of at least"), ("maxItems", "of at most"), ("minimum", "from"), ("maximum", "up to"))


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
