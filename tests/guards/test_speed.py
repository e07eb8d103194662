"""The price of rules and PII on a thousand characters, in processor time: other work on the machine does not count."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest

from guards.guard import Guard
from guards.policy import Policy

ENGLISH = (
    "Hello, I ordered two pairs of shoes last week (order 123456789) and only one has arrived so far. Please tell me "
    "where the other one is, because your instructions say five days. You can call me on 212-555-0123 or write to "
    "jane.doe@example.com. If it is lost, change the delivery address and give me the price difference back. "
)
CHINESE = (
    "您好，我上周买了两双鞋（订单号123456789012），只收到一双。"
    "请帮我查一下另一双在哪里，电话１３８００１３８０００，谢谢！"
)


@pytest.mark.parametrize("text", [(ENGLISH * 4)[:1000], (CHINESE * 20)[:1000]], ids=["english", "chinese"])
def test_rules_and_pii_on_a_thousand_characters(policy: Policy, text: str) -> None:
    actions = {key: action for key, action in policy.actions.items() if key[0] != "toxicity"}
    guard = Guard(replace(policy, actions=actions))
    guard.check_input(text)
    took_ms = []
    for _ in range(100):
        begun = time.process_time()
        guard.check_input(text)
        took_ms.append((time.process_time() - begun) * 1000)
    assert float(np.percentile(took_ms, 95)) <= 10.0, (
        took_ms
    )  # the promise is 5: `python -m guards speed` on a quiet box
