"""Two results side by side: is B slower than A by more than a stated share, beyond chance?

Where both runs asked the same requests, these are paired: blocks of whole conversations are resampled, the same
ones on both sides, so that what makes one question longer than another cancels out. Loops with nothing in common are
resampled apart.
A figure is worse if its relative change exceeds the share *and* the interval of the change excludes zero. The
interval is widened for the number of figures that are looked at (Bonferroni), so that comparing a run with itself
seldom alarms. The bootstrap knows the chance inside the runs, not what happens to a machine between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.errors import ResultFileError
from bench.metrics import CONFIDENCE, Floats, interval, quantile, quantile_draws, ratio_draws
from bench.records import LoopResult, Record
from bench.result import Result, TargetInfo
from bench.summary import Values, answered, e2e_ms, tpot_ms, ttft_ms

#: Name, values of a record, quantile. Larger is worse.
LATENCIES: tuple[tuple[str, Values, float], ...] = (
    ("TTFT p50", ttft_ms, 0.5),
    ("TTFT p90", ttft_ms, 0.9),
    ("TPOT p50", tpot_ms, 0.5),
    ("E2E p50", e2e_ms, 0.5),
)
TIME_PER_TOKEN = "time per token, all chats"

#: With fewer conversations, chance alone moves all of them the same way too often for any interval.
LEAST_CONVERSATIONS = 5
_DRAWS = 4000
#: Mean prompts that differ by more than this are not the same work.
_SAME_PROMPTS = 0.05


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
        is_paired: whether the same requests stand on both sides.
    """

    loop: str
    figure: str
    before_ms: float
    after_ms: float
    change: float
    low: float
    high: float
    is_worse: bool
    is_paired: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """All changes.

    Attributes:
        fail_over: the share from which slower is worse.
        changes: of answered requests only, so
        losses: says in which loops B answered a smaller share of the requests than A, beyond ``fail_over``.
        notes: what makes the two runs less than comparable, and what was left out.
    """

    fail_over: float
    changes: tuple[Change, ...]
    losses: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def is_worse(self) -> bool:
        """Whether any figure is, or B answers less."""
        return bool(self.losses) or any(change.is_worse for change in self.changes)


@dataclass(frozen=True, slots=True)
class _Figure:
    """What a change is computed from: the figure in A and B, (draws,) resamples of each, and of how many blocks."""

    loop: str
    name: str
    centre: tuple[float, float]
    drawn: tuple[Floats, Floats]
    blocks: int
    is_paired: bool


#: Records of a loop by conversation, of A and B; if paired, place by place the same requests.
_Sides = tuple[list[list[Record]], list[list[Record]]]


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
    common = [(a, b) for a in before.loops for b in after.loops if a.plan.name == b.plan.name]
    if not common:
        raise ResultFileError("the two results have no loop in common; run both with the same plan")
    # The rates of a sweep are shares of what each target can do: at another rate, another wait is no change.
    pairs = [(a, b) for a, b in common if a.plan.rate_per_s == b.plan.rate_per_s]
    apart = [a.plan.name for a, b in common if a.plan.rate_per_s != b.plan.rate_per_s]
    notes = [f"not compared, the rates differ: {', '.join(apart)}"] if apart else []
    figures: list[_Figure] = []
    for a, b in pairs:
        found, missing = _figures(a, b, before.traffic.options.seed)
        figures += found
        notes += missing
    confidence = 1.0 - (1.0 - CONFIDENCE) / max(1, len(figures))
    changes = tuple(_change(figure, fail_over, confidence) for figure in figures)
    losses = tuple(text for a, b in pairs if (text := _loss(a, b, fail_over)))
    return Comparison(fail_over, changes, losses, (*_notes(before, after), *notes))


def _figures(a: LoopResult, b: LoopResult, seed: int) -> tuple[list[_Figure], list[str]]:
    """The figures of a loop that can be computed, and why others cannot."""
    name, found, missing = a.plan.name, list[_Figure](), list[str]()
    if not answered(a) or not answered(b):
        return found, missing  # a loss, or nothing on either side
    (left, right), is_paired = _sides(a, b)
    if min(len(left), len(right)) < LEAST_CONVERSATIONS:
        return found, [
            f"{name}: {min(len(left), len(right))} answered conversations, too few to compare; run longer loops"
        ]
    seeds = (seed, seed if is_paired else seed + 1)  # equal seeds and sizes draw the same places on both sides
    for figure, values, q in LATENCIES:
        groups = _values(left, right, values, is_paired)
        if min(sum(map(bool, side)) for side in groups) < LEAST_CONVERSATIONS:
            missing.append(f"{name}: {figure} not compared, too few requests have it")
            continue
        blocks = [_blocks(side) for side in groups]
        drawn = [quantile_draws(side, (q,), s, _DRAWS)[:, 0] for side, s in zip(blocks, seeds, strict=True)]
        centre = [quantile([value for group in side for value in group], q) for side in groups]
        if centre[0] <= 0.0 or drawn[0].min() <= 0.0:
            missing.append(f"{name}: {figure} not compared, it is 0 in A: whole answers arrived in one read")
            continue
        fewest = min(map(len, blocks))
        found.append(_Figure(name, figure, (centre[0], centre[1]), (drawn[0], drawn[1]), fewest, is_paired))
    if a.plan.kind == "closed":  # only there does the time of all chats go into requests
        per_token = _per_token(a, (left, right), seeds, is_paired)
        found += per_token
        if not per_token:
            missing.append(f"{name}: {TIME_PER_TOKEN} not compared, there are answers without tokens or time")
    return found, missing


