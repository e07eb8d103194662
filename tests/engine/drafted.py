"""An answer, an index that has seen traffic, and what it drafts."""

from __future__ import annotations

from collections.abc import Sequence

from runtime.engine.drafts import DraftIndex

ANSWER = list(range(100, 140))


def after(index: DraftIndex, said: Sequence[int], tail: Sequence[int] = (), limit: int = 8) -> tuple[int, ...]:
    cursor = index.cursor(tail)
    for token in said:
        cursor.feed(token)
    return cursor.draft(limit)


def experienced(index: DraftIndex) -> DraftIndex:
    """Templated traffic has gone through it, so that it has learned to trust what it finds."""
    template = list(range(1000, 1060))
    for _ in range(6):
        index.add(template)
        cursor = index.cursor()
        for token in template:
            cursor.feed(token)
    return index
