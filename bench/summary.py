"""The figures of a report, computed from a result's records and from nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.guardcost import STAGES
from bench.metrics import Estimate, estimate_quantile, estimate_quantiles, estimate_together, interval, quantile_draws
from bench.records import Kind, LoopResult, Outcome, Record, Reuse
from bench.result import Result, Sample
from bench.saturation import carried_per_s, goodput_per_s, is_saturated, within_slo

Values = Callable[[Record], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Spread:
    """Three quantiles; None where there were no values."""

    p50: Estimate | None
    p90: Estimate | None
    p99: Estimate | None


@dataclass(frozen=True, slots=True)
class LoopSummary:
    """One loop.

    Latencies are of answered requests only, in milliseconds, from the scheduled moment if there is one; rates in
    tokens a second.

    Attributes:
        name: of the loop.
        chats: customers at once.
        requests: all of them, of which
        answered: got a text,
        blocked: were held back by policy,
        refused: were turned away for load,
        failed: got no proper answer.
        within_slo: share of all requests that were answered with TTFT within the promise.
        goodput_per_s: requests a second that were.
        kind: closed, open, burst or replay.
        rate_per_s: mean arrivals a second of an open loop, else None.
        cached_share: share of prompt tokens that the target says it did not compute.
        from_cache: answers kept from before.
        cpu_s_per_answer: processor seconds of the server for one answer; None if not known.
        joules_per_answer: of the processor packages, everything on the machine counted; None if not readable.
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
    goodput_per_s: float
    kind: str
    rate_per_s: float | None
    joules_per_answer: float | None


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
    """All figures of a report.

    Attributes:
        loops: one for each of the result's, in the same order.
        kinds: answers by what the target did not have to compute.
        asked: answers by what was asked.
        attacks: sent in their own loop, of which
        attacks_blocked: were held back,
        block_ms: after so long.
        stages: of ``/api/query``.
        guard_share: of an answer's time.
        self_comparison: the A/A check.
        carried_per_s: the highest rate of arrivals that keeps the promise; None if the lowest did not, or without any.
        saturated: whether the sweep reached a rate that is too much.
    """

    loops: tuple[LoopSummary, ...]
    kinds: tuple[KindSummary, ...]
    asked: tuple[KindSummary, ...]
    attacks: int
    attacks_blocked: int
    block_ms: Spread
    stages: tuple[StageSummary, ...]
    guard_share: float | None
    self_comparison: SelfComparison | None
    carried_per_s: float | None
    saturated: bool


def summarise(result: Result) -> Summary:
    """Compute all figures. The bootstrap's seed is the workload's, so the same file always gives the same report."""
    seed = result.traffic.options.seed
    attacks = result.attacks.records if result.attacks else ()
    blocked = [record for record in attacks if record.outcome is Outcome.BLOCKED]
    good = [record for loop in result.loops for record in answered(loop)]
    opened = [loop for loop in result.loops if loop.plan.kind == "open"]
    closed = next((loop for loop in result.loops if loop.plan.kind == "closed"), None)
    return Summary(
        loops=tuple(_loop(loop, result.slo_ttft_s, seed, result.samples) for loop in result.loops),
        kinds=_kinds([(record.reuse.value, record) for record in good], list(Reuse), seed),
        asked=_kinds([(record.kind.value, record) for record in good], list(Kind), seed),
        attacks=len(attacks),
        attacks_blocked=len(blocked),
        block_ms=_spread([e2e_ms(record) for record in blocked], seed),
        stages=_stages(result, seed),
        guard_share=_guard_share(result),
        self_comparison=_self_comparison(closed, seed) if closed else None,
        carried_per_s=carried_per_s(opened, result.slo_ttft_s),
        saturated=bool(opened) and is_saturated(opened, result.slo_ttft_s),
    )


def answered(loop: LoopResult) -> list[Record]:
    """The requests of a loop that got a text."""
    return [record for record in loop.records if record.outcome is Outcome.OK]


def ttft_ms(record: Record) -> Sequence[float]:
    """Its time to first token from its scheduled moment, or nothing."""
    return tuple(record.late_ms + arrival for arrival in record.timeline.arrivals_ms[:1])


