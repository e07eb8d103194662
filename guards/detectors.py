"""Which detectors judge a text, in order, for a policy and the models that there are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from guards.context import OutputContext
from guards.detector import Detector, SpanDetector
from guards.encoding import EncodingDetector
from guards.errors import GuardUnavailableError, PolicyError
from guards.facts.detector import FactDetector
from guards.injection.classifier import FILE as INJECTION_FILE
from guards.injection.classifier import InjectionClassifier, load_injection
from guards.injection.rules import InjectionRules
from guards.language import Language
from guards.leak.canary import Canaries, canaries_in
from guards.leak.keys import Keys
from guards.leak.marks import RoleTokens
from guards.leak.placeholders import ForeignPlaceholders
from guards.leak.prompt import PromptLeak, PromptShare
from guards.pii.find import PiiDetector, PiiKind, values_in
from guards.policy import Direction, Policy
from guards.steps import OutputGuards
from guards.toxicity import INJECTION_LABEL, POOLED_THRESHOLD, ToxicityDetector, ToxicityModel
from guards.unsafe.detectors import SelfHarm, UnsafeRules
from guards.verdict import Action
from models.bundle import Bundle
from models.ngram_classifier import NgramClassifier

D = TypeVar("D", bound=Detector)


@dataclass(frozen=True, slots=True)
class GuardModels:
    """The bundle's trained parts; what is None is not there."""

    toxicity: ToxicityModel | None = None
    injection: NgramClassifier | None = None

    @classmethod
    def load(cls, bundle: Bundle, policy: Policy) -> GuardModels:
        """Those that the policy has use for.

        Raises:
            GuardUnavailableError: one is damaged, or there is no toxicity classifier.
        """
        return cls(
            ToxicityModel.load(bundle) if policy.wants("toxicity") else None,
            load_injection(bundle.path(INJECTION_FILE))
            if policy.wants("injection") and bundle.has(INJECTION_FILE)
            else None,
        )


def input_detectors(policy: Policy, models: GuardModels, *, instructions: bool = False) -> tuple[Detector, ...]:
    """Those for a customer's message: cheap ones first, and before them who may be in need of help.

    Args:
        policy: which of them act.
        models: the classifiers.
        instructions: the message is the calling program's, meant to instruct the assistant: then instructing it is no
            attempt, and of the injection guards only the rules (overrides, role tokens, hidden text) look.

    Raises:
        PolicyError: as ``thresholds``.
    """
    detectors: list[Detector] = [
        EncodingDetector(),
        SelfHarm(),
        UnsafeRules(policy.unsafe_rules_off),
        InjectionRules(policy.injection.rules_off),
    ]
    encoder = models.toxicity if policy.action("toxicity", Direction.INPUT) else None
    pooled = encoder is not None and INJECTION_LABEL in encoder.labels
    alone = policy.injection.thresholds.get("classifier")  # by itself it errs on long ordinary messages
    if not instructions and models.injection is not None and not pooled and alone is not None:
        detectors.append(InjectionClassifier(models.injection, alone))
    detectors.append(PiiDetector(policy.pii))
    running = [detector for detector in detectors if policy.action(detector.family, Direction.INPUT)]
    if encoder is not None:
        injection = not instructions and policy.action("injection", Direction.INPUT) is not None
        acting = dict(thresholds(policy, encoder, injection=injection))
        if pooled and models.injection is not None and injection:
            acting[INJECTION_LABEL] = policy.injection.thresholds.get("both", POOLED_THRESHOLD)
        running.append(ToxicityDetector(encoder, acting, models.injection))
    return tuple(running)


def output_guards(policy: Policy, models: GuardModels, context: OutputContext, language: Language) -> OutputGuards:
    """Those for an answer in a language."""

    @cache
    def known() -> frozenset[tuple[PiiKind, str]]:
        said = context.vault.known if context.vault else frozenset()
        return said.union(*(values_in(text, policy.pii) for text in context.trusted))

    def true() -> Iterable[str]:
        return (*policy.trusted_facts, *context.trusted, *context.said, *context.protected)

    spans: tuple[SpanDetector, ...] = (
        EncodingDetector(),
        RoleTokens(),
        PromptLeak(context.protected),
        PromptShare(context.protected),
        Canaries(canaries_in(context.protected)),
        Keys(lambda: context.trusted),
        ForeignPlaceholders(context.vault.gave_out if context.vault else lambda _: False),
        PiiDetector(policy.pii, known),
    )
    sentences: list[Detector] = [FactDetector(true, policy.texts[language]["facts"])]
    if models.toxicity is not None:
        sentences.append(ToxicityDetector(models.toxicity, thresholds(policy, models.toxicity, injection=False)))
    return OutputGuards(
        spans=_with_actions(spans, policy),
        sentences=_with_actions(sentences, policy),
        max_chars=policy.size.max_output_chars,
        stamp=policy.stamp,
    )


def thresholds(policy: Policy, model: ToxicityModel, *, injection: bool) -> Mapping[str, float]:
    """Per label that is acted on, the probability from which it counts.

    Raises:
        PolicyError: the policy sets a threshold for a label that the classifier does not have.
    """
    for label in policy.toxicity.thresholds:
        if label not in model.labels:
            raise PolicyError(
                policy.stamp, f"toxicity.thresholds.{label}", f"the classifier has only {', '.join(model.labels)}"
            )
    merged = {**model.thresholds, **policy.toxicity.thresholds}
    if "encoder" in policy.injection.thresholds and INJECTION_LABEL in model.labels:
        merged[INJECTION_LABEL] = policy.injection.thresholds["encoder"]
    ignored = (*policy.toxicity.ignored_labels, *(() if injection else (INJECTION_LABEL,)))
    return {label: value for label, value in merged.items() if label not in ignored}


def check_models(policy: Policy, models: GuardModels) -> None:
    """Raise GuardUnavailableError if the policy asks for the classifier and there is none."""
    if policy.wants("toxicity") and models.toxicity is None:
        raise GuardUnavailableError("toxicity", "there is no classifier", "give a bundle, or switch it off by policy")


def _with_actions(detectors: Iterable[D], policy: Policy) -> tuple[tuple[D, Action], ...]:
    """The detectors that the policy lets judge answers, with what their hits lead to."""
    pairs = ((detector, policy.action(detector.family, Direction.OUTPUT)) for detector in detectors)
    return tuple((detector, action) for detector, action in pairs if action)
