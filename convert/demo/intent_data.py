"""Texts for the intent classifier: templated requests, the project's own utterances, and what no desk answers.

The requests are templated (an opening, a verb, a thing), so a random split would test what was learned by heart.
Requests are grouped by intent and the words that are left without the openings, and whole groups are held out;
questions that no desk answers are held out by topic.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convert.demo.toxicity import fill_slots, share_of
from convert.training.corpus import PAIR_FILES, SCOPE_FILE, read_jsonl
from models.linear import normalise

FALLBACK = "out_of_scope"

#: Words of openings and politeness: they tell two wordings of one template apart, not two templates.
_OPENING = frozenset((
    "0", "a", "about", "am", "an", "and", "are", "ask", "assist", "assistance", "can", "could", "do", "does",
    "don't", "for", "get", "give", "have", "hello", "help", "hey", "hi", "how", "i", "i'd", "i'm", "if", "in", "is",
    "it", "know", "like", "me", "my", "need", "of", "on", "one", "our", "please", "some", "somebody", "someone",
    "t", "tell", "that", "the", "there", "this", "to", "try", "trying", "u", "uhelp", "ur", "us", "wanna", "want",
    "wants", "what", "when", "where", "which", "will", "with", "would", "ya", "you", "your",
))  # fmt: skip

#: Topics that the set calls out of scope and a shop does not.
_SHOP_TOPICS = frozenset({"order", "order_status", "cancel"})


@dataclass(frozen=True, slots=True)
class Request:
    """A text, its label and the group that it must stay with in a split."""

    text: str
    label: str
    group: str


def read_requests(data: Path) -> list[Request]:
    """All different requests under ``data/support`` with their intents, and the questions out of scope.

    Raises:
        InputError: a file is missing or malformed.
    """
    found: dict[str, Request] = {}
    for name in ("bitext_v11_instructions.jsonl", *PAIR_FILES):
        for row in read_jsonl(data / "support" / name):
            intent, text = str(row["intent"]), fill_slots(str(row["instruction"]).strip())
            words = sorted(set(normalise(text).split()) - _OPENING)
            found[normalise(text)] = Request(text, intent, f"{intent} {' '.join(words)}")
    for number, row in enumerate(read_jsonl(data / "support" / SCOPE_FILE)):
        if row.get("clinc_intent") in _SHOP_TOPICS:
            continue
        text = str(row["text"])
        found[normalise(text)] = Request(text, FALLBACK, f"{FALLBACK} {row.get('clinc_intent', number)}")
    return [found[key] for key in sorted(found)]


def split(requests: Sequence[Request], held_out: int) -> tuple[list[Request], list[Request]]:
    """Training and held-out requests; a group never stands on both sides."""
    train = [request for request in requests if share_of(request.group) >= held_out]
    return train, [request for request in requests if share_of(request.group) < held_out]


def comments(data: Path) -> tuple[list[Request], list[Request]]:
    """Neutral forum comments (ParaDetox), to calibrate on and to report on."""
    found = sorted({str(row["neutral"]) for row in read_jsonl(data / "toxicity" / "paradetox.jsonl")})
    own = [Request(text, FALLBACK, text) for text in found if share_of(text) < 10]
    return own[::2], own[1::2]


def utterances(*, held_out: bool) -> list[Request]:
    """One side of the project's own requests in ``utterances.toml``: every fourth line of an intent is held out."""
    blocks = tomllib.loads(Path(__file__).with_name("utterances.toml").read_text(encoding="utf-8"))
    return [
        Request(text, intent, text)
        for intent, block in blocks.items()
        for number, text in enumerate(str(block).splitlines())
        if (number % 4 == 3) is held_out
    ]
