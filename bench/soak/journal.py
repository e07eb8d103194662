"""The journal of a soak: JSON Lines, a head and then a line a window, each on the disk before the next one begins."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked

from bench.errors import ResultFileError, UsageError
from bench.soak.watch import Held

SCHEMA = 1
_EXPECTED = "expected a journal of `python -m bench soak --out`"


@checked(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Head:
    """What was done.

    Attributes:
        soak: the schema of the journal.
        created_utc: ISO 8601.
        target: the address.
        model: as the target names it.
        seconds: how long it was to last.
        window_s: what a line stands for.
        customers: at once.
        think_s: their mean pause.
        seed: of the traffic.
        watched: whether the server's process is seen.
    """

    soak: int
    created_utc: str
    target: str
    model: str
    seconds: float
    window_s: float
    customers: int
    think_s: float
    seed: int
    watched: bool


@checked(frozen=True, slots=True, config=ConfigDict(extra="forbid"))
class Window:
    """What happened in a stretch of time.

    Attributes:
        at_s: its end, from the beginning of the soak.
        deeds: requests by what became of them.
        ttft_p50_ms: median time to first token of first questions; None if there was none.
        ttft_p90_ms: its 90th percentile.
        held: medians of what the server held; None if its process is not seen.
        error: the last failure; empty if there was none.
    """

    at_s: float
    deeds: Mapping[str, int]
    ttft_p50_ms: float | None
    ttft_p90_ms: float | None
    held: Held | None
    error: str = ""


_HEAD, _WINDOW = TypeAdapter(Head), TypeAdapter(Window)


class Journal:
    """A journal being written; use it in a ``with`` block."""

    def __init__(self, path: Path, head: Head) -> None:
        """Begin a file.

        Raises:
            UsageError: it exists already or cannot be made.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[str] = path.open("x", encoding="utf-8")
        except FileExistsError as error:
            raise UsageError(f"--out: {path} exists already; name another file, or read it with --report") from error
        except OSError as error:
            raise UsageError(f"--out: {path} cannot be made ({error}); name another file") from error
        self._write(asdict(head))

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, window: Window) -> None:
        """Append a line; it is on the disk when this returns."""
        self._write(asdict(window))

    def _write(self, row: Mapping[str, object]) -> None:
        self._file.write(json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def read_journal(path: Path) -> tuple[Head, tuple[Window, ...]]:
    """A journal, also one whose run was cut off: a last line that is not whole is left out.

    Raises:
        ResultFileError: the file cannot be read, or a line before the last is no line of a journal.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise ResultFileError(f"{path} cannot be read ({error}); {_EXPECTED}") from error
    if not lines:
        raise ResultFileError(f"{path} is empty; {_EXPECTED}")
    windows: list[Window] = []
    try:
        head = _HEAD.validate_json(lines[0])
    except ValidationError as error:
        raise ResultFileError(f"{path}, line 1: {error.errors()[0]['msg']}; {_EXPECTED}") from error
    if head.soak != SCHEMA:
        raise ResultFileError(f"{path} has schema {head.soak}; this version reads {SCHEMA}; {_EXPECTED}")
    for number, line in enumerate(lines[1:], start=2):
        try:
            windows.append(_WINDOW.validate_json(line))
        except ValidationError as error:
            if number == len(lines):
                break
            raise ResultFileError(f"{path}, line {number}: {error.errors()[0]['msg']}; {_EXPECTED}") from error
    return head, tuple(windows)
