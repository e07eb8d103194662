"""Texts that are data, not requests: passages at ingest, pasted e-mails, documents: who wrote what it tries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from guards.detector import Detector
from guards.injection.classifier import RULE as CLASSIFIER_RULE
from guards.injection.classifier import InjectionClassifier
from guards.injection.data_rules import ORDERS, TASKS
from guards.injection.rules import InjectionRules, lowered
from guards.language import has_han
from guards.toxicity import INJECTION_LABEL, POOLED_THRESHOLD, ToxicityDetector, ToxicityModel
from guards.views.normal import View
from guards.views.several import views_of
from models.ngram_classifier import NgramClassifier

#: Characters around a finding that an excerpt shows, and its length at most.
_AROUND, _EXCERPT = 20, 120

#: From this probability of the two classifiers together a person should look.
POOLED_SUSPECT = 0.2
#: Characters that they judge at once, cut after a line or a sentence if there is one.
_STRETCH, _END = 1500, re.compile(r"\n|[.!?;]\s|[。！？；]")


class Severity(StrEnum):
    """How sure a finding is: what to refuse, and what a person should look at."""

    ATTACK = "attack"
    SUSPECT = "suspect"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a text that speaks to the assistant instead of informing the reader.

    Attributes:
        source: where the text comes from, as the caller named it.
        rule: ``injection.…``.
        start: first character, in the text as given.
        end: one past the last.
        severity: ``attack`` or ``suspect``.
        score: the classifier's probability at its finding; 1 at a rule's.
        excerpt: the place and a little around it, on one line.
    """

    source: str
    rule: str
    start: int
    end: int
    severity: Severity
    score: float
    excerpt: str

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


class DataScanner:
    """Finds instructions in data. Safe to call from several threads; takes time linear in the text."""

    def __init__(self, model: NgramClassifier | None = None, encoder: ToxicityModel | None = None) -> None:
        """Without ``model`` the rules work alone; with an ``encoder`` that knows injections the two are pooled.

        A shop's own rules and steps ("press Cancel order") look like orders to n-grams by themselves.
        """
        self._rules = InjectionRules()
        limits: tuple[tuple[Severity, float | None], ...]
        if model is None:
            self._classifiers: tuple[tuple[Detector, Severity], ...] = ()
        elif encoder is not None and INJECTION_LABEL in encoder.labels:
            limits = ((Severity.ATTACK, POOLED_THRESHOLD), (Severity.SUSPECT, POOLED_SUSPECT))
            self._classifiers = tuple(
                (ToxicityDetector(encoder, {INJECTION_LABEL: limit}, model), severity) for severity, limit in limits
            )
        else:
            limits = ((Severity.ATTACK, None), (Severity.SUSPECT, model.data_threshold))
            self._classifiers = tuple((InjectionClassifier(model, limit), severity) for severity, limit in limits)

    def scan(self, text: str, source: str) -> tuple[Finding, ...]:
        """The findings in order of position, each place and rule once, with the surest severity.

        Args:
            text: the whole text, of any length.
            source: whom to blame: a file, a page, "pasted by the customer".
        """
        found: dict[tuple[str, int], Finding] = {}
        for view in views_of(text):
            for finding in self._in_view(view, text, source):
                found.setdefault((finding.rule, finding.start), finding)
        return tuple(sorted(found.values(), key=lambda finding: (finding.start, finding.rule)))

    def _in_view(self, view: View, text: str, source: str) -> list[Finding]:
        def finding(rule: str, span: tuple[int, int], severity: Severity, score: float = 1.0) -> Finding:
            return Finding(source, rule, *span, severity, score, _excerpt(text, *span))

        hits = [finding(hit.rule, (hit.start, hit.end), Severity.ATTACK) for hit in self._rules.scan(view).hits]
        low = lowered(view.text)
        languages = {"en", "zh"} if has_han(low) else {"en"}
        for table, severity in ((ORDERS, Severity.ATTACK), (TASKS, Severity.SUSPECT)):
            for rule in table:
                if rule.language in languages:
                    for match in rule.finditer(low):
                        if match.end() > match.start():
                            hits.append(finding(f"injection.{rule.name}", view.span(*match.span()), severity))
        for stretch in _stretches(view):
            for classifier, severity in self._classifiers:
                report = classifier.scan(stretch)
                if report.hits:
                    (hit,) = report.hits
                    score = max(report.scores.get(name, 0.0) for name in (InjectionRules.family, INJECTION_LABEL))
                    hits.append(finding(CLASSIFIER_RULE, (hit.start, hit.end), severity, score))
                    break
        return hits


def scan_passage(text: str, source: str, model: NgramClassifier | None = None) -> tuple[Finding, ...]:
    """What a text that is data tries on the assistant; see ``DataScanner``, which is cheaper for many texts."""
    return DataScanner(model).scan(text, source)


def attacks(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Those that are reason enough to refuse the text."""
    return tuple(finding for finding in findings if finding.severity is Severity.ATTACK)


def _stretches(view: View) -> Iterator[View]:
    """The view in parts that a classifier can judge."""
    start = 0
    while start < len(view.text):
        end = min(start + _STRETCH, len(view.text))
        if end < len(view.text):
            end = max((match.end() for match in _END.finditer(view.text, start + _STRETCH // 2, end)), default=end)
        yield View(view.source, view.base, view.text[start:end], view.starts[start:end], view.ends[start:end])
        start = end


def _excerpt(text: str, start: int, end: int) -> str:
    shown = " ".join(text[max(0, start - _AROUND) : min(end + _AROUND, start + _EXCERPT)].split())
    return shown.encode("utf-8", "replace").decode("utf-8")
