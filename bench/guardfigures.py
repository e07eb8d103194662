"""What ``python -m guards … --json`` found, kept in bench/results/guards and shown as tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from bench.cells import Table
from bench.errors import ResultFileError

#: Lists of texts are for whoever looks into a single run.
_LEFT_OUT = frozenset({"missed", "alarms", "accepted", "policy_version", "mode", "cores", "load", "level", "resamples"})
_MOST_ROWS = 60


def guard_table(path: Path) -> Table:
    """One file: ``{"command": text, "machine": text, "figures": object}`` as rows of figure and value.

    Raises:
        ResultFileError: the file is not such an object; it is named.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        command, machine, figures = content["command"], content["machine"], content["figures"]
        rows = tuple(_rows(figures, ""))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultFileError(
            f"{path}: is no figures of the guards ({error}); expected command, machine and figures"
        ) from error
    return Table(f"`{command}`", ("figure", "value"), rows[:_MOST_ROWS], str(machine))


def _rows(value: object, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in _LEFT_OUT:
                yield from _rows(inner, f"{name} {key}".strip().replace("_", " "))
    elif isinstance(value, list):
        for item in value:
            label = (
                next((str(item[key]) for key in ("name", "kind") if key in item), "")
                if isinstance(item, Mapping)
                else ""
            )
            rest = {k: v for k, v in item.items() if v != label} if isinstance(item, Mapping) else item
            yield from _rows(rest, f"{name} {label}".strip())
    elif value is not None:
        yield name, f"{value:.4g}" if isinstance(value, float) else str(value)
