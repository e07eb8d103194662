"""Seeded customer-service traffic: what is asked, in which order, by how many chats at once.

The texts under ``bench/traffic`` were written for this project and cover the 27 intents of customer support; topics
follow a Zipf law over the intents in the order of the file. Every question
holds slots (order number, item, city, day, user name) and stands between one of several openings and closings, all
drawn anew for each conversation: two new chats are seldom the same text, even to a server that takes the numbers out,
so neither an answer cache nor a prefix cache can answer for the model.
"""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

FOLDER = Path(__file__).parent / "traffic"
FILES = ("questions.jsonl", "followups.jsonl", "openings.jsonl", "closings.jsonl", "attacks.jsonl")

#: Probability of a conversation with one, two or three turns.
TURN_WEIGHTS = (0.4, 0.35, 0.25)

ITEMS = ("kettle", "desk lamp", "rain jacket", "phone case", "coffee grinder", "backpack", "radio", "bread knife")
CITIES = (
    *("Leeds", "Cork", "Porto", "Graz", "Halifax", "Utrecht", "Aarhus", "Turin", "Lyon", "Bergen", "Tampere", "Gdansk"),
    *(
        "Dresden",
        "Malmo",
        "Perth",
        "Austin",
        "Suzhou",
        "Chengdu",
        "Ningbo",
        "Xiamen",
        "Osaka",
        "Tainan",
        "Pune",
        "Lima",
    ),
)


@dataclass(frozen=True, slots=True)
class Question:
    """A text with slots, its language and the intent behind it (questions only)."""

    text: str
    language: str
    intent: str = ""


@dataclass(frozen=True, slots=True)
class Conversation:
    """What one customer says, turn by turn; the first turn is a new chat, the others come back to it."""

    index: int
    intent: str
    turns: tuple[str, ...]


@dataclass(frozen=True)
class Traffic:
    """All texts, and the conversations made of them."""

    questions: tuple[Question, ...]
    followups: tuple[Question, ...]
    openings: tuple[Question, ...]
    closings: tuple[Question, ...]
    attacks: tuple[Question, ...]
    sha256: str

    @cached_property
    def intents(self) -> tuple[str, ...]:
        """The intents in the order of the file, most frequent first."""
        return tuple(dict.fromkeys(question.intent for question in self.questions))

    def conversation(self, seed: int, stage: str, index: int) -> Conversation:
        """The ``index``-th conversation of a stage; the same arguments always give the same one."""
        rng = random.Random(f"{seed}/{stage}/{index}")
        weights = [1.0 / rank for rank in range(1, len(self.intents) + 1)]
        intent = rng.choices(self.intents, weights)[0]
        first = rng.choice([question for question in self.questions if question.intent == intent])
        turns = rng.choices(range(1, len(TURN_WEIGHTS) + 1), TURN_WEIGHTS)[0]
        later = [question for question in self.followups if question.language == first.language]
        around = [
            rng.choice([text for text in texts if text.language == first.language]).text for texts in self._around
        ]
        texts = (around[0] + first.text + around[1], *(question.text for question in rng.sample(later, turns - 1)))
        return Conversation(index, intent, tuple(_filled(text, rng) for text in texts))

    @property
    def _around(self) -> tuple[tuple[Question, ...], tuple[Question, ...]]:
        return self.openings, self.closings

    def attack(self, seed: int, stage: str, index: int) -> Conversation:
        """The ``index``-th attack, one turn; all texts come before one is repeated."""
        rng = random.Random(f"{seed}/{stage}/{index}")
        text = self.attacks[index % len(self.attacks)].text
        return Conversation(index, "attack", (_filled(text, rng),))


@dataclass(frozen=True, slots=True)
class LoopPlan:
    """A closed loop: ``chats`` customers, each asking again as soon as it is answered.

    Attributes:
        name: of the loop; also part of the seed.
        chats: customers at once.
        seconds: for this long new requests are made,
        min_requests: and at least so many.
        attacks: whether attacks are sent instead of questions.
    """

    name: str
    chats: int
    seconds: float
    min_requests: int
    attacks: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does.

    Attributes:
        name: ``quick`` or ``full``.
        loops: measured one after another.
        attacks: the loop that times blocks.
        queries: questions over ``/api/query``, for the cost of each stage.
    """

    name: str
    loops: tuple[LoopPlan, ...]
    attacks: LoopPlan
    queries: int


@dataclass(frozen=True, slots=True)
class WorkloadOptions:
    """What makes two runs comparable.

    Attributes:
        seed: of all random choices.
        max_tokens: length of every answer, in tokens.
        system_prompt: sent as the first message; empty leaves it to the server.
    """

    seed: int = 1
    max_tokens: int = 64
    system_prompt: str = ""


def make_plan(name: str, chats: tuple[int, ...], seconds: float, min_requests: int, queries: int) -> Plan:
    """A plan with one closed loop for each number of chats."""
    loops = tuple(LoopPlan(f"closed-{count}", count, seconds, max(min_requests, 2 * count)) for count in chats)
    return Plan(name, loops, LoopPlan("attacks", 1, 0.0, 8, attacks=True), queries)


CHATS = (1, 2, 4, 8)
QUICK = make_plan("quick", CHATS, seconds=8.0, min_requests=16, queries=8)
FULL = make_plan("full", CHATS, seconds=60.0, min_requests=100, queries=40)


def load_traffic(folder: Path = FOLDER) -> Traffic:
    """Read the files of texts; ``sha256`` is over their bytes in order."""
    raw = [(folder / name).read_bytes() for name in FILES]
    questions, followups, openings, closings, attacks = (
        tuple(Question(**json.loads(line)) for line in part.decode("utf-8").splitlines()) for part in raw
    )
    return Traffic(questions, followups, openings, closings, attacks, hashlib.sha256(b"".join(raw)).hexdigest())


def _filled(text: str, rng: random.Random) -> str:
    return text.format(
        order=rng.randint(10_000, 99_999),
        item=rng.choice(ITEMS),
        city=rng.choice(CITIES),
        day=f"{rng.randint(4, 20)}th",
        name=f"user{rng.randint(1_000, 9_999)}",
    )
