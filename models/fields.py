"""Typed reading of JSON objects: a missing or wrong field is named by its whole path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from models.errors import ManifestError

T = TypeVar("T")

REMEDY = "rebuild the bundle with `python -m convert run`, or copy it again from where it was verified"


class Fields:
    """One JSON object under a path such as ``manifest.json: guard``."""

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, Mapping):
            raise ManifestError(path, f"is {_kind(value)}; expected an object", REMEDY)
        self._value: Mapping[str, object] = value
        self._path = path

    def get(self, name: str, kind: type[T]) -> T:
        """The field ``name``, which must be there and of ``kind`` (a bool is no int, an int is a float).

        Raises:
            ManifestError: it is missing or of another type.
        """
        if name not in self._value:
            raise ManifestError(self._path, f"has no field {name!r}; expected {kind.__name__}", REMEDY)
        value = self._value[name]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)  # type: ignore[return-value]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise ManifestError(self._path, f"field {name!r} is {_kind(value)}; expected {kind.__name__}", REMEDY)
        return value

    def child(self, name: str) -> Fields:
        """The object in the field ``name``."""
        return Fields(self.get(name, dict), f"{self._path}.{name}")

    def children(self, name: str) -> tuple[Fields, ...]:
        """The objects in the list ``name``."""
        items = self.get(name, list)
        return tuple(Fields(item, f"{self._path}.{name}[{i}]") for i, item in enumerate(items))

    def table(self, name: str) -> dict[str, Fields]:
        """The objects in the object ``name``, by key."""
        return {key: Fields(value, f"{self._path}.{name}.{key}") for key, value in self.get(name, dict).items()}

    def items(self, name: str, kind: type[T]) -> tuple[T, ...]:
        """The list ``name``, every item of ``kind``."""
        values = self.get(name, list)
        for position, value in enumerate(values):
            if not isinstance(value, kind):
                raise ManifestError(
                    self._path, f"{name}[{position}] is {_kind(value)}; expected {kind.__name__}", REMEDY
                )
        return tuple(values)

    def has(self, name: str) -> bool:
        """Whether the field is there and not null."""
        return self._value.get(name) is not None


def _kind(value: object) -> str:
    return "null" if value is None else type(value).__name__