def _sides(a: LoopResult, b: LoopResult) -> tuple[_Sides, bool]:
    """Answered requests by conversation: those asked in both runs, or all of each where too few are."""
    sides = [{(r.conversation, r.turn, r.kind): r for r in answered(loop)} for loop in (a, b)]
    both = sorted(sides[0].keys() & sides[1].keys())
    if len({key[0] for key in both}) >= LEAST_CONVERSATIONS:
        paired = [_by_conversation([side[key] for key in both]) for side in sides]
        return (paired[0], paired[1]), True
    return (_by_conversation(answered(a)), _by_conversation(answered(b))), False


def _by_conversation(records: Sequence[Record]) -> list[list[Record]]:
    groups: dict[int, list[Record]] = {}
    for record in records:
        groups.setdefault(record.conversation, []).append(record)
    return list(groups.values())


def _blocks(groups: list[list[float]]) -> list[list[float]]:
    """Neighbours joined, since noise outlasts one: the cube root of their number (Hall, Horowitz and Jing 1995)."""
    length = int(len(groups) ** (1.0 / 3.0) + 1e-9)
    return [[v for group in groups[start : start + length] for v in group] for start in range(0, len(groups), length)]


def _values(
    left: list[list[Record]], right: list[list[Record]], values: Values, is_paired: bool
) -> tuple[list[list[float]], list[list[float]]]:
    """The values by conversation; if paired, of requests that have one on both sides, so that places stay the same."""
    sides = [[[values(record) for record in group] for group in side] for side in (left, right)]
    if is_paired:
        keep = [[bool(x and y) for x, y in zip(*groups, strict=True)] for groups in zip(*sides, strict=True)]
        sides = [
            [[v for v, kept in zip(group, flags, strict=True) if kept] for group, flags in zip(side, keep, strict=True)]
            for side in sides
        ]
    flat = [[[number for one in group for number in one] for group in side] for side in sides]
    return flat[0], flat[1]


def _per_token(loop: LoopResult, sides: _Sides, seeds: tuple[int, int], is_paired: bool) -> list[_Figure]:
    """Milliseconds of all chats for each one's token; nothing where it is 0 or has no tokens."""
    centre, drawn, fewest = [], [], len(sides[0])
    for side, seed in zip(sides, seeds, strict=True):
        spent = [sum(record.timeline.end_ms for record in group) / loop.plan.chats for group in side]
        tokens = [float(sum(record.timeline.tokens for record in group)) for group in side]
        if not all(spent) or not all(tokens):
            return []
        centre.append(sum(spent) / sum(tokens))
        tops, bottoms = ([sum(block) for block in _blocks([[value] for value in one])] for one in (spent, tokens))
        drawn.append(ratio_draws(tops, bottoms, seed, _DRAWS))
        fewest = min(fewest, len(tops))
    return [_Figure(loop.plan.name, TIME_PER_TOKEN, (centre[0], centre[1]), (drawn[0], drawn[1]), fewest, is_paired)]


def _change(figure: _Figure, fail_over: float, confidence: float) -> Change:
    (before, after), (drawn_before, drawn_after) = figure.centre, figure.drawn
    change = after / before - 1.0
    low, high = (end - 1.0 for end in interval(drawn_after / drawn_before, _expanded(confidence, figure.blocks)))
    worse = change > fail_over and low > 0.0
    return Change(figure.loop, figure.name, before, after, change, low, high, worse, figure.is_paired)


def _expanded(confidence: float, blocks: int) -> float:
    """The confidence at which a percentile interval of few blocks covers what it should.

    The bootstrap's spread is too small by ``sqrt((n - 1) / n)``, and it knows no t distribution (Hesterberg 2015, "What
    Teachers Should Know About the Bootstrap", section 5.3, the expanded percentile interval).
    """
    from scipy import stats  # type: ignore[import-untyped]  # half a second to load, and only comparisons need it

    if blocks < 2:
        return 1.0
    wide = stats.t.ppf(0.5 + confidence / 2.0, blocks - 1) * (blocks / (blocks - 1)) ** 0.5
    return float(2.0 * stats.norm.cdf(wide) - 1.0)


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
    kinds = [_kind(result.target) for result in (before, after)]
    if kinds[0] != kinds[1]:
        notes.append(f"A is {kinds[0]}, B is {kinds[1]}: guards, chat template and caches are part of the difference")
    prompts = [_mean_prompt_tokens(result) for result in (before, after)]
    if abs(prompts[0] - prompts[1]) > _SAME_PROMPTS * max(prompts):
        notes.append(f"the prompts differ: {prompts[0]:.0f} tokens on average in A, {prompts[1]:.0f} in B")
    for name, result in (("A", before), ("B", after)):
        notes.extend(f"{name} was not quiet: {complaint}" for complaint in result.noise.complaints)
        if result.aborted:
            notes.append(f"{name} ended early: {result.aborted}")
    return tuple(notes)


def _kind(target: TargetInfo) -> str:
    """What sort of server it is, by what only this project's ``/health`` says."""
    is_ours = target.started or ("engine" in target.health and "state" in target.health)
    return "this project's server" if is_ours else "another OpenAI-compatible server"


def _mean_prompt_tokens(result: Result) -> float:
    counts = [record.prompt_tokens for loop in result.loops if loop.plan.kind == "closed" for record in answered(loop)]
    return sum(counts) / len(counts) if counts else 0.0
