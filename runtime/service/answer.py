"""One answer on its way to one client: read piece by piece, cut short when nobody wants it any more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import Protocol

from runtime.assistant.turn import Turn, TurnEnd, TurnResult


class Cut(StrEnum):
    """Why an answer ended before its time."""

    CLIENT_GONE = "client_gone"
    TIMEOUT = "timeout"
    SHUTTING_DOWN = "shutting_down"


class Keeper(Protocol):
    """Who is told how an answer goes."""

    def began(self, answer: Answer) -> None:
        """Its first piece is there."""

    def left(self, answer: Answer) -> None:
        """It is over, one way or another."""


class Answer:
    """Iterate its pieces once, read the result, close it in any case."""

    def __init__(self, turn: Turn, gone: Callable[[], bool], keeper: Keeper) -> None:
        self._turn = turn
        self._gone = gone
        self._keeper = keeper
        self._started_s = time.monotonic()
        self._why: Cut | None = None
        self._closed = False

    def __iter__(self) -> Iterator[str]:
        first = True
        for piece in self._turn:
            if not piece:
                continue
            if first:
                self._keeper.began(self)
                first = False
            yield piece

    @property
    def session_id(self) -> str:
        """The conversation's id, known from the start."""
        return self._turn.session_id

    @property
    def age_s(self) -> float:
        """Seconds since the question."""
        return time.monotonic() - self._started_s

    @property
    def result(self) -> TurnResult:
        """The outcome. Raises RuntimeError before the pieces are read."""
        return self._turn.result

    @property
    def cut(self) -> Cut | None:
        """Why the answer is not whole; None if it is. Raises RuntimeError before the pieces are read."""
        if self.result.end is not TurnEnd.CANCELLED:
            return None
        return self._why or Cut.SHUTTING_DOWN  # a turn that nobody here cancelled was cancelled by the engine's end

    @property
    def outcome(self) -> TurnResult | Cut | None:
        """The result of a whole answer, the reason of one that was cut short, None for one that failed."""
        try:
            return self.cut or self.result
        except RuntimeError:  # closed in the middle: nobody read on
            return self._why

    def cut_short(self, why: Cut) -> None:
        """End the answer here; the first reason stays. Safe from any thread."""
        self._why = self._why or why
        self._turn.cancel()

    def check(self, timeout_s: float) -> None:
        """Cut short what nobody reads and what takes too long."""
        if self._why is not None:
            return
        if self._gone():
            self.cut_short(Cut.CLIENT_GONE)
        elif self.age_s > timeout_s:
            self.cut_short(Cut.TIMEOUT)

    def close(self) -> None:
        """Give the place back; an answer that is still running is cancelled. Twice is fine."""
        if self._closed:
            return
        self._closed = True
        self._turn.cancel()
        self._keeper.left(self)
