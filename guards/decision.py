"""A verdict in the making: hits and scores go in, the severest hit decides."""

from __future__ import annotations

import logging

from guards.detector import Detector, Report, TextTooLongError
from guards.policy import FAULT_FAMILY
from guards.verdict import Action, Verdict
from guards.views.normal import View
from guards.watch import OutOfTimeError

log = logging.getLogger(__name__)

FAULT_RULE = f"{FAULT_FAMILY}.error"
TIMEOUT_RULE = f"{FAULT_FAMILY}.timeout"
LENGTH_RULE = "size.too_long"


class Decision:
    """One text's verdict so far. Of equally severe hits the first one that was added decides."""

    def __init__(self, policy_stamp: str) -> None:
        self._stamp = policy_stamp
        self._action = Action.ALLOW
        self._rule = ""
        self._span: tuple[int, int] | None = None
        self._scores: dict[str, float] = {}
        self._stages_ms: dict[str, float] = {}

    @property
    def blocked(self) -> bool:
        """Whether nothing can change the action any more."""
        return self._action is Action.BLOCK

    def add(self, rule: str, span: tuple[int, int] | None, action: Action) -> None:
        """Take a hit into account."""
        if action.severity > self._action.severity:
            self._action, self._rule, self._span = action, rule, span

    def score(self, report: Report) -> None:
        """Keep the highest probability of every label."""
        for label, probability in report.scores.items():
            self._scores[label] = max(probability, self._scores.get(label, 0.0))

    def spent(self, family: str, milliseconds: float) -> None:
        """Add to the time of a guard."""
        self._stages_ms[family] = self._stages_ms.get(family, 0.0) + milliseconds

    def failed(self, error: Exception) -> Decision:
        """The same decision after a guard failed: block."""
        failed = Decision(self._stamp)
        failed._scores = dict(self._scores)
        failed.add(TIMEOUT_RULE if isinstance(error, OutOfTimeError) else FAULT_RULE, None, Action.BLOCK)
        return failed

    def verdict(self, took_ms: float) -> Verdict:
        """The verdict as it stands."""
        return Verdict(
            self._action, self._rule, self._span, dict(self._scores), self._stamp, took_ms, dict(self._stages_ms)
        )


class DetectorFailedError(Exception):
    """A detector raised; carries its family. Never leaves the guards."""

    def __init__(self, family: str) -> None:
        super().__init__(family)
        self.family = family


def scan(detector: Detector, view: View) -> Report:
    """The detector's report.

    Raises:
        TextTooLongError: the text is longer than the detector reads.
        DetectorFailedError: it raised anything else.
    """
    try:
        return detector.scan(view)
    except TextTooLongError:
        raise
    except Exception as error:
        raise DetectorFailedError(detector.family) from error


def log_fault(error: Exception) -> None:
    """Log what failed and where, but not the message: it may hold the customer's text."""
    family = error.family if isinstance(error, DetectorFailedError) else "pipeline"
    cause = error.__cause__ or error
    trace = cause.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "unknown place"
    log.error("guard %s failed with %s at %s; the text is blocked", family, type(cause).__name__, place)
