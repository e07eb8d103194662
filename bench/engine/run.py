"""The whole measurement: rounds in which each side has one turn, the order shifted from round to round."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from bench.client import Client
from bench.engine.figures import NEEDS, OURS, Scenario, Sizes
from bench.engine.result import SCHEMA, EngineResult, SideInfo
from bench.engine.sides import Setting, Side
from bench.engine.texts import Chats, load_texts
from bench.engine.turn import Turn, Visit
from bench.errors import TargetError, UsageError
from bench.machine import describe_machine
from bench.noise import Noise, probe
from bench.process import RunningServer
from bench.run import Stage
from bench.wire import Limits


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """What to measure and how.

    Attributes:
        setting: of the sides that bench starts.
        sides: ours first, then the peers.
        rounds: turns of each side.
        scenarios: which parts; those that they need are added.
        sizes: how much is asked.
        seed: of what is asked.
        limits: how long to wait for an answer.
    """

    setting: Setting
    sides: tuple[Side, ...]
    rounds: int
    scenarios: frozenset[Scenario]
    sizes: Sizes
    seed: int
    limits: Limits


def measure(options: EngineOptions, stage: Stage) -> EngineResult:
    """Run all rounds. A scenario that fails is noted in its turn.

    Raises:
        UsageError: the model cannot be read.
        ServerStartError: a side did not come up.
    """
    return _Measurement(options, stage).measure()


def shifted(sides: Sequence[Side], by: int) -> tuple[Side, ...]:
    """The sides with another one first each time, so that a machine that slows down favours nobody."""
    start = by % len(sides)
    return (*sides[start:], *sides[:start])


class _Measurement:
    def __init__(self, options: EngineOptions, stage: Stage) -> None:
        self._options, self._stage = options, stage
        self._texts = load_texts()
        self._scenarios = options.scenarios | {NEEDS[one] for one in options.scenarios if one in NEEDS}
        self._infos: dict[str, SideInfo] = {}

    def measure(self) -> EngineResult:
        options, created, setting = self._options, datetime.now(UTC), self._options.setting
        self._stage("look at the machine")
        sha256, size = _read_model(setting.model)
        machine, before = describe_machine(), probe()
        turns = tuple(
            self._turn(number, side)
            for number in range(1, options.rounds + 1)
            for side in shifted(options.sides, number - 1)
        )
        self._stage("look at the machine again")
        return EngineResult(
            engine_schema=SCHEMA,
            created_utc=created.isoformat(timespec="seconds"),
            machine=machine,
            noise=Noise(before, probe()),
            model_name=setting.model.name,
            model_sha256=sha256,
            model_bytes=size,
            threads=setting.threads,
            cells=setting.cells,
            seed=options.seed,
            sizes=options.sizes,
            texts_sha256=self._texts.sha256,
            scenarios=tuple(one for one in Scenario if one in self._scenarios),
            sides=tuple(self._infos[side.name] for side in options.sides),
            turns=turns,
        )

    def _turn(self, number: int, side: Side) -> Turn:
        """A fresh server; ours is started a second time at the end, with what it has kept of the first."""
        began_s = perf_counter()
        with tempfile.TemporaryDirectory(prefix="bench-engine-") as folder:
            kept = Path(folder)
            observe = self._stage(f"round {number}, {side.name}")
            with side.start(kept) as server:
                visit = self._visit(number, server)
                visit.run(lambda share: observe(share, 0))
                self._infos[side.name] = _info(side, visit.client)
            if side.name == OURS and Scenario.RESTART in self._scenarios:
                with side.start(kept) as server:
                    visit.restarted(self._client(server))
        return visit.turn(number, side.name, round(perf_counter() - began_s, 3))

    def _visit(self, number: int, server: RunningServer) -> Visit:
        options = self._options
        chats = Chats(self._texts, f"{options.seed}/{number}")  # or a server that runs on would know them
        return Visit(self._client(server), server.pid or None, chats, options.sizes, self._scenarios)

    def _client(self, server: RunningServer) -> Client:
        return Client(server.address, self._options.limits)


def _info(side: Side, client: Client) -> SideInfo:
    """What a server says of itself: a llama-server under ``/props``, ours under ``/health``."""
    try:
        build = str(client.get_json("/props").get("build_info", ""))
    except TargetError:
        build = ""
    try:
        health = client.get_json("/health")
    except TargetError:
        health = {}
    engine, load = health.get("engine"), health.get("load")
    notes = engine.get("notes", ()) if isinstance(engine, dict) else ()
    counts = load if isinstance(load, dict) else {}
    return SideInfo(
        name=side.name,
        command=side.command,
        build=build,
        notes=tuple(str(note) for note in notes),
        load={str(name): float(value) for name, value in counts.items() if isinstance(value, int | float)},
    )


def _read_model(path: Path) -> tuple[str, int]:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error}); `python -m bench shape` makes a model to measure"
        ) from error
