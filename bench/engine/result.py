"""The result file of an engine measurement: every turn of every side, to JSON and back, with a schema number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bench.engine.figures import Scenario, Sizes
from bench.engine.turn import Turn
from bench.errors import ResultFileError
from bench.machine import Machine
from bench.noise import Noise

SCHEMA = 1
SUMMARY = "summary"


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


_ADAPTER = TypeAdapter(EngineResult)


def to_json(result: EngineResult, summary: Mapping[str, object]) -> str:
    """The file's text."""
    raw = {**_ADAPTER.dump_python(result, mode="json"), SUMMARY: summary}
    return json.dumps(raw, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(text: str, name: str) -> EngineResult:
    """A result from the text of a file called ``name``.

    Raises:
        ResultFileError: not JSON, another schema, a field missing or of another type.
    """
    expected = "expected a file written by `python -m bench engine --out`"
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise ResultFileError(f"{name} is not JSON ({error}); {expected}") from error
    version = raw.get("engine_schema") if isinstance(raw, dict) else None
    if version != SCHEMA:
        raise ResultFileError(f"{name} has engine_schema {version!r}, this version reads {SCHEMA}; {expected}")
    raw.pop(SUMMARY, None)
    try:
        return _ADAPTER.validate_json(json.dumps(raw), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ResultFileError(f"{name}: {place}: {first['msg']}; {expected}") from error


def read_engine_result(path: Path) -> EngineResult:
    """A result from a file. Raises as ``from_json``, also if the file cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ResultFileError(f"{path} cannot be read ({error})") from error
    return from_json(text, str(path))
