"""The definitions: what each figure of a report means, its formula and where the definition comes from.

One request, times in milliseconds from the moment before its connection is opened (``t_0 = 0``); arrivals ``a_1 ..
a_k`` are the moments at which the last byte of each non-empty piece of answer was read from the socket; ``n`` is the
number of answer tokens. The sources are [NIM], NVIDIA's "NIM LLM Benchmarking: Metrics", and [vLLM],
``vllm/benchmarks/serve.py``.

TTFT      ``a_1``. [NIM] time to first token: from submission to the first non-empty output, with queueing, prefill and
          network.
ITL       ``a_i - a_(i-1)``, ``i = 2 .. k``. [vLLM] every gap of every request in one pool; gaps between *pieces*:
          a guard that holds text back makes fewer and longer gaps.
TPOT      ``(a_k - a_1) / (n - 1)``, ``n > 1``. [vLLM] one value a request, whatever the pieces were.
E2E       the end of the stream. As [vLLM], but to the end mark: it includes a last check of the whole answer.
rate      ``1000 / TPOT``: tokens a second that one customer sees.
together  ``C * sum(n_r) / sum(E2E_r)`` over the requests ``r`` of a closed loop of ``C`` chats without think time: each
          chat is always inside exactly one request, so the sum of durations is ``C`` times the wall time (Little's
          law).

Open loops, bursts and replays have a schedule: TTFT and E2E then count from the scheduled arrival, not from the moment
at which bench got to send the request. Otherwise a slow target would be asked less and look faster: coordinated
omission [Tene 2013, "How NOT to Measure Latency"; his wrk2].

kept      answered, or an attack that was blocked, with TTFT within the promise.
goodput   kept requests by the loop's wall time [DistServe, arXiv 2401.09670]. A rate is carried if 90 % are kept and no
          queue grows (``bench.saturation``); customers a minute are ``60 * rate / questions of a customer``.
cold      fewer than half of the prompt tokens were kept by the target; prefix-cached: half or more; answer cache: the
          whole answer was; blocked: by policy. Every request is of exactly one.
decode    bound ``bandwidth / model bytes``, prefill bound ``FLOP/s / (2 * parameters)``: see ``bench.roofline``.
joules    power of the processor packages in a loop (RAPL) times its wall time, by its answers: the whole machine's.

Quantiles are Hyndman and Fan's type 7 (1996, "Sample Quantiles in Statistical Packages"), numpy's default: linear
between the order statistics around ``(n - 1) q``. With fewer than 100 requests, p99 is close to the largest value
seen.

Intervals are 95 % percentile bootstrap intervals (Efron and Tibshirani 1993, chapter 13). Whole requests are
resampled, never single gaps, because the gaps inside one request are alike; an interval from fewer than two requests
is not given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 1000
CONFIDENCE = 0.95

#: Draws are computed in blocks of about so many numbers, to bound the memory.
_BLOCK_VALUES = 1 << 20

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Timeline:
    """One answer as it arrived.

    Attributes:
        arrivals_ms: (k,) moments of the non-empty pieces, ascending, from the start of the request.
        end_ms: the end of the stream.
        tokens: answer tokens ``n``, as the target counts them, else ``k``.
    """

    arrivals_ms: tuple[float, ...]
    end_ms: float
    tokens: int

    @property
    def ttft_ms(self) -> float | None:
        """Time to first token; None for an empty answer."""
        return self.arrivals_ms[0] if self.arrivals_ms else None

    @property
    def itl_ms(self) -> tuple[float, ...]:
        """(k - 1,) gaps between pieces."""
        return tuple(b - a for a, b in zip(self.arrivals_ms, self.arrivals_ms[1:], strict=False))

    @property
    def tpot_ms(self) -> float | None:
        """Time per output token after the first; None with fewer than two tokens or pieces."""
        if self.tokens < 2 or len(self.arrivals_ms) < 2:
            return None
        return (self.arrivals_ms[-1] - self.arrivals_ms[0]) / (self.tokens - 1)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval.

    Attributes:
        value: the figure.
        low: lower end of the 95 % interval; None where fewer than two requests stand behind it.
        high: upper end.
        requests: how many requests stand behind it.
    """

    value: float
    low: float | None
    high: float | None
    requests: int


def quantile(values: Sequence[float], q: float) -> float:
    """The ``q``-quantile (type 7) of at least one value.

    Raises:
        ValueError: no values, or ``q`` outside 0 to 1.
    """
    if not values:
        raise ValueError("quantile of no values; expected at least one")
    if not 0.0 <= q <= 1.0:
        raise ValueError(f"quantile {q}; expected 0 to 1")
    return float(np.quantile(np.asarray(values, dtype=np.float64), q, method="linear"))


