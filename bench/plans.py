"""What a run does: closed loops, bursts, open loops in a sweep, a replay, in a quick and a full form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LoopKind = Literal["closed", "open", "burst", "replay"]


@dataclass(frozen=True, slots=True)
class LoopPlan:
    """One loop: closed (each customer asks again as soon as it is answered), open, burst or replay.

    Attributes:
        name: of the loop; also part of the seed.
        chats: customers at once: of a closed loop all the time, of a burst at its one moment; 0 for open and replay.
        seconds: for this long new requests are made,
        min_requests: and in closed loops at least so many.
        attacks: whether attacks are sent instead of questions.
        kind: closed; open: Poisson arrivals that wait for nobody; burst: all in the same instant; replay: of a trace.
        rate_per_s: mean arrivals a second of an open loop, else None.
    """

    name: str
    chats: int
    seconds: float
    min_requests: int
    attacks: bool = False
    kind: LoopKind = "closed"
    rate_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """Open loops by rising rate.

    Attributes:
        shares: rates as shares of the most answers a second of the closed loops.
        seconds: of arrivals, for each rate.
    """

    shares: tuple[float, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does.

    Attributes:
        name: ``quick`` or ``full``.
        loops: measured one after another.
        attacks: the loop that times blocks.
        queries: questions over ``/api/query``, for the cost of each stage.
        bursts: after the closed loops.
        sweep: of open loops, after the bursts; None for none.
    """

    name: str
    loops: tuple[LoopPlan, ...]
    attacks: LoopPlan
    queries: int
    bursts: tuple[LoopPlan, ...] = ()
    sweep: Sweep | None = None


def make_plan(
    name: str, chats: tuple[int, ...], seconds: float, min_requests: int, queries: int, burst: int, sweep: Sweep
) -> Plan:
    """A plan with one closed loop for each number of chats, one burst of so many customers, and a sweep."""
    loops = tuple(LoopPlan(f"closed-{count}", count, seconds, max(min_requests, 2 * count)) for count in chats)
    bursts = (LoopPlan(f"burst-{burst}", burst, 0.0, burst, kind="burst"),)
    return Plan(name, loops, LoopPlan("attacks", 1, 0.0, 8, attacks=True), queries, bursts, sweep)


def open_plan(share: float, capacity_per_s: float, seconds: float) -> LoopPlan:
    """An open loop at a share of the most answers a second of the closed loops; its name holds the share."""
    rate = round(share * capacity_per_s, 4)
    return LoopPlan(f"open-{share:.0%}", 0, seconds, 0, kind="open", rate_per_s=rate)


CHATS = (1, 2, 4, 8)
QUICK = make_plan(
    "quick", CHATS, seconds=5.0, min_requests=10, queries=8, burst=12, sweep=Sweep((0.4, 0.7, 0.95, 1.3), 5.0)
)
FULL = make_plan(
    "full",
    CHATS,
    seconds=60.0,
    min_requests=100,
    queries=40,
    burst=16,
    sweep=Sweep((0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5), 40.0),
)
