"""The answer to the one question: how many customers can this machine serve at once, and what is the limit?"""

from __future__ import annotations

from dataclasses import dataclass

from bench.records import Kind, Outcome
from bench.result import Result
from bench.summary import LoopSummary, Summary
from bench.workload import MEAN_TURNS


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the loops say.

    Attributes:
        customers: the most chats at once for which every loop up to it kept the promise; 0 if not even the first did.
        sentence: for people.
        caveats: what a reader has to know beside it.
        customers_per_min: who may arrive by themselves with the promise kept; None if the sweep found no such rate.
    """

    customers: int
    sentence: str
    caveats: tuple[str, ...]
    customers_per_min: float | None = None


#: Share of ordinary requests that a guard may hold back without breaking the promise.
MOST_BLOCKED = 0.05


def keeps_promise(loop: LoopSummary, slo_s: float) -> bool:
    """Whether p90 of TTFT is within the promise and, but for a few blocked, everybody was answered."""
    p90 = loop.ttft_ms.p90
    answered = not loop.refused and not loop.failed and loop.blocked <= MOST_BLOCKED * loop.requests
    return p90 is not None and p90.value <= slo_s * 1000.0 and answered


def judge(result: Result, summary: Summary) -> Verdict:
    """The verdict of a run."""
    slo_s = result.slo_ttft_s
    promise = f"TTFT p90 <= {slo_s:g} s"
    if replayed := [loop for loop in summary.loops if loop.kind == "replay"]:
        return _judge_replay(result, summary, replayed[0], promise)
    held: list[LoopSummary] = []
    closed = [loop for loop in summary.loops if loop.kind == "closed"]
    for loop in closed:
        if not keeps_promise(loop, slo_s):
            break
        held.append(loop)
    customers = held[-1].chats if held else 0
    if held:
        served = f"Serves {customers} customer{'s'[: customers > 1]} at once with {promise} on this machine"
    else:
        served = f"Does not serve even one customer at a time with {promise} on this machine"
    a_minute = None if summary.carried_per_s is None else 60.0 * summary.carried_per_s / MEAN_TURNS
    sentence = f"{served}; {_limit(result, closed, len(held))}.{_arrivals(summary, a_minute)}"
    return Verdict(customers, sentence, _caveats(result, summary, held), a_minute)


def _judge_replay(result: Result, summary: Summary, loop: LoopSummary, promise: str) -> Verdict:
    kept = keeps_promise(loop, result.slo_ttft_s)
    sentence = (
        f"The trace's {loop.requests} requests {'kept' if kept else 'broke'} {promise} on this machine: "
        f"{loop.within_slo:.0%} had their first token in time, {loop.refused} were refused, {loop.failed} failed."
    )
    return Verdict(int(kept), sentence, _caveats(result, summary, [loop] if kept else []))


def _arrivals(summary: Summary, a_minute: float | None) -> str:
    """What the open loops say, as a sentence; nothing without them."""
    opened = [loop for loop in summary.loops if loop.kind == "open"]
    if not opened:
        return ""
    if a_minute is None or summary.carried_per_s is None:
        return f" When they arrive by themselves, {opened[0].rate_per_s:.3g} questions a second are already too many."
    carried = (
        f" Carries {a_minute:.3g} customers a minute who arrive by themselves ({summary.carried_per_s:.3g} questions/s)"
    )
    if summary.carried_per_s == opened[-1].rate_per_s:
        return f"{carried}; a higher rate was not tried."
    beyond = next(loop.rate_per_s for loop in opened if (loop.rate_per_s or 0.0) > summary.carried_per_s)
    return f"{carried}; {60.0 * (beyond or 0.0) / MEAN_TURNS:.3g} are too many."


def _limit(result: Result, closed: list[LoopSummary], held: int) -> str:
    if held == len(closed):
        if result.aborted:
            return "the run ended early, so no limit was found"
        return "the limit was not reached with the loops that were measured"
    loop, slo_ms = closed[held], result.slo_ttft_s * 1000.0
    if loop.failed:
        return f"the limit is failures: {loop.failed} of {loop.requests} requests got no proper answer at {_at(loop)}"
    if loop.refused:
        return f"the limit is the queue: {loop.refused} of {loop.requests} requests were refused at {_at(loop)}"
    if loop.blocked > MOST_BLOCKED * loop.requests:
        return f"the limit is the guard: it blocked {loop.blocked} of {loop.requests} ordinary requests at {_at(loop)}"
    p90 = loop.ttft_ms.p90
    if p90 is None:
        return f"nothing was answered at {_at(loop)}"
    reached = f"TTFT p90 is {p90.value / 1000.0:.2f} s at {_at(loop)}"
    alone = closed[0].ttft_ms.p90
    if alone is None or alone.value > slo_ms:
        return f"the limit is reading one prompt (prefill): {reached}"
    return f"the limit is waiting for the other chats' turn: {reached}, against {alone.value / 1000.0:.2f} s alone"


def _at(loop: LoopSummary) -> str:
    return f"{loop.chats} chat{'s'[: loop.chats > 1]}" if loop.chats else loop.name


def _caveats(result: Result, summary: Summary, held: list[LoopSummary]) -> tuple[str, ...]:
    found = []
    if result.target.demonstration:
        found.append(
            f"The bundle is a demonstration model ({result.target.bundle_bytes / 1e6:.1f} MB), not TinyLlama 1.1B: its "
            "figures show that the service works, not what a larger model would do on this machine."
        )
    if not result.target.is_local:
        found.append("The target runs on another machine: the machine described here is the client's.")
    if held and (p90 := held[-1].ttft_ms.p90) and p90.high is not None and p90.high > result.slo_ttft_s * 1000.0:
        found.append(f"Narrowly: the 95 % interval of TTFT p90 at {_at(held[-1])} reaches {p90.high / 1000.0:.2f} s.")
    ordinary = [record for loop in result.loops for record in loop.records if record.kind is not Kind.ATTACK]
    for kind in Kind:
        asked = [record for record in ordinary if record.kind is kind]
        blocked = sum(record.outcome is Outcome.BLOCKED for record in asked)
        if blocked > MOST_BLOCKED * len(asked):
            found.append(f"The guard blocked {blocked} of {len(asked)} requests of the kind '{kind}'.")
    answers = sum(loop.answered for loop in summary.loops)
    kept = sum(loop.from_cache for loop in summary.loops)
    if kept:
        found.append(f"{kept} of {answers} answers came from the answer cache, without the model.")
    if len(counts := {sample.throttled for sample in result.samples} - {None}) > 1:
        found.append(f"The processors were throttled during the run: the counter had {len(counts)} different values.")
    if result.aborted:
        found.append(f"The run ended early: {result.aborted}.")
    found.extend(f"Not quiet: {complaint}." for complaint in result.noise.complaints)
    return tuple(found)
