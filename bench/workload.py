"""Seeded customer-service traffic: what is asked, and in which order.

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
FILES = ("questions.jsonl", "followups.jsonl", "openings.jsonl", "closings.jsonl", "attacks.jsonl", "passages.jsonl")

#: Frequent questions are the first of so many intents, word for word the same each time.
FREQUENT_INTENTS = 8

#: Length of a long paste in words; ten times an ordinary question, and still within a small model's context.
PASTE_WORDS = 200

#: Probability of a conversation with one, two or three turns.
TURN_WEIGHTS = (0.4, 0.35, 0.25)
#: Questions that a customer asks, on average.
MEAN_TURNS = sum(turns * weight for turns, weight in enumerate(TURN_WEIGHTS, 1))

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
    passages: tuple[str, ...]
    sha256: str

    @cached_property
    def intents(self) -> tuple[str, ...]:
        """The intents in the order of the file, most frequent first."""
        return tuple(dict.fromkeys(question.intent for question in self.questions))

    def conversation(self, seed: int, stage: str, index: int) -> Conversation:
        """The ``index``-th conversation of a stage; the same arguments always give the same one."""
        rng = random.Random(f"{seed}/{stage}/{index}")
        intent = self.intents[_zipf(rng, len(self.intents))]
        first = rng.choice([question for question in self.questions if question.intent == intent])
        turns = rng.choices(range(1, len(TURN_WEIGHTS) + 1), TURN_WEIGHTS)[0]
        later = [question for question in self.followups if question.language == first.language]
        around = [
            rng.choice([text for text in texts if text.language == first.language]).text for texts in self._around
        ]
        texts = (around[0] + first.text + around[1], *(question.text for question in rng.sample(later, turns - 1)))
        return Conversation(index, intent, tuple(_filled(text, rng) for text in texts))

    def frequent(self, seed: int, stage: str, index: int) -> Conversation:
        """A question that others have asked in the same words, by Zipf's law: an answer cache may know its answer."""
        place = _zipf(random.Random(f"{seed}/{stage}/{index}"), min(FREQUENT_INTENTS, len(self.intents)))
        first = next(question for question in self.questions if question.intent == self.intents[place])
        return Conversation(index, first.intent, (_filled(first.text, random.Random(f"{seed}/{first.text}")),))

    def paste(self, seed: int, stage: str, index: int) -> Conversation:
        """A question under a long text that was never seen before: a pasted correspondence of ``PASTE_WORDS`` words."""
        rng = random.Random(f"{seed}/{stage}/{index}")
        english = [question.text for question in self.questions if question.language == "en"]
        words: list[str] = []
        while len(words) < PASTE_WORDS:
            words += f"On {rng.randint(1, 28)}. {rng.randint(1, 12)}. > {_filled(rng.choice(english), rng)}".split()
        conversation = self.conversation(seed, stage, index)
        return Conversation(index, conversation.intent, (f"{' '.join(words)}\n\n{conversation.turns[0]}",))

    def known(self, seed: int, stage: str, index: int) -> str:
        """A passage of the shop's knowledge, by Zipf's law: a prefix that is soon known to the target."""
        return self.passages[_zipf(random.Random(f"{seed}/{stage}/{index}"), len(self.passages))]

    @property
    def _around(self) -> tuple[tuple[Question, ...], tuple[Question, ...]]:
        return self.openings, self.closings

    def attack(self, seed: int, stage: str, index: int) -> Conversation:
        """The ``index``-th attack, one turn; all texts come before one is repeated."""
        rng = random.Random(f"{seed}/{stage}/{index}")
        text = self.attacks[index % len(self.attacks)].text
        return Conversation(index, "attack", (_filled(text, rng),))


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


def load_traffic(folder: Path = FOLDER) -> Traffic:
    """Read the files of texts; ``sha256`` is over their bytes in order."""
    raw = [(folder / name).read_bytes() for name in FILES]
    *texts, passages = ([json.loads(line) for line in part.decode("utf-8").splitlines()] for part in raw)
    questions, followups, openings, closings, attacks = (tuple(Question(**line) for line in lines) for lines in texts)
    return Traffic(
        questions,
        followups,
        openings,
        closings,
        attacks,
        passages=tuple(str(line["text"]) for line in passages if line["kind"] == "passage"),
        sha256=hashlib.sha256(b"".join(raw)).hexdigest(),
    )


def _zipf(rng: random.Random, count: int) -> int:
    """A place from 0 below ``count``, the first most often."""
    return rng.choices(range(count), [1.0 / rank for rank in range(1, count + 1)])[0]


def _filled(text: str, rng: random.Random) -> str:
    return text.format(
        order=rng.randint(10_000, 99_999),
        item=rng.choice(ITEMS),
        city=rng.choice(CITIES),
        day=f"{rng.randint(4, 20)}th",
        name=f"user{rng.randint(1_000, 9_999)}",
    )
