"""The figures of a report, computed from a result's records and from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.guardcost import STAGES
from bench.metrics import Estimate, estimate_quantile, estimate_quantiles, estimate_together, interval, quantile_draws
from bench.records import Kind, LoopResult, Outcome, Record
from bench.result import Result

#: What a report calls a kind of answer. Every answered request is of exactly one.
NEW, RETURNING, FROM_CACHE = "new chat", "returning chat", "answer cache"

Values = Callable[[Record], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Spread:
    """Three quantiles; None where there were no values."""

    p50: Estimate | None
    p90: Estimate | None
    p99: Estimate | None


@dataclass(frozen=True, slots=True)
class LoopSummary:
    """One loop. Latencies are of answered requests only, in milliseconds; rates in tokens a second.

    Attributes:
        name: of the loop.
        chats: customers at once.
        requests: all of them, of which
        answered: got a text,
        blocked: were held back by policy,
        refused: were turned away for load,
        failed: got no proper answer.
        within_slo: share of all requests that were answered with TTFT within the promise.
        cached_share: share of prompt tokens that the target says it did not compute.
        from_cache: answers kept from before.
        cpu_s_per_answer: processor seconds of the server for one answer; None if not known.
    """

    name: str
    chats: int
    requests: int
    answered: int
    blocked: int
    refused: int
    failed: int
    ttft_ms: Spread
    itl_ms: Spread
    tpot_ms: Spread
    e2e_ms: Spread
    rate: Estimate | None
    together: Estimate | None
    within_slo: float
    cached_share: float
    from_cache: int
    cpu_s_per_answer: float | None


@dataclass(frozen=True, slots=True)
class KindSummary:
    """Answers of one kind over all loops: how many, and their time to first token."""

    kind: str
    answers: int
    ttft_ms: Spread


@dataclass(frozen=True, slots=True)
class StageSummary:
    """One stage of ``/api/query`` in milliseconds, over answers that were computed."""

    stage: str
    took_ms: Spread


@dataclass(frozen=True, slots=True)
class SelfComparison:
    """A/A: even against odd requests of the first loop. The relative difference of median E2E; it should straddle 0."""

    difference: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Summary:
    """All figures of a report."""

    loops: tuple[LoopSummary, ...]
    kinds: tuple[KindSummary, ...]
    attacks: int
    attacks_blocked: int
    block_ms: Spread
    stages: tuple[StageSummary, ...]
    guard_share: float | None
    self_comparison: SelfComparison | None


def summarise(result: Result) -> Summary:
    """Compute all figures. The bootstrap's seed is the workload's, so the same file always gives the same report."""
    seed = result.traffic.options.seed
    attacks = result.attacks.records if result.attacks else ()
    blocked = [record for record in attacks if record.outcome is Outcome.BLOCKED]
    return Summary(
        loops=tuple(_loop(loop, result.slo_ttft_s, seed) for loop in result.loops),
        kinds=_kinds([record for loop in result.loops for record in answered(loop)], seed),
        attacks=len(attacks),
        attacks_blocked=len(blocked),
        block_ms=_spread([e2e_ms(record) for record in blocked], seed),
        stages=_stages(result, seed),
        guard_share=_guard_share(result),
        self_comparison=_self_comparison(result.loops[0], seed) if result.loops else None,
    )


def answered(loop: LoopResult) -> list[Record]:
    """The requests of a loop that got a text."""
    return [record for record in loop.records if record.outcome is Outcome.OK]


def ttft_ms(record: Record) -> Sequence[float]:
    """Its time to first token, or nothing."""
    return record.timeline.arrivals_ms[:1]


def itl_ms(record: Record) -> Sequence[float]:
    """Its gaps."""
    return record.timeline.itl_ms


def tpot_ms(record: Record) -> Sequence[float]:
    """Its time per output token, or nothing."""
    value = record.timeline.tpot_ms
    return () if value is None else (value,)


def e2e_ms(record: Record) -> Sequence[float]:
    """Its whole time."""
    return (record.timeline.end_ms,)


def rate(record: Record) -> Sequence[float]:
    """Its tokens a second after the first, or nothing (also where all pieces came at once)."""
    return tuple(1000.0 / value for value in tpot_ms(record) if value > 0.0)


def together(loop: LoopResult, seed: int) -> Estimate | None:
    """Tokens a second of all chats of a loop; time spent on failed requests counts, their tokens do not."""
    tokens = [record.timeline.tokens if record.outcome is Outcome.OK else 0 for record in loop.records]
    return estimate_together(loop.plan.chats, tokens, [r.timeline.end_ms / 1000.0 for r in loop.records], seed)


def _loop(loop: LoopResult, slo_s: float, seed: int) -> LoopSummary:
    good = answered(loop)
    counts = {outcome: sum(record.outcome is outcome for record in loop.records) for outcome in Outcome}
    prompt_tokens = sum(record.prompt_tokens for record in good)
    in_time = sum(value <= slo_s * 1000.0 for record in good for value in ttft_ms(record))
    return LoopSummary(
        name=loop.plan.name,
        chats=loop.plan.chats,
        requests=len(loop.records),
        answered=counts[Outcome.OK],
        blocked=counts[Outcome.BLOCKED],
        refused=counts[Outcome.REFUSED],
        failed=counts[Outcome.FAILED],
        ttft_ms=_spread([ttft_ms(record) for record in good], seed),
        itl_ms=_spread([itl_ms(record) for record in good], seed),
        tpot_ms=_spread([tpot_ms(record) for record in good], seed),
        e2e_ms=_spread([e2e_ms(record) for record in good], seed),
        rate=estimate_quantile([rate(record) for record in good], 0.5, seed),
        together=together(loop, seed),
        within_slo=in_time / len(loop.records) if loop.records else 0.0,
        cached_share=sum(record.cached_tokens for record in good) / prompt_tokens if prompt_tokens else 0.0,
        from_cache=sum(record.from_cache for record in good),
        cpu_s_per_answer=loop.cpu_s / len(good) if loop.cpu_s is not None and good else None,
    )


def _spread(groups: Sequence[Sequence[float]], seed: int) -> Spread:
    return Spread(*estimate_quantiles(groups, (0.5, 0.9, 0.99), seed))


def _kinds(records: Sequence[Record], seed: int) -> tuple[KindSummary, ...]:
    sorts: dict[str, list[Sequence[float]]] = {NEW: [], RETURNING: [], FROM_CACHE: []}
    for record in records:
        kind = FROM_CACHE if record.from_cache else NEW if record.kind is Kind.NEW else RETURNING
        sorts[kind].append(ttft_ms(record))
    return tuple(KindSummary(kind, len(groups), _spread(groups, seed)) for kind, groups in sorts.items() if groups)


def _stages(result: Result, seed: int) -> tuple[StageSummary, ...]:
    computed = [query.stages_ms for query in result.guard.queries if query.computed]
    found = {name for stages in computed for name in stages}
    names = [name for name in STAGES if name in found] + sorted(found - set(STAGES))
    return tuple(StageSummary(n, _spread([(s[n],) for s in computed if n in s], seed)) for n in names)


def _guard_share(result: Result) -> float | None:
    """Share of an answer's time that guards take, over all computed answers together."""
    computed = [query.stages_ms for query in result.guard.queries if query.computed]
    total = sum(stages.get("total", 0.0) for stages in computed)
    guards = sum(stages.get("guard_in", 0.0) + stages.get("guard_out", 0.0) for stages in computed)
    return guards / total if total > 0.0 else None


def _self_comparison(loop: LoopResult, seed: int) -> SelfComparison | None:
    even, odd = ([e2e_ms(record) for record in answered(loop)[start::2]] for start in (0, 1))
    if len(even) < 2 or len(odd) < 2:
        return None
    ratios = quantile_draws(odd, (0.5,), seed + 1) / quantile_draws(even, (0.5,), seed)
    base, other = estimate_quantile(even, 0.5, seed), estimate_quantile(odd, 0.5, seed)
    assert base is not None and other is not None
    low, high = interval(ratios)
    return SelfComparison(other.value / base.value - 1.0, low - 1.0, high - 1.0)
