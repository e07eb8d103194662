"""What a step costs: seconds that llama_decode takes for n rows on this machine, learned while it runs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import pairwise

#: Rows of the largest step that is told apart; a larger one is taken to cost in proportion.
MAX_ROWS = 256

#: Until it is measured, a row beside others is taken to cost this share of a row alone. One thread on AVX2 gave 0.6 to
#: 0.7 for up to eight rows: one row alone waits for memory, several share what was read.
ASSUMED_SHARE = 0.65

#: Seconds of a step of one row, before anything was measured: a 1.1B model at 4 bits on two cores.
ASSUMED_STEP_S = 0.04

#: Largest size of each cell. Matrix kernels work in groups of four rows, so small sizes each have a cell of their own.
_EDGES = (1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256)
_CELL = tuple(next(i for i, edge in enumerate(_EDGES) if rows <= edge) for rows in range(1, MAX_ROWS + 1))

#: A measurement counts as at most twice and at least a quarter of what was expected.
_LEAST, _MOST = 0.25, 2.0

#: How far a cell, and the scale of all, follow a faster and a slower measurement. Whatever else runs on the machine
#: only ever adds time, so the fast ones are believed sooner. Cell and scale move at one rate: then the scale follows
#: from the cells and cannot drift away from those that are not in use.
_FASTER, _SLOWER = 0.12, 0.03

#: Weight of a size that was never measured where larger and smaller ones disagree about it.
_UNSEEN = 0.01

#: A draft has to make a step's tokens this much cheaper; less is within what the costs are known by.
_MARGIN = 1.03

_MOST_SEEN = 64.0
#: Steps between two workings-out of the curve, while it is new and later.
_REFRESH_NEW, _REFRESH_RECORDS = 16, 128
_FORGET_RECORDS = 512


def _assumed(rows: float) -> float:
    return 1.0 + ASSUMED_SHARE * (rows - 1.0)


def _rising(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The nearest values that never fall (isotonic regression by pooling adjacent violators, Ayer et al. 1955)."""
    pools: list[tuple[float, float, int]] = []  # value, weight, how many
    for value, weight in zip(values, weights, strict=True):
        pool = (value, weight, 1)
        while pools and pools[-1][0] > pool[0]:
            before, heavy, many = pools.pop()
            both = heavy + pool[1]
            pool = ((before * heavy + pool[0] * pool[1]) / both, both, many + pool[2])
        pools.append(pool)
    return [value for value, _, many in pools for _ in range(many)]


class StepCosts:
    """The curve T(n), n rows to seconds. Written by one thread; any thread may read.

    A cell per size, or range of sizes, holds how its steps compare with the assumed straight line; one scale common to
    all holds how fast the machine is now. So a machine that slows down moves the whole curve, not only the sizes it
    happens to be using. Each cell is blended with the line by how often it was measured, and counts fade: a size that
    looked dear and is no longer used comes to be tried again.
    """

    def __init__(self) -> None:
        self._scale_s = ASSUMED_STEP_S
        self._ratio = [1.0] * len(_EDGES)
        self._seen = [0.0] * len(_EDGES)
        self._records = 0
        self._curve = [_assumed(rows) for rows in range(1, MAX_ROWS + 1)]

    @property
    def records(self) -> int:
        """Steps measured so far."""
        return self._records

    def record(self, rows: int, seconds: float) -> None:
        """Take note of a step; measurements of no time and beyond MAX_ROWS are left out.

        Raises:
            ValueError: no rows.
        """
        if rows < 1:
            raise ValueError(f"a step of {rows} rows; expected at least 1")
        if seconds <= 0 or rows > MAX_ROWS:
            return
        cell = _CELL[rows - 1]
        if not self._records:
            self._scale_s = seconds / _assumed(rows)
        seen = self._seen[cell]
        ratio = self._ratio[cell]
        deviation = seconds / (self._scale_s * ratio * _assumed(rows))
        deviation = min(max(deviation, _LEAST), _MOST) - 1.0
        rate = _FASTER if deviation < 0 else _SLOWER
        if seen >= 1.0:  # how a size that is new compares says nothing about the others
            self._scale_s *= 1.0 + rate * deviation
        self._ratio[cell] = ratio * (1.0 + max(rate, 1.0 / (seen + 1.0)) * deviation)
        self._seen[cell] = min(seen + 1.0, _MOST_SEEN)
        self._records += 1
        every = _REFRESH_NEW if self._records < 2 * _REFRESH_RECORDS else _REFRESH_RECORDS
        if seen < 4.0 or self._records % every == 0:
            self._refresh()

    def _refresh(self) -> None:
        if self._records % _FORGET_RECORDS == 0:
            self._seen = [seen / 2 for seen in self._seen]
        # What larger steps save a row shows at the nearest smaller size that was measured, better than in the line.
        nearest = 1.0
        costs: list[float] = []
        for edge, ratio, seen in zip(_EDGES, self._ratio, self._seen, strict=True):
            nearest = (seen * ratio + nearest) / (seen + 1.0)
            costs.append(nearest * _assumed(edge))
        costs = _rising(costs, [seen + _UNSEEN for seen in self._seen])
        curve = costs[:1]
        for (low, cost_low), (high, cost_high) in pairwise(zip(_EDGES, costs, strict=True)):
            each = (cost_high - cost_low) / (high - low)
            curve += [min(cost_low + each * more, cost_high) for more in range(1, high - low)]
            curve.append(cost_high)
        self._curve = curve

    def seconds(self, rows: int) -> float:
        """Predicted seconds of a step of ``rows`` rows; never less for more rows, 0 for none."""
        if rows <= 0:
            return 0.0
        if rows > MAX_ROWS:
            return self._scale_s * self._curve[-1] * rows / MAX_ROWS
        return self._scale_s * self._curve[rows - 1]

    def rows_within(self, seconds: float, least: int, most: int) -> int:
        """The most rows, from ``least`` to ``most``, of a step that takes ``seconds`` at most; ``least`` if none does.

        Raises:
            ValueError: ``most`` is smaller than ``least``.
        """
        if most < least:
            raise ValueError(f"from {least} to {most} rows; expected the second not to be smaller")
        fitting = bisect_right(self._curve, seconds / self._scale_s)
        if fitting == MAX_ROWS:
            fitting = int(seconds / self.seconds(MAX_ROWS) * MAX_ROWS)
        return min(max(fitting, least), most)

    def draft_length(self, rows_without: int, chances: Sequence[float]) -> int:
        """How long a draft should be so that the whole step gives most tokens a second; 0 if none pays.

        Args:
            rows_without: rows of the step without this draft, each worth a token to somebody; they wait for it too.
            chances: for each token of the draft, the probability that it and all before it are accepted.
        """
        rows_without = max(rows_without, 1)
        best, most = 0, _MARGIN * rows_without / self.seconds(rows_without)
        tokens = float(rows_without)
        for length, chance in enumerate(chances, 1):
            tokens += chance
            rate = tokens / self.seconds(rows_without + length)
            if rate > most:
                best, most = length, rate
        return best

    @property
    def prefill_tokens_per_s(self) -> float:
        """Prompt tokens a second in steps of the largest size that has been measured, or of one row."""
        measured = [edge for edge, seen in zip(_EDGES, self._seen, strict=True) if seen]
        rows = measured[-1] if measured else 1
        return rows / self.seconds(rows)

    def decode_tokens_per_s(self, rows: int) -> float:
        """Answer tokens a second of ``rows`` chats together, each with one row in every step; 0 for none."""
        return rows / self.seconds(rows) if rows > 0 else 0.0
