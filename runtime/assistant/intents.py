"""What a customer wants, recognised by the bundle's linear classifier where it has one: one thing, or two at once."""

from __future__ import annotations

import re
from collections.abc import Mapping

from models.bundle import Bundle
from models.linear import LinearClassifier, load_linear

#: The classifier's file in a bundle, optional.
INTENTS = "intents.npz"

OUT_OF_SCOPE = "out_of_scope"

#: From this probability on the second intent of a message that joins two requests counts. Of 4,000 requests of the
#: Bitext sets, which all ask one thing, none is taken for two.
SECOND_FROM = 0.12

_JOINS = re.compile(r"\b(?:and|also|plus|then)\b|[;&]|, ", re.IGNORECASE)

#: The second request of a message, put so that a small model answers it by itself.
QUESTIONS: Mapping[str, str] = {
    "cancel_order": "How can I cancel my order?",
    "change_order": "How can I change my order?",
    "change_shipping_address": "How can I change the shipping address?",
    "check_cancellation_fee": "What is the cancellation fee?",
    "check_refund_policy": "What is your refund policy?",
    "complaint": "How can I file a complaint?",
    "delete_account": "How can I delete my account?",
    "get_invoice": "How can I get my invoice?",
    "get_refund": "How can I get a refund?",
    "payment_issue": "I have a problem with my payment, what can I do?",
    "recover_password": "I forgot my password, how can I reset it?",
    "track_order": "How can I track my order?",
    "track_refund": "How can I see the status of my refund?",
}


class Intents:
    """Names the intents of a message: of the classifier's labels, or none without a classifier."""

    def __init__(self, classifier: LinearClassifier | None) -> None:
        self._classifier = classifier

    @property
    def available(self) -> bool:
        """Whether there is a classifier."""
        return self._classifier is not None

    def recognise(self, message: str) -> tuple[str, str]:
        """The likeliest intent and, if the message asks for two things, the second; empty texts for none."""
        if self._classifier is None:
            return "", ""
        first = self._classifier.best(message)
        if first not in QUESTIONS or not _JOINS.search(message):
            return first, ""
        scores = self._classifier.scores(message)
        second = max((label for label in scores if label != first), key=lambda label: scores[label])
        return first, second if second in QUESTIONS and scores[second] >= SECOND_FROM else ""


def bundle_intents(bundle: Bundle) -> Intents:
    """The bundle's classifier, if it lists one."""
    return Intents(load_linear(bundle.path(INTENTS)) if bundle.has(INTENTS) else None)
