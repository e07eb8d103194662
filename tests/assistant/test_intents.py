"""What customers want: one thing, two things, nothing of ours."""

from __future__ import annotations

import pytest

from models.bundle import open_bundle
from runtime.assistant.intents import OUT_OF_SCOPE, QUESTIONS, Intents, bundle_intents
from tests.paths import DEMO

INTENTS = bundle_intents(open_bundle(DEMO))


@pytest.mark.parametrize(
    ("message", "both"),
    [
        ("cancel order {{Order Number}} and give me my money back", {"cancel_order", "get_refund"}),
        ("i forgot my password and want to delete my account", {"recover_password", "delete_account"}),
        ("please cancel my purchase", {"cancel_order"}),
        ("where is my order {{Order Number}}", {"track_order"}),
        ("tell me a joke and sing a song", {OUT_OF_SCOPE}),
    ],
)
def test_intents_of_a_message(message: str, both: set[str]) -> None:
    assert {intent for intent in INTENTS.recognise(message) if intent} == both


def test_each_questions_intent_is_its_own() -> None:
    for intent, question in QUESTIONS.items():
        assert INTENTS.recognise(question) == (intent, "")


def test_without_a_classifier_nothing_is_recognised() -> None:
    assert Intents(None).recognise("cancel my order and refund me") == ("", "")
