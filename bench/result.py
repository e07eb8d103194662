"""The result: everything that was measured, as frozen dataclasses, and its file, with a schema number.

What can be computed from the records (quantiles, intervals, the verdict) is not part of it. The file carries a
``summary`` beside the result for readers who have no Python; it is computed anew at every reading.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict

from bench.guardcost import GuardCost
from bench.machine import Machine
from bench.noise import Noise
from bench.process import ServerUsage
from bench.records import LoopResult
from bench.resultfile import ResultFile
from bench.roofline import Roofline
from bench.workload import WorkloadOptions

SCHEMA = 2


@dataclass(frozen=True, slots=True)
class TargetInfo:
    """The server that was measured.

    Attributes:
        url: where it listened.
        model: the model's id, as it says.
        is_local: whether the machine described beside is the one that it runs on.
        started: whether bench started it; then ``ready_s`` is known.
        ready_s: seconds from the start of the process to ready, all files verified; None if bench did not start it.
        health: what ``/health`` says of settings and state; empty if there is none.
        bundle_files: sha256 by file name, from the manifest; empty if the bundle is not at hand.
        bundle_bytes: size of the model file; 0 if the bundle is not at hand.
        demonstration: whether the bundle calls itself a demonstration.
    """

    url: str
    model: str
    is_local: bool
    started: bool
    ready_s: float | None
    health: Mapping[str, object]
    bundle_files: Mapping[str, str]
    bundle_bytes: int
    demonstration: bool


@dataclass(frozen=True, slots=True)
class TrafficInfo:
    """What was asked: the plan's name, the options and the sha256 of the texts."""

    plan: str
    options: WorkloadOptions
    texts_sha256: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A look at the server's processes, one point of their time line; None where the machine does not tell.

    Attributes:
        at_ms: since the run began.
        rss_bytes: resident memory, summed over the processes.
        pss_bytes: the same, with shared pages counted by their share.
        minor_faults: page faults without the disk, since the processes began.
        major_faults: page faults that waited for the disk, since the processes began.
        cpu_s: user and system seconds, since the processes began.
        temperature_c: of the hottest sensor.
        energy_j: of the processor packages, since the first sample.
        throttled: throttling events of all processors since boot; on a Raspberry Pi its bits of throttling.
    """

    at_ms: float
    rss_bytes: int
    pss_bytes: int | None
    minor_faults: int
    major_faults: int
    cpu_s: float
    temperature_c: float | None
    energy_j: float | None
    throttled: int | None


@dataclass(frozen=True, slots=True)
class Restart:
    """The server started again on the same bundle: seconds to ready, and time to first token of its first request."""

    ready_s: float
    first_ttft_ms: float


@dataclass(frozen=True)
class Result:
    """One run.

    Attributes:
        schema_version: of this file format.
        created_utc: ISO 8601, when the run began.
        bench_version: of this package.
        slo_ttft_s: the wait that a customer is promised, for the verdict.
        target: what was measured.
        machine: where bench ran.
        noise: how quiet it was.
        traffic: what was asked.
        first_ttft_ms: time to first token of the very first request, with nothing prepared.
        loops: in the order in which they were run: closed by rising number of chats, bursts, open by rising rate.
        attacks: the loop of attacks; None if the run ended before.
        guard: the guards' cost.
        usage: of the server's process; None if it is not known.
        aborted: why the run ended early; empty if it did not.
        samples: the time line of the server's processes; empty if they are not known.
        roofline: what the machine allows; None for a target elsewhere or a model that is not at hand.
        restart: the second start; None if bench did not start the server.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    schema_version: int
    created_utc: str
    bench_version: str
    slo_ttft_s: float
    target: TargetInfo
    machine: Machine
    noise: Noise
    traffic: TrafficInfo
    first_ttft_ms: float
    loops: tuple[LoopResult, ...]
    attacks: LoopResult | None
    guard: GuardCost
    usage: ServerUsage | None
    aborted: str = ""
    samples: tuple[Sample, ...] = ()
    roofline: Roofline | None = None
    restart: Restart | None = None


_FILE = ResultFile(Result, "run", "schema_version", SCHEMA)


def to_json(result: Result, summary: Mapping[str, object]) -> str:
    """The file's text; the same result always gives the same bytes."""
    return _FILE.to_json(result, summary)


def from_json(text: str, name: str) -> Result:
    """A result from the text of a file called ``name``. Raises ResultFileError, see ``bench.resultfile``."""
    return _FILE.from_json(text, name)


def read_result(path: Path) -> Result:
    """A result from a file. Raises ResultFileError, see ``bench.resultfile``."""
    return _FILE.read(path)
