"""The guards as their callers see them: a text in, a verdict out; whatever fails inside, the text is blocked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import TypeVar

from guards.decision import Decision, log_fault, scan
from guards.detector import Detector, SpanDetector
from guards.encoding import EncodingDetector
from guards.errors import GuardUnavailableError, PolicyError
from guards.injection.rules import InjectionRules
from guards.language import language_of
from guards.leak import PromptLeak, RoleTokens
from guards.pii.find import PiiDetector, PiiKind, values_in
from guards.pii.vault import Vault
from guards.policy import FAULT_FAMILY, LEAK_FAMILY, Direction, Policy
from guards.stream import OutputGuards, OutputStream
from guards.toxicity import ToxicityDetector, ToxicityModel
from guards.verdict import Action, Verdict
from guards.views.normal import normalised
from models.bundle import Bundle


class GuardMode(StrEnum):
    """Whether every guard that the policy asks for is there."""

    ON = "on"
    DEGRADED = "degraded"


@dataclass(frozen=True, slots=True)
class OutputContext:
    """What an answer is judged against.

    Attributes:
        protected: texts that must not leak, such as the system prompt.
        trusted: texts whose addresses and numbers may be said, such as the shop's own contacts in a passage.
        vault: the conversation's; what its customer has said may be said back.
    """

    protected: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    vault: Vault | None = None


NO_CONTEXT = OutputContext()

D = TypeVar("D", bound=Detector)


class Guard:
    """All guards under one policy. Safe to call from several threads; each answer has a stream of its own.

    Attributes:
        policy: what is applied.
        reasons: what is missing, if the operator allowed it; empty otherwise.
    """

    def __init__(self, policy: Policy, model: ToxicityModel | None = None, reasons: Sequence[str] = ()) -> None:
        """Use ``load`` where there is a bundle.

        Raises:
            GuardUnavailableError: the policy asks for the classifier, there is none, and no reason is given.
            PolicyError: the policy sets a threshold for a label that the classifier does not have.
        """
        if policy.wants("toxicity") and model is None and not reasons:
            raise GuardUnavailableError(
                "toxicity", "there is no classifier", "give a bundle, or switch it off by policy"
            )
        self.policy = policy
        self.reasons = tuple(reasons)
        self._toxicity = None if model is None else ToxicityDetector(model, _thresholds(policy, model))
        detectors: tuple[Detector, ...] = (
            EncodingDetector(),
            InjectionRules(policy.injection_rules_off),
            PiiDetector(policy.pii),
        )
        self._input = self._with_actions(detectors, Direction.INPUT)

    @classmethod
    def load(cls, bundle: Bundle, policy: Policy, *, allow_degraded: bool = False) -> Guard:
        """The guards with the classifier of a verified bundle.

        Raises:
            GuardUnavailableError: the classifier cannot work, and ``allow_degraded`` is not set.
            PolicyError: as the constructor.
        """
        if not policy.wants("toxicity"):
            return cls(policy)
        try:
            return cls(policy, ToxicityModel.load(bundle))
        except GuardUnavailableError as error:
            if not allow_degraded:
                raise
            return cls(policy, None, (str(error),))

    @property
    def mode(self) -> GuardMode:
        """``degraded`` if a guard is missing that the policy asks for."""
        return GuardMode.DEGRADED if self.reasons else GuardMode.ON

    def vault(self) -> Vault:
        """An empty vault for a new conversation, under this policy."""
        return Vault(self.policy.pii)

    def check_input(self, text: str) -> Verdict:
        """Judge a customer's message. Spans are in the text as given. Never raises."""
        begun = time.perf_counter()
        decision = Decision(self.policy.stamp)
        try:
            self._judge_input(text, decision)
        except Exception as error:
            log_fault(error)
            decision.fail()
        return decision.verdict((time.perf_counter() - begun) * 1000.0)

    def check_output(self, text: str, context: OutputContext = NO_CONTEXT) -> Verdict:
        """Judge a whole answer; the same verdict as that of its stream. Never raises."""
        stream = self.output_stream(context)
        stream.feed(text)
        stream.finish()
        return stream.verdict

    def output_stream(self, context: OutputContext = NO_CONTEXT) -> OutputStream:
        """A stream for one answer."""

        @cache
        def known() -> frozenset[tuple[PiiKind, str]]:
            said = context.vault.known if context.vault else frozenset()
            return said.union(*(values_in(text, self.policy.pii) for text in context.trusted))

        spans: tuple[SpanDetector, ...] = (
            EncodingDetector(),
            RoleTokens(),
            PromptLeak(context.protected),
            PiiDetector(self.policy.pii, known),
        )
        return OutputStream(
            OutputGuards(
                spans=self._with_actions(spans, Direction.OUTPUT),
                sentences=self._classifiers(Direction.OUTPUT),
                max_chars=self.policy.size.max_output_chars,
                stamp=self.policy.stamp,
            )
        )

    def refusal(self, verdict: Verdict, text: str, direction: Direction = Direction.INPUT) -> str:
        """The fixed text for a verdict, in the language of the customer's text.

        What is wrong with an answer is not the customer's doing: of the reasons only a leak is then named.
        """
        texts = self.policy.texts[language_of(text)]
        family = verdict.rule.partition(".")[0]
        if direction is Direction.OUTPUT and family != LEAK_FAMILY:
            family = FAULT_FAMILY
        return texts.get(family, texts[FAULT_FAMILY])

    def _judge_input(self, text: str, decision: Decision) -> None:
        """Cheap guards first; the first block ends it."""
        if len(text) > self.policy.size.max_input_chars:
            decision.add("size.too_long", None, Action.BLOCK)
            return
        view = normalised(text)
        for detector, action in (*self._input, *self._classifiers(Direction.INPUT)):
            report = scan(detector, view)
            decision.score(report)
            for hit in report.hits:
                decision.add(hit.rule, (hit.start, hit.end), action)
            if decision.blocked:
                return

    def _classifiers(self, direction: Direction) -> tuple[tuple[Detector, Action], ...]:
        action = self.policy.action("toxicity", direction)
        return ((self._toxicity, action),) if self._toxicity and action else ()

    def _with_actions(self, detectors: Sequence[D], direction: Direction) -> tuple[tuple[D, Action], ...]:
        """The detectors that the policy lets run, with what their hits lead to."""
        pairs = ((detector, self.policy.action(detector.family, direction)) for detector in detectors)
        return tuple((detector, action) for detector, action in pairs if action)


def _thresholds(policy: Policy, model: ToxicityModel) -> dict[str, float]:
    """Per label that is acted on, the probability from which it counts."""
    for label in policy.toxicity.thresholds:
        if label not in model.labels:
            raise PolicyError(
                policy.stamp, f"toxicity.thresholds.{label}", f"the classifier has only {', '.join(model.labels)}"
            )
    merged = {**model.thresholds, **policy.toxicity.thresholds}
    return {label: value for label, value in merged.items() if label not in policy.toxicity.ignored_labels}
