"""What a customer wants, recognised by the bundle's linear classifier where it has one."""

from __future__ import annotations

from models.bundle import Bundle
from models.linear import LinearClassifier, load_linear

#: The classifier's file in a bundle, optional.
INTENTS = "intents.npz"

OUT_OF_SCOPE = "out_of_scope"


class Intents:
    """Names the intent of a message: one of the classifier's labels, or nothing without a classifier."""

    def __init__(self, classifier: LinearClassifier | None) -> None:
        self._classifier = classifier

    @property
    def available(self) -> bool:
        """Whether there is a classifier."""
        return self._classifier is not None

    def recognise(self, message: str) -> str:
        """The likeliest intent; empty without a classifier."""
        return self._classifier.best(message) if self._classifier is not None else ""


def bundle_intents(bundle: Bundle) -> Intents:
    """The bundle's classifier, if it lists one."""
    return Intents(load_linear(bundle.path(INTENTS)) if bundle.has(INTENTS) else None)
