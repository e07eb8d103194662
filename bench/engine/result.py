"""The result of an engine measurement: every turn of every side, and its file, with a schema number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.engine.figures import Scenario, Sizes
from bench.engine.turn import Turn
from bench.machine import Machine
from bench.noise import Noise
from bench.resultfile import ResultFile

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class SideInfo:
    """One side.

    Attributes:
        name: ``ours``, or the name of the peer's flags.
        command: how it was started.
        build: what it says of its build.
        notes: what it says of its settings.
        load: what it counted during its last turn.
    """

    name: str
    command: str
    build: str
    notes: tuple[str, ...]
    load: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class EngineResult:
    """One measurement.

    Attributes:
        engine_schema: of this file format.
        created_utc: ISO 8601, when it began.
        machine: where it ran.
        noise: how quiet the machine was.
        model_name: the file's name.
        model_sha256: of the file.
        model_bytes: its size.
        threads: of every side that bench started.
        cells: KV cells of every side whose flags name them.
        seed: of what was asked,
        sizes: how much,
        texts_sha256: and out of which texts.
        scenarios: what was measured.
        sides: who; the first is ours.
        turns: in the order in which they were run.
    """

    engine_schema: int
    created_utc: str
    machine: Machine
    noise: Noise
    model_name: str
    model_sha256: str
    model_bytes: int
    threads: int
    cells: int
    seed: int
    sizes: Sizes
    texts_sha256: str
    scenarios: tuple[Scenario, ...]
    sides: tuple[SideInfo, ...]
    turns: tuple[Turn, ...]


_FILE = ResultFile(EngineResult, "engine", "engine_schema", SCHEMA)


def to_json(result: EngineResult, summary: Mapping[str, object]) -> str:
    """The file's text."""
    return _FILE.to_json(result, summary)


def from_json(text: str, name: str) -> EngineResult:
    """A result from the text of a file called ``name``. Raises ResultFileError, see ``bench.resultfile``."""
    return _FILE.from_json(text, name)


def read_engine_result(path: Path) -> EngineResult:
    """A result from a file. Raises ResultFileError, see ``bench.resultfile``."""
    return _FILE.read(path)
