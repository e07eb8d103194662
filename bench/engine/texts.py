"""What engines are asked: one system prompt, eight passages of knowledge, questions on them and follow-ups, all seeded.

The sizes hold for the demonstration model's tokenizer: 190 tokens of system prompt, about 127 of passage, about 36 of
question, some 370 with the chat template; follow-ups are some 20, the long prompt 900.
"""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass
from pathlib import Path

from bench.chat import ChatMessage
from bench.workload import CITIES, FOLDER, ITEMS

FILE = FOLDER / "passages.jsonl"

#: Passages in the long prompt, so that it has about 900 tokens.
_LONG_PASSAGES = 6

Messages = tuple[ChatMessage, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """One text of knowledge and the questions on it, with slots."""

    text: str
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Texts:
    """All texts; ``sha256`` is over the file's bytes."""

    system: str
    passages: tuple[Passage, ...]
    followups: tuple[str, ...]
    sha256: str


def load_texts(path: Path = FILE) -> Texts:
    """Read the file."""
    raw = path.read_bytes()
    lines = [json.loads(line) for line in raw.decode("utf-8").splitlines()]
    questions: dict[str, list[str]] = {}
    for line in lines:
        if line["kind"] == "question":
            questions.setdefault(line["name"], []).append(line["text"])
    return Texts(
        system=next(line["text"] for line in lines if line["kind"] == "system"),
        passages=tuple(
            Passage(line["text"], tuple(questions[line["name"]])) for line in lines if line["kind"] == "passage"
        ),
        followups=tuple(line["text"] for line in lines if line["kind"] == "followup"),
        sha256=hashlib.sha256(raw).hexdigest(),
    )


@dataclass(frozen=True, slots=True)
class Chats:
    """Conversations made of the texts: the same seed, stage and index always give the same one."""

    texts: Texts
    seed: str

    def new(self, stage: str, index: int) -> Messages:
        """A new chat: a question nobody has asked, on the passage that comes with it."""
        rng = self._rng(stage, index)
        passage = self.texts.passages[index % len(self.texts.passages)]
        question = _filled(rng.choice(passage.questions), rng)
        return ChatMessage("system", f"{self.texts.system}\n\n{passage.text}"), ChatMessage("user", question)

    def next(self, before: Messages, answer: str, stage: str, index: int) -> Messages:
        """The same chat, coming back with its next question."""
        rng = self._rng(f"{stage}-next", index)
        follow = _filled(rng.choice(self.texts.followups), rng)
        return (*before, ChatMessage("assistant", answer), ChatMessage("user", follow))

    def short(self, stage: str, index: int) -> Messages:
        """A few words without system prompt, which share nothing with another chat but the template's first tokens."""
        rng = self._rng(stage, index)
        return (ChatMessage("user", f"{rng.randint(10_000, 99_999)} is the number of my {rng.choice(ITEMS)}."),)

    def long(self, stage: str, index: int) -> Messages:
        """About 900 tokens, new from the first words on; those of one stage differ only in these words."""
        rng, first = self._rng(stage, 0), self._rng(f"{stage}-case", index)
        passages = rng.sample(self.texts.passages, min(_LONG_PASSAGES, len(self.texts.passages)))
        case = f"Case {first.randint(10_000, 99_999)} of {first.choice(CITIES)}: several things were asked at once. "
        questions = [_filled(passage.questions[0], rng) for passage in passages[:2]]
        system = case + " ".join(passage.text for passage in passages)
        return ChatMessage("system", system), ChatMessage("user", " ".join(questions))

    def _rng(self, stage: str, index: int) -> random.Random:
        return random.Random(f"engine/{self.seed}/{stage}/{index}")


def _filled(text: str, rng: random.Random) -> str:
    return text.format(
        order=rng.randint(10_000, 99_999),
        item=rng.choice(ITEMS),
        city=rng.choice(CITIES),
        day=f"{rng.randint(4, 20)}th",
    )
