"""The traffic: complete, seeded, and never the same question twice in a row of chats."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.plans import FULL, QUICK
from bench.workload import load_traffic

TRAFFIC = load_traffic()
PINNED = (
    "contact_customer_service",
    ("Just quickly: At what hours does somebody answer the phone in Lyon? It is for my mother in Lyon.",),
)
BITEXT_INTENTS = {
    *("cancel_order", "change_order", "place_order", "track_order"),
    *("change_shipping_address", "set_up_shipping_address", "delivery_options", "delivery_period"),
    *("check_cancellation_fee", "check_refund_policy", "get_refund", "track_refund"),
    *("check_invoice", "get_invoice", "check_payment_methods", "payment_issue"),
    *("complaint", "review", "contact_customer_service", "contact_human_agent", "newsletter_subscription"),
    *(
        "create_account",
        "delete_account",
        "edit_account",
        "recover_password",
        "registration_problems",
        "switch_account",
    ),
}


def test_all_intents_are_asked_in_both_languages() -> None:
    assert set(TRAFFIC.intents) == BITEXT_INTENTS
    assert len(TRAFFIC.questions) >= 60
    assert min(Counter(question.intent for question in TRAFFIC.questions).values()) >= 2
    assert sum(question.language == "zh" for question in TRAFFIC.questions) >= 10


@pytest.mark.parametrize("texts", [TRAFFIC.questions, TRAFFIC.followups, TRAFFIC.openings, TRAFFIC.attacks])
def test_no_text_is_there_twice(texts: tuple[object, ...]) -> None:
    assert len(set(texts)) == len(texts)


def test_every_question_varies() -> None:
    assert [question.text for question in TRAFFIC.questions if "{" not in question.text] == []


def test_conversations_are_seeded() -> None:
    first = [TRAFFIC.conversation(5, "closed-2", index) for index in range(50)]
    assert first == [load_traffic().conversation(5, "closed-2", index) for index in range(50)]
    assert first != [TRAFFIC.conversation(6, "closed-2", index) for index in range(50)]
    assert first != [TRAFFIC.conversation(5, "closed-4", index) for index in range(50)]


def test_conversations_are_pinned() -> None:
    """Stored results are comparable only while the same seed gives the same words on every machine and version."""
    conversation = TRAFFIC.conversation(1, "closed-1", 0)
    assert (conversation.intent, conversation.turns) == PINNED


def test_what_a_thousand_conversations_are_like() -> None:
    many = [TRAFFIC.conversation(1, "closed-1", index) for index in range(1000)]
    assert len({conversation.turns[0] for conversation in many}) >= 990
    assert not any("{" in turn for conversation in many for turn in conversation.turns)
    assert Counter(len(conversation.turns) for conversation in many).keys() == {1, 2, 3}
    counts = Counter(conversation.intent for conversation in many)
    assert counts[TRAFFIC.intents[0]] > 2 * counts[TRAFFIC.intents[4]] > 0
    for conversation in many:
        assert len(set(conversation.turns)) == len(conversation.turns)


def test_conversations_keep_their_language() -> None:
    for index in range(200):
        turns = TRAFFIC.conversation(1, "x", index).turns
        chinese = [any("\u4e00" <= letter <= "\u9fff" for letter in turn) for turn in turns]
        assert len(set(chinese)) == 1


def test_attacks_come_in_turn() -> None:
    texts = {TRAFFIC.attack(1, "attacks", index).turns[0] for index in range(len(TRAFFIC.attacks))}
    assert len(texts) == len(TRAFFIC.attacks) == QUICK.attacks.min_requests


def test_plans_rise_in_chats() -> None:
    for plan in (QUICK, FULL):
        assert [loop.chats for loop in plan.loops] == [1, 2, 4, 8]
        assert all(loop.min_requests >= 2 * loop.chats for loop in plan.loops)
