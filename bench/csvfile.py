"""A run as CSV: one row a request, for a spreadsheet or a notebook.

Every column and its meaning stands in ``COLUMNS``. A cell is empty where a request has no such figure. Times are
milliseconds; latencies count as in ``bench.metrics``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bench.records import LoopResult, Record
from bench.result import Result
from bench.summary import e2e_ms, ttft_ms

#: A spreadsheet takes a cell that begins like this for a formula, and texts come from the server.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Cell = Callable[[LoopResult, Record], object]

#: Header, what it means, and where it comes from.
COLUMNS: tuple[tuple[str, str, Cell], ...] = (
    ("loop", "name of the loop", lambda loop, _: loop.plan.name),
    ("loop_kind", "closed, open, burst or replay", lambda loop, _: loop.plan.kind),
    ("chats", "customers at once, as planned", lambda loop, _: loop.plan.chats),
    ("rate_per_s", "planned arrivals a second (open loops)", lambda loop, _: loop.plan.rate_per_s),
    ("conversation", "index within the loop", lambda _, record: record.conversation),
    ("turn", "0 for a conversation's first", lambda _, record: record.turn),
    ("kind", "what was asked", lambda _, record: record.kind.value),
    ("outcome", "ok, blocked, refused or failed", lambda _, record: record.outcome.value),
    ("scheduled_ms", "planned arrival since the loop began", lambda _, record: record.scheduled_ms),
    ("started_ms", "sent, since the loop began", lambda _, record: record.started_ms),
    ("ttft_ms", "time to first token", lambda _, record: next(iter(ttft_ms(record)), None)),
    ("tpot_ms", "time per output token after the first", lambda _, record: record.timeline.tpot_ms),
    ("itl_max_ms", "longest gap between pieces", lambda _, record: max(record.timeline.itl_ms, default=None)),
    ("e2e_ms", "whole time to the end of the answer", lambda _, record: e2e_ms(record)[0]),
    ("pieces", "pieces that the answer came in", lambda _, record: len(record.timeline.arrivals_ms)),
    ("tokens", "answer tokens, as the target counts", lambda _, record: record.timeline.tokens),
    ("prompt_tokens", "prompt tokens, as the target counts", lambda _, record: record.prompt_tokens),
    ("cached_tokens", "of those, not computed again", lambda _, record: record.cached_tokens),
    ("from_cache", "1 if the whole answer was kept from before", lambda _, record: int(record.from_cache)),
    ("error", "what went wrong", lambda _, record: record.error),
)

HEADER = tuple(name for name, _, _ in COLUMNS)


def csv_rows(result: Result) -> Iterator[Sequence[str]]:
    """The header, then every request of every loop, attacks last, in the order in which they were made.

    Args:
        result: of a run.

    Yields:
        (columns,) cells; for ``csv.writer``, which quotes them.
    """
    yield HEADER
    for loop in (*result.loops, *([result.attacks] if result.attacks else [])):
        for record in loop.records:
            yield tuple(_cell(cell(loop, record)) for _, _, cell in COLUMNS)


def _cell(value: object) -> str:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return "" if value is None else str(value)
