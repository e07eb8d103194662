"""From turns to ratios: each figure of ours against the peer's of the same round, medians, and what was kept."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from bench.engine.figures import OURS, PROMISES, PYTHON_LIMIT, RESTART_LIMIT, Figure, Promise, Scenario
from bench.engine.result import EngineResult


@dataclass(frozen=True, slots=True)
class Spread:
    """A median over the rounds, with the least and the largest value."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Row:
    """One figure against one peer.

    Attributes:
        label: of the figure.
        peer: the peer's name; for the restart, what it is compared with.
        scale: what the figures are divided by,
        unit: to be in this unit.
        ours: over the rounds; None if no round has it.
        theirs: likewise.
        ratio: ours to theirs, round by round.
        limit: of the ratio.
        at_least: whether the ratio has to reach it instead of staying below.
    """

    label: str
    peer: str
    scale: float
    unit: str
    ours: Spread | None
    theirs: Spread | None
    ratio: Spread | None
    limit: float
    at_least: bool

    @property
    def kept(self) -> bool:
        """Whether the median of the ratio is within the limit; never without a ratio."""
        if self.ratio is None:
            return False
        return self.ratio.median >= self.limit if self.at_least else self.ratio.median <= self.limit


def rows(result: EngineResult) -> tuple[Row, ...]:
    """Every row that was asked for: peer by peer, then what is promised of ours alone."""
    peers = [side.name for side in result.sides if side.name != OURS]
    found = [
        _row(result, promise, peer) for peer in peers for promise in PROMISES if promise.scenario in result.scenarios
    ]
    if Scenario.RESTART in result.scenarios:
        found.append(_restart(result))
    if Scenario.DECODE in result.scenarios:
        found.append(_python(result))
    return tuple(found)


def ours_alone(result: EngineResult) -> tuple[tuple[Promise, Spread | None], ...]:
    """Our figures, for a measurement without a peer."""
    chosen = [promise for promise in PROMISES if promise.scenario in result.scenarios]
    return tuple((promise, _spread(_values(result, OURS, promise.figure))) for promise in chosen)


def faults(result: EngineResult) -> tuple[str, ...]:
    """What went wrong, one line each."""
    return tuple(
        f"round {turn.number}, {turn.side}, {scenario}: {fault}"
        for turn in result.turns
        for scenario, fault in turn.faults.items()
    )


def prompts_differ(result: EngineResult) -> tuple[str, ...]:
    """Where two sides count unlike prompts: then they did not get the same tokens, and the ratio says little."""
    found = []
    for scenario in result.scenarios:
        lengths = {side.name: _prompt_tokens(result, side.name, scenario) for side in result.sides}
        known = [length for length in lengths.values() if length]
        if known and max(known) > 1.02 * min(known):
            counted = ", ".join(f"{name} {length:.0f}" for name, length in lengths.items() if length)
            found.append(f"{scenario}: the sides count unlike prompts ({counted} tokens)")
    return tuple(found)


def cached_share(result: EngineResult, side: str, scenario: Scenario) -> float | None:
    """The share of the prompt tokens that a side says it did not compute; None if the scenario was not run."""
    turns = [turn for turn in result.turns if turn.side == side and turn.prompt_tokens.get(scenario)]
    if not turns:
        return None
    return sum(turn.cached_tokens[scenario] for turn in turns) / sum(turn.prompt_tokens[scenario] for turn in turns)


def _prompt_tokens(result: EngineResult, side: str, scenario: Scenario) -> float:
    lengths = [
        turn.prompt_tokens[scenario] for turn in result.turns if turn.side == side and scenario in turn.prompt_tokens
    ]
    return sum(lengths) / len(lengths) if lengths else 0.0


def _row(result: EngineResult, promise: Promise, peer: str) -> Row:
    ours, theirs = (_values(result, side, promise.figure) for side in (OURS, peer))
    ratios = {number: ours[number] / theirs[number] for number in ours if theirs.get(number)}
    shown = (promise.label, peer, promise.scale, promise.unit)
    return Row(*shown, _spread(ours), _spread(theirs), _spread(ratios), promise.limits[peer], promise.at_least)


def _restart(result: EngineResult) -> Row:
    first, warm = (_values(result, OURS, figure) for figure in (Figure.RESTART, Figure.NEW))
    ratios = {number: first[number] / warm[number] for number in first if warm.get(number)}
    shown = ("first question after a restart, TTFT", "ours, warm", 1000.0, "s")
    return Row(*shown, _spread(first), _spread(warm), _spread(ratios), RESTART_LIMIT, at_least=False)


def _python(result: EngineResult) -> Row:
    """The share itself stands where other rows have their ratio."""
    shares = _spread(_values(result, OURS, Figure.PYTHON_SHARE))
    shown = ("Python's share of a decode step", "ours", 0.01, "%")
    return Row(*shown, shares, None, shares, PYTHON_LIMIT, at_least=False)


def _values(result: EngineResult, side: str, figure: Figure) -> dict[int, float]:
    """By round."""
    return {turn.number: turn.figures[figure] for turn in result.turns if turn.side == side and figure in turn.figures}


def _spread(values: dict[int, float]) -> Spread | None:
    if not values:
        return None
    return Spread(median(values.values()), min(values.values()), max(values.values()))
