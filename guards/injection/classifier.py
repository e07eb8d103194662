"""Prompt injection by a small trained classifier: what the rules have no pattern for."""

from __future__ import annotations

from pathlib import Path

from guards.detector import Hit, Report
from guards.errors import GuardUnavailableError
from guards.views.normal import View
from models.errors import BundleError
from models.ngram_classifier import NgramClassifier, load_ngram

NAME = "injection"
FILE = "injection.npz"
RULE = f"{NAME}.classifier"

_REMEDY = "rebuild the bundle with `python -m convert run`, or start degraded without this guard"


class InjectionClassifier:
    """Hit ``injection.classifier`` and score ``injection``: the likeliest window. Safe to call from several threads."""

    family = NAME

    def __init__(self, model: NgramClassifier, threshold: float | None = None) -> None:
        """Count what reaches ``threshold``, a probability; None takes the one calibrated with the model."""
        self._model = model
        self._threshold = model.threshold if threshold is None else threshold

    def scan(self, view: View) -> Report:
        """Long texts are read in overlapping windows, so an attack in a long paste is found; the highest counts."""
        reading = self._model.read(view.text)
        if not len(reading.probabilities):
            return Report()
        best = int(reading.probabilities.argmax())
        score = float(reading.probabilities[best])
        hits: tuple[Hit, ...] = ()
        if score >= self._threshold:
            hits = (Hit(RULE, *view.span(int(reading.starts[best]), int(reading.ends[best]))),)
        return Report(hits, {NAME: score})


def load_injection(path: Path) -> NgramClassifier:
    """Read ``injection.npz`` of a bundle.

    Raises:
        GuardUnavailableError: it is missing, damaged, or of another format.
    """
    try:
        return load_ngram(path)
    except BundleError as error:
        raise GuardUnavailableError(NAME, str(error), _REMEDY) from error
