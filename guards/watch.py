"""A time limit on judging: whoever is not done in time has failed, whatever it is still doing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

#: Judgements under way at once. One that is stuck keeps its place, so the number of lost threads is bounded too.
PLACES = 64


class OutOfTimeError(Exception):
    """A judgement took longer than its limit. Never leaves the guards."""


class Watch:
    """Runs judgements on threads of their own, since nothing else in Python can be left behind unfinished."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._places = threading.BoundedSemaphore(PLACES)

    def run(self, judge: Callable[[], T]) -> T:
        """What ``judge`` returns, or raises.

        Raises:
            OutOfTimeError: it is not done in time, or too many others are stuck already.
        """
        if not self._places.acquire(timeout=self._limit_s):
            raise OutOfTimeError
        task = _Task(judge, self._places.release)
        threading.Thread(target=task.work, name="guard", daemon=True).start()
        if not task.done.wait(self._limit_s):
            raise OutOfTimeError
        return task.result()


class _Task(Generic[T]):
    def __init__(self, judge: Callable[[], T], leave: Callable[[], None]) -> None:
        self.done = threading.Event()
        self._judge = judge
        self._leave = leave
        self._value: list[T] = []
        self._error: BaseException | None = None

    def work(self) -> None:
        try:
            self._value.append(self._judge())
        except BaseException as error:
            self._error = error
        finally:
            self._leave()
            self.done.set()

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._value[0]