def quantile_draws(
    groups: Sequence[Sequence[float]], quantiles: Sequence[float], seed: int, draws: int = DRAWS
) -> Floats:
    """Bootstrap distribution of quantiles, resampling whole groups with replacement.

    A resample is a count per group. Values are sorted once; the counts are then weights on them, which gives the same
    quantiles as sorting the repeated values anew.

    Args:
        groups: per request its values; empty requests are left out.
        quantiles: each 0 to 1.
        seed: of the random choice.
        draws: resamples.

    Returns:
        (draws, quantiles) float64; (0, quantiles) if no group holds a value.
    """
    filled = [np.asarray(group, dtype=np.float64) for group in groups if len(group)]
    if not filled:
        return np.empty((0, len(quantiles)))
    owner = np.repeat(np.arange(len(filled)), [len(group) for group in filled])  # (values,)
    values = np.concatenate(filled)
    order = np.argsort(values, kind="stable")
    values, owner = values[order], owner[order]
    counts = _resample_counts(len(filled), draws, seed)
    rows = max(1, _BLOCK_VALUES // len(values))
    blocks = []
    for start in range(0, draws, rows):
        upto = np.cumsum(
            counts[start : start + rows, owner], axis=1
        )  # (rows, values) values of the resample up to here
        blocks.append(np.stack([_weighted_quantile(values, upto, q) for q in quantiles], axis=1))
    return np.concatenate(blocks)


def _resample_counts(size: int, draws: int, seed: int) -> NDArray[np.int32]:
    """How often each of ``size`` requests is in each resample of as many; (draws, size)."""
    chosen = np.random.default_rng(seed).integers(0, size, (draws, size))
    places = (chosen + size * np.arange(draws)[:, None]).ravel()
    return np.bincount(places, minlength=draws * size).reshape(draws, size).astype(np.int32)


def _weighted_quantile(values: Floats, upto: NDArray[np.int32], q: float) -> Floats:
    """Type-7 quantile of ``values`` (values,), ascending, of which each row of ``upto`` counts repeats; (rows,)."""
    position = (upto[:, -1] - 1) * q
    below = position.astype(np.int64)
    above = np.minimum(below + 1, upto[:, -1] - 1)
    low, high = (values[(upto <= rank[:, None]).sum(axis=1)] for rank in (below, above))
    return np.asarray(low + (position - below) * (high - low), dtype=np.float64)


def ratio_draws(tops: Sequence[float], bottoms: Sequence[float], seed: int, draws: int = DRAWS) -> Floats:
    """Bootstrap distribution of ``sum(tops) / sum(bottoms)``, resampling pairs. (draws,) float64; (0,) for no pairs."""
    if not tops:
        return np.empty(0)
    top, bottom = np.asarray(tops, dtype=np.float64), np.asarray(bottoms, dtype=np.float64)
    rng = np.random.default_rng(seed)
    chosen = rng.integers(0, len(top), (draws, len(top)))
    return np.asarray(top[chosen].sum(axis=1) / bottom[chosen].sum(axis=1), dtype=np.float64)


def interval(drawn: Floats, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Percentile interval of a bootstrap distribution (draws,) of at least one draw."""
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(drawn, [tail, 1.0 - tail])
    return float(low), float(high)


def estimate_quantiles(
    groups: Sequence[Sequence[float]], quantiles: Sequence[float], seed: int
) -> tuple[Estimate | None, ...]:
    """Quantiles of all values with their intervals; None for each if there are no values."""
    filled = [group for group in groups if len(group)]
    if not filled:
        return (None,) * len(quantiles)
    values = [number for group in filled for number in group]
    if len(filled) < 2:
        return tuple(Estimate(quantile(values, q), None, None, 1) for q in quantiles)
    drawn = quantile_draws(filled, quantiles, seed)
    return tuple(
        Estimate(quantile(values, q), *interval(drawn[:, place]), len(filled)) for place, q in enumerate(quantiles)
    )


def estimate_quantile(groups: Sequence[Sequence[float]], q: float, seed: int) -> Estimate | None:
    """One of them."""
    return estimate_quantiles(groups, (q,), seed)[0]


def estimate_together(chats: int, tokens: Sequence[int], durations_s: Sequence[float], seed: int) -> Estimate | None:
    """Tokens a second of all chats together, by Little's law; None without requests or without time."""
    if not tokens or sum(durations_s) <= 0.0:
        return None
    value = chats * sum(tokens) / sum(durations_s)
    if len(tokens) < 2:
        return Estimate(value, None, None, len(tokens))
    low, high = interval(ratio_draws(tokens, durations_s, seed))
    return Estimate(value, chats * low, chats * high, len(tokens))
