"""All answers under way: bounded in number, watched by one thread, ended in order at a stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from runtime.assistant.face import Assistant
from runtime.assistant.turn import Turn, TurnResult
from runtime.engine.face import EngineLoad
from runtime.errors import EngineClosedError, QueueFullError
from runtime.service.answer import Answer, Cut
from runtime.service.metrics import Metrics

WATCH_INTERVAL_S = 0.05


class RunningAnswers:
    """Gives out places for answers and watches over them.

    Args:
        assistant: who answers; None until ``attach``.
        places: answers at once.
        timeout_s: an answer that takes longer is cut short.
        metrics: told of every answer.
    """

    def __init__(self, assistant: Assistant | None, places: int, timeout_s: float, metrics: Metrics) -> None:
        self._assistant = assistant
        self._places = places
        self._timeout_s = timeout_s
        self._metrics = metrics
        self._changed = threading.Condition()
        self._taken = 0
        self._open: set[Answer] = set()
        self._mean_s = 2.0  # running mean of an answer's time: what a client that finds no place is told to wait
        self._closing = False
        self._cutting: Cut | None = None
        self._watcher: threading.Thread | None = None

    def attach(self, assistant: Assistant) -> None:
        """From now on this assistant answers: the start is over."""
        self._assistant = assistant

    @property
    def assistant(self) -> Assistant:
        """Who answers.

        Raises:
            EngineClosedError: starting or stopping.
        """
        if self._closing:
            raise EngineClosedError("the service is stopping")
        if self._assistant is None:
            raise EngineClosedError("the service is starting: the model is being loaded")
        return self._assistant

    @property
    def state(self) -> str:
        """``starting``, ``ready`` or ``stopping``."""
        if self._closing:
            return "stopping"
        return "ready" if self._assistant is not None else "starting"

    def load(self) -> EngineLoad | None:
        """How busy the engine is; None while there is none."""
        return self._assistant.load() if self._assistant is not None else None

    def begin(self, ask: Callable[[Assistant], Turn], gone: Callable[[], bool]) -> Answer:
        """Take a place and begin an answer, which has to be closed.

        Args:
            ask: begins the turn.
            gone: whether the client has hung up.

        Raises:
            QueueFullError: all places are taken.
            EngineClosedError: starting or stopping.
            Any error of ``ask``.
        """
        assistant = self.assistant
        with self._changed:
            if self._taken >= self._places:
                raise QueueFullError(self._taken, self._mean_s)
            self._taken += 1
        try:
            answer = Answer(ask(assistant), gone, self)
        except BaseException:
            with self._changed:
                self._taken -= 1
                self._changed.notify_all()
            raise
        with self._changed:
            self._open.add(answer)
            cutting = self._cutting
            self._watch_from_now()
            self._changed.notify_all()
        if cutting:
            answer.cut_short(cutting)
        return answer

    def began(self, answer: Answer) -> None:
        """See ``Keeper``."""
        self._metrics.first_piece(answer.age_s)

    def left(self, answer: Answer) -> None:
        """See ``Keeper``."""
        outcome = answer.outcome
        if isinstance(outcome, TurnResult):
            self._metrics.answer(outcome)
        else:
            self._metrics.cut_short(outcome or "failed")
        with self._changed:
            self._open.discard(answer)
            self._taken -= 1
            self._mean_s += 0.1 * (answer.age_s - self._mean_s)
            self._changed.notify_all()

    def stop_taking(self) -> None:
        """Begin nothing new."""
        self._closing = True

    def cut_all(self, why: Cut) -> None:
        """Cut every answer short, also those that are just beginning."""
        with self._changed:
            self._cutting = why
            answers = list(self._open)
        for answer in answers:
            answer.cut_short(why)

    def wait_idle(self, timeout_s: float) -> bool:
        """Wait until no answer is under way; False if some still is after the time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._taken == 0, timeout_s)

    def _watch_from_now(self) -> None:
        if self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, name="tellerbox-watch", daemon=True)
            self._watcher.start()

    def _watch(self) -> None:
        """Look at the open answers twenty times a second, and sleep while there are none."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._open)
                answers = list(self._open)
            for answer in answers:
                answer.check(self._timeout_s)
            time.sleep(WATCH_INTERVAL_S)
