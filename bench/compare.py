"""Two results side by side: is B slower than A by more than a stated share, beyond chance?

A figure is worse if its relative change exceeds the share *and* the interval of the change excludes zero. The
interval is widened for the number of figures that are looked at (Bonferroni), so that comparing a run with itself
seldom alarms. The bootstrap knows the chance inside each run, not what happens to a machine between the two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bench.errors import ResultFileError
from bench.metrics import CONFIDENCE, Floats, interval, quantile, quantile_draws, ratio_draws
from bench.records import LoopResult
from bench.result import Result
from bench.summary import Values, answered, e2e_ms, tpot_ms, ttft_ms

#: Name, values of a record, quantile. Larger is worse.
LATENCIES: tuple[tuple[str, Values, float], ...] = (
    ("TTFT p50", ttft_ms, 0.5),
    ("TTFT p90", ttft_ms, 0.9),
    ("TPOT p50", tpot_ms, 0.5),
    ("E2E p50", e2e_ms, 0.5),
)
TIME_PER_TOKEN = "time per token, all chats"
_DRAWS = 4000


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of one loop.

    Attributes:
        loop: its name.
        figure: its name; all figures are times, so more is worse.
        before_ms: in A.
        after_ms: in B.
        change: relative, ``B / A - 1``.
        low: lower end of the interval of the change.
        high: upper end.
        is_worse: beyond the share and beyond chance.
    """

    loop: str
    figure: str
    before_ms: float
    after_ms: float
    change: float
    low: float
    high: float
    is_worse: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """All changes.

    Attributes:
        fail_over: the share from which slower is worse.
        changes: of answered requests only, so
        losses: says in which loops B answered a smaller share of the requests than A, beyond ``fail_over``.
        notes: what makes the two runs less than comparable.
    """

    fail_over: float
    changes: tuple[Change, ...]
    losses: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_worse(self) -> bool:
        """Whether any figure is, or B answers less."""
        return bool(self.losses) or any(change.is_worse for change in self.changes)


def compare(before: Result, after: Result, fail_over: float) -> Comparison:
    """Compare two runs of the same traffic.

    Args:
        before: A.
        after: B.
        fail_over: share from which slower is worse, such as 0.05.

    Raises:
        ResultFileError: they were asked different things, or have no loop in common.
    """
    if before.traffic.options != after.traffic.options or before.traffic.texts_sha256 != after.traffic.texts_sha256:
        raise ResultFileError(
            "the two results were measured with different traffic; expected the same seed, lengths and texts"
        )
    pairs = [(a, b) for a in before.loops for b in after.loops if a.plan.name == b.plan.name]
    if not pairs:
        raise ResultFileError("the two results have no loop in common; run both with the same plan")
    confidence = 1.0 - (1.0 - CONFIDENCE) / (len(pairs) * (len(LATENCIES) + 1))
    changes = [
        change for a, b in pairs for change in _changes(a, b, fail_over, confidence, before.traffic.options.seed)
    ]
    losses = tuple(text for a, b in pairs if (text := _loss(a, b, fail_over)))
    return Comparison(fail_over, tuple(changes), losses, _notes(before, after))


def _changes(a: LoopResult, b: LoopResult, fail_over: float, confidence: float, seed: int) -> list[Change]:
    found: list[Change] = []
    for figure, values, q in LATENCIES:
        groups = [[values(record) for record in answered(loop)] for loop in (a, b)]
        pooled = [[value for group in side for value in group] for side in groups]
        if all(pooled):
            drawn = [quantile_draws(side, (q,), seed + n, _DRAWS)[:, 0] for n, side in enumerate(groups)]
            centre = (quantile(pooled[0], q), quantile(pooled[1], q))
            found.append(_change(a.plan.name, figure, centre, (drawn[0], drawn[1]), fail_over, confidence))
    times = [_times(loop) for loop in (a, b)]
    if all(sum(tokens) for _, tokens in times):
        drawn = [ratio_draws(spent, tokens, seed + n, _DRAWS) for n, (spent, tokens) in enumerate(times)]
        centre = (sum(times[0][0]) / sum(times[0][1]), sum(times[1][0]) / sum(times[1][1]))
        found.append(_change(a.plan.name, TIME_PER_TOKEN, centre, (drawn[0], drawn[1]), fail_over, confidence))
    return found


def _times(loop: LoopResult) -> tuple[list[float], list[float]]:
    """Per answered request: milliseconds of all chats for each one's token, and its tokens."""
    good = answered(loop)
    return [record.timeline.end_ms / loop.plan.chats for record in good], [float(r.timeline.tokens) for r in good]


def _change(
    loop: str,
    figure: str,
    centre: tuple[float, float],
    drawn: tuple[Floats, Floats],
    fail_over: float,
    confidence: float,
) -> Change:
    change = centre[1] / centre[0] - 1.0
    low, high = (end - 1.0 for end in interval(drawn[1] / drawn[0], confidence))
    return Change(loop, figure, *centre, change, low, high, is_worse=change > fail_over and low > 0.0)


def _loss(a: LoopResult, b: LoopResult, fail_over: float) -> str:
    share_a, share_b = (len(answered(loop)) / max(1, len(loop.records)) for loop in (a, b))
    return (
        f"{a.plan.name}: B answered {share_b:.0%} of the requests, A {share_a:.0%}"
        if share_b < share_a - fail_over
        else ""
    )


def _notes(before: Result, after: Result) -> tuple[str, ...]:
    looks: tuple[tuple[str, Callable[[Result], object]], ...] = (
        (
            "the machines differ",
            lambda result: (result.machine.cpu, result.machine.usable_cpus, result.machine.ram_bytes),
        ),
        ("the plans differ", lambda result: result.traffic.plan),
        ("the models differ", lambda result: result.target.model),
    )
    notes = [text for text, look in looks if look(before) != look(after)]
    for name, result in (("A", before), ("B", after)):
        notes.extend(f"{name} was not quiet: {complaint}" for complaint in result.noise.complaints)
        if result.aborted:
            notes.append(f"{name} ended early: {result.aborted}")
    return tuple(notes)
