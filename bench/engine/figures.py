"""What is measured of an engine, and what it promises against another's server: one row a figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

OURS = "ours"
DEFAULT = "default"
TUNED = "tuned"


class Scenario(StrEnum):
    """A part of the measurement that can be chosen by name; in the order in which a turn runs them."""

    DECODE = "decode"
    NEW = "new"
    TOGETHER = "together"
    RETURNING = "returning"
    GAP = "gap"
    AWAY = "away"
    MEMORY = "memory"
    RESTART = "restart"


#: Scenarios that cannot be measured without another one.
NEEDS = {Scenario.RETURNING: Scenario.TOGETHER, Scenario.RESTART: Scenario.NEW}


class Figure(StrEnum):
    """One number that a turn gives; its unit is in its name."""

    TOGETHER_P50 = "together_ttft_p50_ms"
    TOGETHER_P95 = "together_ttft_p95_ms"
    TOGETHER_RATE = "together_tokens_per_s"
    NEW = "new_ttft_p50_ms"
    RETURNING = "returning_ttft_p50_ms"
    AWAY = "away_ttft_p50_ms"
    GAP = "largest_gap_ms"
    DECODE_RATE = "decode_tokens_per_s"
    PEAK_RSS = "peak_rss_bytes"
    RESTART = "restart_ttft_ms"
    PYTHON_SHARE = "python_share_of_decoding"


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised of a figure.

    Attributes:
        figure: which.
        scenario: that measures it.
        label: for people.
        scale: the figure is shown divided by it,
        unit: in this unit.
        limits: of the ratio ours to the peer's, by the peer's flags.
        at_least: whether the ratio has to reach the limit instead of staying below.
    """

    figure: Figure
    scenario: Scenario
    label: str
    scale: float
    unit: str
    limits: Mapping[str, float]
    at_least: bool = False


def _limits(default: float, tuned: float) -> dict[str, float]:
    return {DEFAULT: default, TUNED: tuned}


_S, _MIB = (1000.0, "s"), (float(1 << 20), "MiB")

PROMISES = (
    Promise(Figure.TOGETHER_P50, Scenario.TOGETHER, "new chats at once, TTFT p50", *_S, _limits(0.20, 0.15)),
    Promise(Figure.TOGETHER_P95, Scenario.TOGETHER, "new chats at once, TTFT p95", *_S, _limits(0.25, 0.20)),
    Promise(
        *(Figure.TOGETHER_RATE, Scenario.TOGETHER, "new chats at once, together", 1.0, "tokens/s"),
        _limits(1.5, 1.8),
        at_least=True,
    ),
    Promise(Figure.NEW, Scenario.NEW, "one new chat, TTFT p50", *_S, _limits(0.25, 1.0)),
    Promise(Figure.RETURNING, Scenario.RETURNING, "chats coming back in turn, TTFT p50", *_S, _limits(0.35, 0.35)),
    Promise(Figure.AWAY, Scenario.AWAY, "chats coming back after eviction, TTFT p50", *_S, _limits(0.25, 0.25)),
    Promise(Figure.GAP, Scenario.GAP, "largest gap while a 900-token prompt arrives", *_S, _limits(0.1, 0.5)),
    Promise(
        *(Figure.DECODE_RATE, Scenario.DECODE, "one chat's decode rate, empty cache", 1.0, "tokens/s"),
        _limits(0.97, 0.97),
        at_least=True,
    ),
    Promise(Figure.PEAK_RSS, Scenario.MEMORY, "peak RSS over the whole turn", *_MIB, _limits(0.75, 1.0)),
)

#: First question after a restart against a warm one, ours alone.
RESTART_LIMIT = 1.5

#: Share of the engine thread's time that is not libllama's while one chat is answered.
PYTHON_LIMIT = 0.03


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of each is asked.

    Attributes:
        new: new chats, one after another.
        together: new chats at once, which then come back in turn.
        away: chats that are asked first and come back last.
        answer_tokens: of an answer of the chats at once.
        short_tokens: of an answer where only the first token is timed.
        decode_tokens: of the one answer whose rate is measured.
        stream_tokens: of the answer during which the long prompt arrives.
    """

    new: int = 3
    together: int = 8
    away: int = 40
    answer_tokens: int = 48
    short_tokens: int = 8
    decode_tokens: int = 128
    stream_tokens: int = 128


FULL = Sizes()
QUICK = Sizes(new=2, together=3, away=4, answer_tokens=12, short_tokens=4)
