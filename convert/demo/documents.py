"""The conversations that the demonstration model learns from."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from convert.chat import SYSTEM_PROMPT, Message
from convert.training.corpus import SCOPE_FILE, Pair, read_jsonl
from models.slots import SHOP_SLOTS, slots_in

#: What the assistant says to things that no customer desk answers. Written for this project.
DEFLECTIONS = (
    "I'm sorry, that is not something I know. "
    "I can help with orders, deliveries, payments, invoices, refunds and your account.",
    "I don't know that, and I would rather not guess. If you like, I'll get a colleague to help you.",
    "I can only help with questions about our shop. For anything else, let me get a colleague for you.",
    "I'm afraid I can't answer that. "
    "Is there something about an order, a payment or your account that I can help with?",
)


def out_of_scope_pairs(data: Path, limit: int, seed: int) -> list[Pair]:
    """Questions that are no customer desk's business, each with a deflection."""
    rng = random.Random(seed)
    texts = [str(row["text"]) for row in read_jsonl(data / "support" / SCOPE_FILE)]
    return [Pair(text, rng.choice(DEFLECTIONS), "out_of_scope") for text in rng.sample(texts, min(limit, len(texts)))]


def conversation(pairs: Sequence[Pair], *, system: bool) -> list[Message]:
    """Turns of one conversation, question and answer alternating."""
    turns = [Message("system", SYSTEM_PROMPT)] if system else []
    for pair in pairs:
        turns += [Message("user", pair.question), Message("assistant", pair.answer)]
    return turns


def epoch(
    pairs: Sequence[Pair], rephrasings: Mapping[str, Sequence[str]], rng: random.Random
) -> Iterator[list[Message]]:
    """One pass over all pairs in random order.

    A third of the conversations have two turns, a fifth no system prompt. Half of the questions are put in other words
    with the same intent: there are three times as many ways to ask as answered questions, and customers use them all.
    """
    order = [rephrase(pair, rephrasings.get(pair.intent, ()), rng) if rng.random() < 0.5 else pair for pair in pairs]
    rng.shuffle(order)
    at = 0
    while at < len(order):
        turns = 2 if rng.random() < 1 / 3 else 1
        yield conversation(order[at : at + turns], system=rng.random() < 0.8)
        at += turns


def rephrase(pair: Pair, others: Sequence[str], rng: random.Random) -> Pair:
    """The same answer to another question, if one of a few drawn gives all that the answer names; else the pair."""
    for question in rng.sample(others, min(6, len(others))):
        if slots_in(pair.answer) - SHOP_SLOTS <= slots_in(question):
            return Pair(question, pair.answer, pair.intent)
    return pair
