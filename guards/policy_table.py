"""Typed reading of a TOML table: what is missing, unknown or of another type is named by its whole key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from guards.errors import PolicyError


class Table:
    """One table of a policy file, under a dotted key."""

    def __init__(self, value: object, file: str, key: str = "") -> None:
        self._file = file
        self._key = key
        if not isinstance(value, Mapping):
            raise PolicyError(file, key, f"is {value!r}; expected a table")
        self._value: Mapping[str, object] = value

    def expect(self, *names: str) -> Table:
        """This table, if it holds these keys and no others.

        Raises:
            PolicyError: names the first key that is missing or unknown.
        """
        for name in names:
            if name not in self._value:
                raise PolicyError(self._file, self._path(name), "is missing")
        for name in self._value:
            if name not in names:
                raise PolicyError(self._file, self._path(name), f"is unknown; expected {', '.join(names)}")
        return self

    def among(self, *names: str) -> Table:
        """This table, if it holds no keys but some of these.

        Raises:
            PolicyError: names the first key that is unknown.
        """
        for name in self._value:
            if name not in names:
                raise PolicyError(self._file, self._path(name), f"is unknown; expected some of {', '.join(names)}")
        return self

    def names(self) -> tuple[str, ...]:
        """The keys, in the file's order."""
        return tuple(self._value)

    def table(self, name: str) -> Table:
        """The table under a key."""
        return Table(self._value[name], self._file, self._path(name))

    def text(self, name: str) -> str:
        """A string that is not blank."""
        value = self._value[name]
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(name, "a text that is not empty")
        return value

    def integer(self, name: str, low: int, high: int) -> int:
        """An integer from ``low`` to ``high``."""
        value = self._value[name]
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self._wrong(name, f"an integer from {low} to {high}")
        return value

    def probability(self, name: str) -> float:
        """A number above 0 and below 1."""
        value = self._value[name]
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0.0 < value < 1.0:
            raise self._wrong(name, "a number above 0 and below 1")
        return float(value)

    def choice(self, name: str, choices: Collection[str]) -> str:
        """One of the choices."""
        value = self._value[name]
        if not isinstance(value, str) or value not in choices:
            raise self._wrong(name, f"one of {_listed(choices)}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings."""
        value = self._value[name]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(name, "a list of texts")
        return tuple(value)

    def choices(self, name: str, choices: Collection[str]) -> tuple[str, ...]:
        """A list of some of the choices."""
        values = self.texts(name)
        for value in values:
            if value not in choices:
                raise PolicyError(
                    self._file, self._path(name), f"has {value!r}; expected some of {_listed(sorted(choices))}"
                )
        return values

    def _path(self, name: str) -> str:
        return f"{self._key}.{name}" if self._key else name

    def _wrong(self, name: str, expected: str) -> PolicyError:
        return PolicyError(self._file, self._path(name), f"is {self._value[name]!r}; expected {expected}")


def _listed(values: Iterable[str]) -> str:
    return ", ".join(values)
