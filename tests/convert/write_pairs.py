"""Writes ``tests/data/convert/pairs.jsonl``: eight things asked for in five ways, each way with an answer template.

``python -m tests.convert.write_pairs``
"""

from __future__ import annotations

import json

from tests.paths import DATA

#: What is asked for, what the answer calls it, and the intent.
TOPICS = (
    ("cancel order {{Order Number}}", "order {{Order Number}}", "cancel_order"),
    ("get my money back for {{Order Number}}", "the refund of {{Order Number}}", "get_refund"),
    ("track my refund", "your refund", "track_refund"),
    ("see the cancellation fee", "the cancellation fee", "check_cancellation_fee"),
    ("read the refund policy", "our refund policy", "check_refund_policy"),
    ("change my delivery address", "your delivery address", "change_shipping_address"),
    ("find invoice {{Invoice Number}}", "invoice {{Invoice Number}}", "check_invoice"),
    ("speak to a person", "a colleague", "contact_human_agent"),
)
QUESTIONS = ("I want to {}.", "how can I {}?", "please help me {}", "could you {} for me", "I need to {} today")
ANSWERS = (
    "Of course. Open your account, choose Orders and you will find {} there within a minute.",
    "I am sorry about the trouble. A colleague looks at {} now and writes to you before tomorrow evening.",
    "Thank you for asking. Everything about {} stands on the page Help, right under the second heading.",
    "Certainly, that is quickly done: confirm {} with the code that we sent to your telephone.",
    "Let me explain how it works with {}: first you choose it, then you press Continue, and that is all.",
)


def lines() -> list[str]:
    """The file's lines."""
    return [
        json.dumps(
            {
                "instruction": question.format(act),
                "intent": intent,
                "category": intent.split("_")[-1].upper(),
                "response": answer.format(thing),
            }
        )
        for act, thing, intent in TOPICS
        for question, answer in zip(QUESTIONS, ANSWERS, strict=True)
    ]


if __name__ == "__main__":
    (DATA / "convert" / "pairs.jsonl").write_text("\n".join(lines()) + "\n", encoding="utf-8")
