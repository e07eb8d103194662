"""Fixed answers: found by words and by intent, in the customer's language, and a broken table is refused."""

from __future__ import annotations

import pytest

from models.slots import CUSTOMER_SLOTS, SHOP_SLOTS, slots_in
from runtime.assistant.flows import built_in_flows, parse_flows
from runtime.errors import StartError

FLOWS = built_in_flows()


@pytest.mark.parametrize(
    ("message", "language", "name"),
    [
        ("Hello!", "en", "greeting"),
        ("good morning", "en", "greeting"),
        ("hello, where is my order", "en", None),
        ("thank you very much", "en", "thanks"),
        ("thanks but I still want a refund", "en", None),
        ("你好", "zh", "greeting"),
        ("请转人工", "zh", "person"),
        ("取消要收手续费吗", "zh", "cancellation-fee-zh"),
        ("我想取消订单12345", "zh", "cancel-zh"),
        ("我要退款", "zh", "refund-zh"),
        ("退款什么时候到账", "zh", "track-refund-zh"),
        ("我的快递到哪里了", "zh", "track-order-zh"),
        ("怎么开发票", "zh", "invoice-zh"),
        ("忘记密码了", "zh", "password-zh"),
        ("地址填错了", "zh", "address-zh"),
        ("我要投诉你们", "zh", "complaint-zh"),
        ("今天天气怎么样", "zh", None),
    ],
)
def test_words_lead_to_a_flow(message: str, language: str, name: str | None) -> None:
    flow = FLOWS.by_words(message, language)
    assert (flow.name if flow else None) == name


def test_intents_lead_to_a_flow() -> None:
    person = FLOWS.by_intent("contact_human_agent", "en")
    unknown = FLOWS.by_intent("out_of_scope", "zh")
    assert person is not None
    assert person.handoff
    assert unknown is not None
    assert unknown.name == "unknown"
    assert FLOWS.by_intent("get_refund", "en") is None


def test_every_slot_in_a_flow_can_be_filled() -> None:
    for flow in FLOWS:
        for answer in flow.answers.values():
            assert slots_in(answer) <= CUSTOMER_SLOTS | SHOP_SLOTS


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[flow]", "not TOML"),
        ('[[flow]]\nname="x"\nintent="y"\nen="z"\ncolour="red"', "colour"),
        ('[[flow]]\nname="x"\nintent="y"', "answer"),
        ('[[flow]]\nname="x"\nintent="y"\nen="z"\npatterns=["("]', "compile"),
    ],
)
def test_a_broken_table_is_refused_by_name(text: str, complaint: str) -> None:
    with pytest.raises(StartError, match=complaint):
        parse_flows(text)
