"""The guards as their callers see them: a text in, a verdict out; whatever fails inside, the text is blocked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from enum import StrEnum

from guards.context import NO_CONTEXT, OutputContext
from guards.decision import LENGTH_RULE, Decision, log_fault, scan
from guards.detector import Detector, TextTooLongError
from guards.detectors import GuardModels, check_models, input_detectors, output_guards
from guards.errors import GuardUnavailableError
from guards.language import Language, language_of
from guards.pii.vault import Vault
from guards.policy import FAULT_FAMILY, LEAK_FAMILY, Direction, Policy
from guards.stream import OutputStream
from guards.verdict import Action, Verdict
from guards.views.normal import View
from guards.views.several import views_of
from guards.watch import Watch
from models.bundle import Bundle

__all__ = ["NO_CONTEXT", "Guard", "GuardMode", "OutputContext"]


class GuardMode(StrEnum):
    """Whether every guard that the policy asks for is there."""

    ON = "on"
    DEGRADED = "degraded"


class Guard:
    """All guards under one policy. Safe to call from several threads; each answer has a stream of its own.

    Attributes:
        policy: what is applied.
        reasons: what is missing, if the operator allowed it; empty otherwise.
    """

    def __init__(self, policy: Policy, models: GuardModels | None = None, reasons: Sequence[str] = ()) -> None:
        """Use ``load`` where there is a bundle.

        Raises:
            GuardUnavailableError: the policy asks for the classifier, there is none, and no reason is given.
            PolicyError: the policy sets a threshold for a label that the classifier does not have.
        """
        self._models = models or GuardModels()
        if not reasons:
            check_models(policy, self._models)
        self.policy = policy
        self.reasons = tuple(reasons)
        self._watch = Watch(policy.size.max_guard_ms / 1000.0)
        self._input = input_detectors(policy, self._models)
        self._instructions = input_detectors(policy, self._models, instructions=True)

    @classmethod
    def load(cls, bundle: Bundle, policy: Policy, *, allow_degraded: bool = False) -> Guard:
        """The guards with the classifiers of a verified bundle.

        Raises:
            GuardUnavailableError: a classifier cannot work, and ``allow_degraded`` is not set.
            PolicyError: as the constructor.
        """
        try:
            return cls(policy, GuardModels.load(bundle, policy))
        except GuardUnavailableError as error:
            if not allow_degraded:
                raise
            return cls(policy, None, (str(error),))

    def under(self, policy: Policy) -> Guard:
        """The guards under another policy, with the same classifiers. Raises as the constructor."""
        return Guard(policy, self._models, self.reasons)

    @property
    def mode(self) -> GuardMode:
        """``degraded`` if a guard is missing that the policy asks for."""
        return GuardMode.DEGRADED if self.reasons else GuardMode.ON

    def vault(self) -> Vault:
        """An empty vault for a new conversation, under this policy."""
        return Vault(self.policy.pii)

    def check_input(self, text: str, *, instructions: bool = False) -> Verdict:
        """Judge a customer's message. Spans are in the text as given. Never raises.

        Args:
            text: the message.
            instructions: it is the calling program's system message, which may instruct the assistant.
        """
        begun = time.perf_counter()
        detectors = self._instructions if instructions else self._input
        try:
            decision = self._watch.run(lambda: self._judge_input(text, detectors))
        except Exception as error:
            log_fault(error)
            decision = Decision(self.policy.stamp).failed(error)
        return decision.verdict((time.perf_counter() - begun) * 1000.0)

    def check_output(self, text: str, context: OutputContext = NO_CONTEXT) -> Verdict:
        """Judge a whole answer; the same verdict as that of its stream. Never raises."""
        stream = self.output_stream(context)
        stream.feed(text)
        stream.finish()
        return stream.verdict

    def output_stream(self, context: OutputContext = NO_CONTEXT, language: Language = "en") -> OutputStream:
        """A stream for one answer; what is said instead of a sentence is in ``language``."""
        return OutputStream(output_guards(self.policy, self._models, context, language), self._watch)

    def refusal(self, verdict: Verdict, text: str, direction: Direction = Direction.INPUT) -> str:
        """The fixed text for a verdict, in the language of the customer's text.

        What is wrong with an answer is not the customer's doing: of the reasons only a leak is then named.
        """
        texts = self.policy.texts[language_of(text)]
        family = _family(verdict.rule)
        if direction is Direction.OUTPUT and family != LEAK_FAMILY:
            family = FAULT_FAMILY
        return texts.get(family, texts[FAULT_FAMILY])

    def calls_person(self, verdict: Verdict) -> bool:
        """Whether a person should take over: what is to be reviewed, and what the policy names."""
        return verdict.action is Action.REVIEW or _family(verdict.rule) in self.policy.handoff

    def _judge_input(self, text: str, detectors: Sequence[Detector]) -> Decision:
        """One detector after the other, each over all views of the text; the first block ends it."""
        decision = Decision(self.policy.stamp)
        if len(text) > self.policy.size.max_input_chars:
            decision.add(LENGTH_RULE, None, Action.BLOCK)
            return decision
        views = views_of(text)
        for detector in detectors:
            begun = time.perf_counter()
            try:
                self._scan(detector, views, decision)
            except TextTooLongError:
                decision.add(LENGTH_RULE, None, Action.BLOCK)
            decision.spent(detector.family, (time.perf_counter() - begun) * 1000.0)
            if decision.blocked:
                break
        return decision

    def _scan(self, detector: Detector, views: Sequence[View], decision: Decision) -> None:
        for view in views:
            report = scan(detector, view)
            decision.score(report)
            for hit in report.hits:
                action = self.policy.action(_family(hit.rule), Direction.INPUT)
                if action is not None:
                    decision.add(hit.rule, (hit.start, hit.end), action)


def _family(rule: str) -> str:
    return rule.partition(".")[0]
