"""Stages that are done once: a record says which outputs came from which inputs; while it holds, the stage is skipped.

A record is written after its outputs are whole, and it holds their sha256; so a run that was killed at any moment
repeats only the stage that it was in, and nothing half-written or changed is ever taken for a result.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from convert.errors import InputError
from convert.files import remove, write_json
from models.bundle import sha256_of

#: Held while a process works in the folder.
LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of a build.

    Attributes:
        name: also of its record.
        inputs: everything that decides about the outputs; JSON values.
        outputs: files that the action makes.
        action: makes them.
    """

    name: str
    inputs: Mapping[str, object]
    outputs: tuple[Path, ...]
    action: Callable[[], object]

    @property
    def key(self) -> str:
        """Digest of the inputs."""
        text = json.dumps(self.inputs, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(f"{self.name}\n{text}".encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a stage: whether it was done (or its record held), and the sha256 of its outputs by file name."""

    name: str
    done: bool
    outputs: Mapping[str, str]


class Workshop:
    """A work folder with its records."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the folder to this process; the kernel gives it back when the process ends, however it ends.

        Raises:
            InputError: another process works in it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / LOCK).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise InputError(
                    f"{self.folder}: another run is at work in it; expected one at a time; wait for it to end, or "
                    "pass another folder with --work"
                ) from error
            yield

    def run(self, stage: Stage) -> Outcome:
        """Do the stage unless its record holds."""
        outputs = self._recorded(stage)
        if outputs is not None:
            return Outcome(stage.name, False, outputs)
        record = self._record(stage.name)
        remove(record)
        stage.action()
        self.folder.mkdir(parents=True, exist_ok=True)
        outputs = digests(stage.outputs)
        write_json(record, {"key": stage.key, "outputs": outputs})
        return Outcome(stage.name, True, outputs)

    def _recorded(self, stage: Stage) -> dict[str, str] | None:
        """The outputs' digests if the record is of the same inputs and every output still has the sha256 in it."""
        record = self._record(stage.name)
        if not record.is_file() or not all(path.is_file() for path in stage.outputs):
            return None
        try:
            made = json.loads(record.read_text(encoding="utf-8"))
        except ValueError:
            return None
        if not isinstance(made, dict) or made.get("key") != stage.key:
            return None
        outputs = digests(stage.outputs)
        return outputs if made.get("outputs") == outputs else None

    def _record(self, name: str) -> Path:
        return self.folder / f"{name}.record.json"


def digests(paths: Sequence[Path]) -> dict[str, str]:
    """sha256 by file name."""
    return {path.name: sha256_of(path) for path in paths}
