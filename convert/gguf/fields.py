"""Fields of a JSON object, taken out by name and type."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from convert.errors import InputError

T = TypeVar("T")


def get(raw: Mapping[str, object], name: str, kind: type[T], path: Path, default: T | None = None) -> T:
    """A field's value; an int passes for a float, a bool never for a number.

    Args:
        raw: the object.
        name: of the field.
        kind: int, float, bool or str.
        path: of the file, for messages.
        default: taken if the field is missing or null; None makes it mandatory.

    Raises:
        InputError: it is missing or of another type.
    """
    value = raw.get(name)
    if value is None:
        if default is None:
            raise InputError(f"{path}: has no {name}; expected {kind.__name__}; copy or download the folder again")
        return default
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)  # type: ignore[return-value]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise InputError(f"{path}: {name} is {value!r}; expected {kind.__name__}")
    return value
