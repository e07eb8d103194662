"""Which prompts get how many rows of the next batch: shortest remaining first, and nobody waits for ever."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: A second of waiting counts like a prompt that is shorter by this share of what is computed in a second. So a long
#: prompt is overtaken by short ones for at most so many times its own computing time (here 4).
AGEING = 0.25

#: Rows that a prompt gets beside running answers at least, however dear they are: or it would never end.
LEAST_ROWS = 8


@dataclass(frozen=True, slots=True)
class Prefill:
    """A prompt that is not computed yet: tokens left, and seconds since it was admitted."""

    left: int
    waited_s: float


def share_rows(prompts: Sequence[Prefill], rows: int, tokens_per_s: float) -> list[tuple[int, int]]:
    """Divide the rows of a batch among prompts.

    Shortest remaining processing time first minimises the mean wait (Schrage 1968), and ageing bounds the longest.

    Args:
        prompts: who waits.
        rows: to give out.
        tokens_per_s: rate of prefill, for the ageing.

    Returns:
        Index into ``prompts`` and number of rows, in the order of computing; all rows are given out if there are
        tokens for them.
    """
    order = sorted(range(len(prompts)), key=lambda i: prompts[i].left - AGEING * tokens_per_s * prompts[i].waited_s)
    given = []
    for i in order:
        if rows <= 0:
            break
        count = min(rows, prompts[i].left)
        given.append((i, count))
        rows -= count
    return given
