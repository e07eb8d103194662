"""What is kept of a loop: one record for every request, and nothing that can be computed from them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bench.metrics import Timeline
from bench.plans import LoopPlan


class Kind(StrEnum):
    """What sort of request it was."""

    NEW = "new"
    RETURNING = "returning"
    KNOWN = "known passage"
    FREQUENT = "frequent question"
    PASTE = "long paste"
    ATTACK = "attack"
    REPLAYED = "replayed"


class Reuse(StrEnum):
    """What the target did not have to compute: nothing much, most of the prompt, the whole answer, or it blocked."""

    COLD = "cold"
    PREFIX = "prefix-cached"
    ANSWER = "answer cache"
    BLOCKED = "blocked"


#: A prompt is called prefix-cached from this share of kept tokens on: a shared system prompt alone is less.
MOSTLY_KEPT = 0.5


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
        kind: what was asked.
        started_ms: when it was sent, since the loop began.
        outcome: how it ended.
        timeline: of the answer; without arrivals unless it is OK or BLOCKED.
        prompt_tokens: as the target counts.
        cached_tokens: of those, not computed again.
        from_cache: the whole answer was kept from before.
        error: kind and message of what went wrong, else empty.
        scheduled_ms: when it was to be sent, since the loop began; None in closed loops, which have no schedule.
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
    scheduled_ms: float | None = None

    @property
    def late_ms(self) -> float:
        """How long after its scheduled moment it was sent; latencies of open loops count it (``bench.metrics``)."""
        return 0.0 if self.scheduled_ms is None else max(0.0, self.started_ms - self.scheduled_ms)

    @property
    def reuse(self) -> Reuse:
        """Which of four sorts it is; every request is of exactly one."""
        if self.outcome is Outcome.BLOCKED:
            return Reuse.BLOCKED
        if self.from_cache:
            return Reuse.ANSWER
        kept = self.prompt_tokens > 0 and self.cached_tokens >= MOSTLY_KEPT * self.prompt_tokens
        return Reuse.PREFIX if kept else Reuse.COLD


@dataclass(frozen=True, slots=True)
class LoopResult:
    """A loop that was run.

    Attributes:
        plan: what was asked for.
        wall_s: from the first request to the end of the last.
        records: every request, by its start.
        cpu_s: processor seconds of the server meanwhile; None if its process is not known.
        aborted: why the loop ended early; empty if it did not.
        began_ms: since the run began.
    """

    plan: LoopPlan
    wall_s: float
    records: tuple[Record, ...]
    cpu_s: float | None = None
    aborted: str = ""
    began_ms: float = 0.0
