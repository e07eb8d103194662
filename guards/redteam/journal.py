"""The results of a run, kept line by line as they come: a run that was broken off goes on where it was."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

from guards.redteam.client import RedTeamError
from guards.redteam.play import Played


class Journal:
    """A file of results under a head that says of what; one writer at a time."""

    def __init__(self, path: Path, head: Mapping[str, object]) -> None:
        """Begin a journal, or go on with the one that is there; a line that was cut off is dropped, and played again.

        Args:
            path: the file.
            head: what the results depend on: the attacks, the judge's texts, the server's model and policy.

        Raises:
            RedTeamError: the journal is of something else, or no journal.
            OSError: it cannot be read or written.
        """
        self._path = path
        self._played: dict[tuple[int, str], Played] = {}
        wanted = json.loads(json.dumps(head))
        kept = self._read(wanted) if path.exists() else b""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("r+b" if path.exists() else "w+b")
        self._file.truncate(len(kept))
        self._file.seek(len(kept))
        if not kept:
            self._line(wanted)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def played(self) -> tuple[Played, ...]:
        """All results, in the order of the attacks' file."""
        return tuple(self._played[task] for task in sorted(self._played))

    def has(self, task: tuple[int, str]) -> bool:
        """Whether a (line, mode) was played."""
        return task in self._played

    def add(self, played: Played) -> None:
        """Keep a result; it is in the file when this returns. Raises OSError."""
        self._line(played.to_dict())
        self._played[played.task] = played

    def _line(self, row: Mapping[str, object]) -> None:
        self._file.write(json.dumps(row).encode("ascii") + b"\n")  # ASCII: answers may hold lone surrogates
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self, wanted: object) -> bytes:
        """The whole lines of the file."""
        content = self._path.read_bytes()
        kept = content[: content.rfind(b"\n") + 1]
        first, *lines = kept.splitlines() or [b"null"]
        if kept and _json(first) != wanted:
            raise RedTeamError(
                f"{self._path}: holds results of other attacks or of another server; give another file, or delete it"
            )
        for number, line in enumerate(lines, start=2):
            try:
                played = Played.from_dict(json.loads(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise RedTeamError(f"{self._path}, line {number}: is no result ({error}); delete the file") from error
            self._played[played.task] = played
        return kept


def _json(line: bytes) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None


def tasks_left(journal: Journal, tasks: Iterable[tuple[int, str]]) -> int:
    """How many of the tasks are still to be played."""
    return sum(not journal.has(task) for task in tasks)
