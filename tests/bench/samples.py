"""Results with simulated records, for what is computed from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

import numpy as np

from bench.guardcost import AloneTiming, GuardCost, QueryTiming
from bench.machine import Machine
from bench.metrics import Timeline
from bench.noise import Noise, Probe
from bench.plans import QUICK, LoopPlan
from bench.process import ServerUsage
from bench.records import Kind, LoopResult, Outcome, Record
from bench.result import SCHEMA, Result, TargetInfo, TrafficInfo
from bench.workload import WorkloadOptions

QUIET = Probe(work_p50_ms=0.3, work_p90_ms=0.31, busy_share=0.01, cpu_total_s=100.0, cpu_steal_s=1.0)
MACHINE = Machine(
    cpu="Some | <CPU>",
    board="",
    architecture="x86_64",
    flags=("avx2",),
    cores=2,
    usable_cpus=2,
    governor="performance",
    is_virtual=False,
    ram_bytes=8 << 30,
    swap_bytes=0,
    os="Some Linux 12",
    kernel="6.1",
    python="3.11.7",
    libraries={"numpy": "2.4.6"},
)
TARGET = TargetInfo(
    url="http://127.0.0.1:8080",
    model="demo",
    is_local=True,
    started=True,
    ready_s=1.5,
    health={"state": "ready", "engine": {"threads": 2}, "load": {"running": 3}},
    bundle_files={"model.gguf": "ab" * 32},
    bundle_bytes=7 << 20,
    demonstration=False,
)


def record(number: int, ttft_ms: float, gap_ms: float = 20.0, tokens: int = 8, **changes: object) -> Record:
    """An answered request whose pieces come ``gap_ms`` apart; it ends with the last one."""
    arrivals = tuple(accumulate([gap_ms] * (tokens - 1), initial=ttft_ms))
    plain = Record(number, 0, Kind.NEW, 100.0 * number, Outcome.OK, Timeline(arrivals, arrivals[-1], tokens), 50, 25)
    return replace(plain, **changes)  # type: ignore[arg-type]


def loop(chats: int, records: Sequence[Record], **changes: object) -> LoopResult:
    """A closed loop with these records."""
    plain = LoopResult(LoopPlan(f"closed-{chats}", chats, 8.0, len(records)), 8.0, tuple(records), cpu_s=4.0)
    return replace(plain, **changes)  # type: ignore[arg-type]


def result(loops: Sequence[LoopResult], **changes: object) -> Result:
    """A result around these loops: a quiet machine, eight attacks of which six were blocked, two queries."""
    blocked = [record(n, 3.0, tokens=1, kind=Kind.ATTACK, outcome=Outcome.BLOCKED) for n in range(6)]
    passed = [record(n, 200.0, kind=Kind.ATTACK) for n in range(6, 8)]
    stages = {"guard_in": 6.0, "engine": 90.0, "guard_out": 4.0, "total": 100.0}
    plain = Result(
        schema_version=SCHEMA,
        created_utc="2026-01-02T03:04:05+00:00",
        bench_version="0.1.0",
        slo_ttft_s=2.0,
        target=TARGET,
        machine=MACHINE,
        noise=Noise(QUIET, replace(QUIET, cpu_total_s=200.0)),
        traffic=TrafficInfo("quick", WorkloadOptions(), "cd" * 32),
        first_ttft_ms=321.0,
        loops=tuple(loops),
        attacks=LoopResult(QUICK.attacks, 1.0, (*blocked, *passed)),
        guard=GuardCost(
            (QueryTiming(stages, "allow", True), QueryTiming({"total": 1.0}, "allow", False)),
            (AloneTiming(8, (5.0, 7.0, 6.0)),),
        ),
        usage=ServerUsage(peak_rss_bytes=123 << 20, cpu_s=9.0),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def simulated(seed: int, slowdown: float = 1.0, count: int = 60) -> Result:
    """Two loops of requests with lognormal TTFT and gaps, all times multiplied by ``slowdown``."""
    rng = np.random.default_rng(seed)
    return result([loop(chats, _requests(rng, chats, slowdown, count)) for chats in (1, 4)])


def _requests(rng: np.random.Generator, chats: int, slowdown: float, count: int) -> list[Record]:
    """TTFT spreads by 15 %, the pace of a request by 5 %, single gaps by 20 %: what a quiet machine shows."""
    records = []
    for number in range(count):
        ttft_ms = 150.0 * chats * rng.lognormal(0.0, 0.15) * slowdown
        gaps = 25.0 * chats * rng.lognormal(0.0, 0.05) * rng.lognormal(0.0, 0.2, 31) * slowdown
        arrivals = tuple(float(t) for t in accumulate(gaps, initial=ttft_ms))
        records.append(
            Record(number, 0, Kind.NEW, 10.0 * number, Outcome.OK, Timeline(arrivals, arrivals[-1], 32), 50, 0)
        )
    return records