def itl_ms(record: Record) -> Sequence[float]:
    """Its gaps."""
    return record.timeline.itl_ms


def tpot_ms(record: Record) -> Sequence[float]:
    """Its time per output token, or nothing."""
    value = record.timeline.tpot_ms
    return () if value is None else (value,)


def e2e_ms(record: Record) -> Sequence[float]:
    """Its whole time from its scheduled moment."""
    return (record.late_ms + record.timeline.end_ms,)


def rate(record: Record) -> Sequence[float]:
    """Its tokens a second after the first, or nothing (also where all pieces came at once)."""
    return tuple(1000.0 / value for value in tpot_ms(record) if value > 0.0)


def together(loop: LoopResult, seed: int) -> Estimate | None:
    """Tokens a second of all chats of a loop; time spent on failed requests counts, their tokens do not."""
    tokens = [record.timeline.tokens if record.outcome is Outcome.OK else 0 for record in loop.records]
    if loop.plan.kind != "closed":  # Little's law needs a loop that is always full
        return Estimate(sum(tokens) / loop.wall_s, None, None, len(tokens)) if tokens and loop.wall_s > 0.0 else None
    return estimate_together(loop.plan.chats, tokens, [r.timeline.end_ms / 1000.0 for r in loop.records], seed)


def prefill_per_s(loop: LoopResult) -> float | None:
    """Prompt tokens computed a second up to the first token, over its cold requests; None without any."""
    cold = [record for record in answered(loop) if record.reuse is Reuse.COLD and record.prompt_tokens]
    spent_s = sum(value for record in cold for value in ttft_ms(record)) / 1000.0
    return sum(record.prompt_tokens - record.cached_tokens for record in cold) / spent_s if spent_s > 0.0 else None


def decode_per_s(loop: LoopResult) -> float | None:
    """Tokens a second after the first that one customer sees, median; None without any."""
    found = estimate_quantile([rate(record) for record in answered(loop) if not record.from_cache], 0.5, seed=0)
    return found.value if found else None


def joules(loop: LoopResult, samples: Sequence[Sample]) -> float | None:
    """Energy of the processor packages during a loop, at the power between its first and last sample."""
    end_ms = loop.began_ms + 1000.0 * loop.wall_s
    inside = [sample for sample in samples if loop.began_ms <= sample.at_ms <= end_ms]
    if len(inside) < 2 or inside[0].energy_j is None or inside[-1].energy_j is None:
        return None
    watts = (inside[-1].energy_j - inside[0].energy_j) / ((inside[-1].at_ms - inside[0].at_ms) / 1000.0)
    return watts * loop.wall_s


def _loop(loop: LoopResult, slo_s: float, seed: int, samples: Sequence[Sample]) -> LoopSummary:
    good = answered(loop)
    counts = {outcome: sum(record.outcome is outcome for record in loop.records) for outcome in Outcome}
    prompt_tokens = sum(record.prompt_tokens for record in good)
    energy_j = joules(loop, samples)
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
        within_slo=within_slo(loop, slo_s),
        goodput_per_s=goodput_per_s(loop, slo_s),
        kind=loop.plan.kind,
        rate_per_s=loop.plan.rate_per_s,
        joules_per_answer=energy_j / len(good) if energy_j is not None and good else None,
        cached_share=sum(record.cached_tokens for record in good) / prompt_tokens if prompt_tokens else 0.0,
        from_cache=sum(record.from_cache for record in good),
        cpu_s_per_answer=loop.cpu_s / len(good) if loop.cpu_s is not None and good else None,
    )


def _spread(groups: Sequence[Sequence[float]], seed: int) -> Spread:
    return Spread(*estimate_quantiles(groups, (0.5, 0.9, 0.99), seed))


def _kinds(named: Sequence[tuple[str, Record]], names: Sequence[str], seed: int) -> tuple[KindSummary, ...]:
    sorts: dict[str, list[Sequence[float]]] = {str(name): [] for name in names}
    for name, record in named:
        sorts[name].append(ttft_ms(record))
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
