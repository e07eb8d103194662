"""What is kept of a loop: one record for every request, and nothing that can be computed from them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bench.metrics import Timeline
from bench.workload import LoopPlan


class Kind(StrEnum):
    """What sort of request it was."""

    NEW = "new"
    RETURNING = "returning"
    ATTACK = "attack"


class Outcome(StrEnum):
    """How it ended: answered, blocked by policy, turned away for load, or not answered properly."""

    OK = "ok"
    BLOCKED = "blocked"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Record:
    """One request, as it is stored; times in milliseconds to the microsecond.

    Attributes:
        conversation: index of its conversation in the loop.
        turn: 0 for the first.
        kind: new, returning or attack.
        started_ms: since the loop began.
        outcome: how it ended.
        timeline: of the answer; without arrivals unless it is OK or BLOCKED.
        prompt_tokens: as the target counts.
        cached_tokens: of those, not computed again.
        from_cache: the whole answer was kept from before.
        error: kind and message of what went wrong, else empty.
    """

    conversation: int
    turn: int
    kind: Kind
    started_ms: float
    outcome: Outcome
    timeline: Timeline
    prompt_tokens: int = 0
    cached_tokens: int = 0
    from_cache: bool = False
    error: str = ""


@dataclass(frozen=True, slots=True)
class LoopResult:
    """A loop that was run.

    Attributes:
        plan: what was asked for.
        wall_s: from the first request to the end of the last.
        records: every request, by its start.
        cpu_s: processor seconds of the server meanwhile; None if its process is not known.
        aborted: why the loop ended early; empty if it did not.
    """

    plan: LoopPlan
    wall_s: float
    records: tuple[Record, ...]
    cpu_s: float | None = None
    aborted: str = ""
