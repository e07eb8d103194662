"""The answer to the one question: how many customers can this machine serve at once, and what is the limit?"""

from __future__ import annotations

from dataclasses import dataclass

from bench.result import Result
from bench.summary import LoopSummary, Summary


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the closed loops say.

    Attributes:
        customers: the most chats at once for which every loop up to it kept the promise; 0 if not even the first did.
        sentence: for people.
        caveats: what a reader has to know beside it.
    """

    customers: int
    sentence: str
    caveats: tuple[str, ...]


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
    held: list[LoopSummary] = []
    for loop in summary.loops:
        if not keeps_promise(loop, slo_s):
            break
        held.append(loop)
    customers = held[-1].chats if held else 0
    promise = f"TTFT p90 <= {slo_s:g} s"
    if held:
        served = f"Serves {customers} customer{'s'[: customers > 1]} at once with {promise} on this machine"
    else:
        served = f"Does not serve even one customer at a time with {promise} on this machine"
    return Verdict(customers, f"{served}; {_limit(result, summary, len(held))}.", _caveats(result, summary, held))


def _limit(result: Result, summary: Summary, held: int) -> str:
    if held == len(summary.loops):
        if result.aborted:
            return "the run ended early, so no limit was found"
        return "the limit was not reached with the loops that were measured"
    loop, slo_ms = summary.loops[held], result.slo_ttft_s * 1000.0
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
    alone = summary.loops[0].ttft_ms.p90
    if alone is None or alone.value > slo_ms:
        return f"the limit is reading one prompt (prefill): {reached}"
    return f"the limit is waiting for the other chats' turn: {reached}, against {alone.value / 1000.0:.2f} s alone"


def _at(loop: LoopSummary) -> str:
    return f"{loop.chats} chat{'s'[: loop.chats > 1]}"


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
    answers = sum(loop.answered for loop in summary.loops)
    kept = sum(loop.from_cache for loop in summary.loops)
    if kept:
        found.append(f"{kept} of {answers} answers came from the answer cache, without the model.")
    if result.aborted:
        found.append(f"The run ended early: {result.aborted}.")
    found.extend(f"Not quiet: {complaint}." for complaint in result.noise.complaints)
    return tuple(found)
