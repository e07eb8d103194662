"""Wordings of calm, angry and abusive customers: reads ``angry_en.toml`` and ``angry_zh.toml``, deals and writes them.

A line is one wording: ``[a|b]`` takes one of its alternatives, ``{slot}`` a word of that slot, and ``{damn}`` a swear
word or nothing, as heated as the writer is. Lines, not texts, are dealt to training, calibration and test, so that no
figure is reported on a wording, or for insults on a word, that training has shown.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from convert.demo.temper import apart

LANGUAGES = ("en", "zh")
SIDES = ("train", "calibrate", "test")

#: Topics of which training shows nothing at all: other trades to be angry at.
TEST_TOPICS = frozenset({"telecom", "travel"})

#: Slots whose words are dealt as the lines are: what people are called.
DEALT_SLOTS = frozenset({"cur", "vile"})

#: What an attack is, and how many of a hundred are of it.
ATTACKS: Mapping[str, int] = {"insult": 56, "threat": 14, "hate": 22, "sexual": 8}

_ALTERNATIVES = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Wordings:
    """What one side may say in one language.

    Attributes:
        language: of LANGUAGES.
        slots: name -> words.
        lines: kind (``calm``, ``angry`` and those of ATTACKS) -> topic -> lines. Topics without lines are left out.
    """

    language: str
    slots: Mapping[str, tuple[str, ...]]
    lines: Mapping[str, Mapping[str, tuple[str, ...]]]


@cache
def wordings(language: str, side: str) -> Wordings:
    """The wordings of one side of SIDES in one language of LANGUAGES."""
    path = Path(__file__).with_name(f"angry_{language}.toml")
    tables: dict[str, dict[str, str]] = tomllib.loads(path.read_text(encoding="utf-8"))
    slots = {name: tuple(words.split("|")) for name, words in tables.pop("slots").items()}
    slots |= {name: apart(slots[name])[side] for name in DEALT_SLOTS}
    lines = {
        kind: {topic: part for topic, block in topics.items() if (part := _part(topic, block, side))}
        for kind, topics in tables.items()
    }
    return Wordings(language, slots, lines)


def _part(topic: str, block: str, side: str) -> tuple[str, ...]:
    lines = tuple(line for line in block.splitlines() if line)
    if topic in TEST_TOPICS:
        return lines if side == "test" else ()
    return apart(lines)[side]


def expand(line: str, slots: Mapping[str, Sequence[str]], rng: random.Random, heat: float) -> str:
    """One text of a line.

    Args:
        line: see the module.
        slots: name -> words; every slot of the line has to be there.
        rng: makes the choices.
        heat: 0 to 1, the chance that ``{damn}`` becomes a swear word.
    """

    def word(match: re.Match[str]) -> str:
        name = match.group(1)
        return "" if name == "damn" and rng.random() >= heat else rng.choice(slots[name])

    while _ALTERNATIVES.search(line):
        line = _ALTERNATIVES.sub(lambda match: rng.choice(match.group(1).split("|")), line)
    return re.sub(r"\s+", " ", _SLOT.sub(word, line)).strip(" ,，")


def say(given: Wordings, kind: str, rng: random.Random, heat: float = 0.0) -> str:
    """A text of a kind: of any topic, each as likely as any other."""
    topics = given.lines[kind]
    return expand(rng.choice(topics[rng.choice(sorted(topics))]), given.slots, rng, heat)


def attack(given: Wordings, rng: random.Random) -> tuple[str, str]:
    """An attack on people and its kind, of ATTACKS."""
    kind = rng.choices(tuple(ATTACKS), tuple(ATTACKS.values()))[0]
    return say(given, kind, rng, heat=0.5), kind


def joined(parts: Sequence[str], language: str, rng: random.Random) -> str:
    """Sentences as people in a rage put them together: with any punctuation, or with none."""
    joints = ("，", "。", "！", "！！", " ", "...", "？？？") if language == "zh" else (
        ", ", ". ", "! ", "!! ", " ", "... ", "?? ", " - ", "\n",
    )  # fmt: skip
    joint = rng.choice(joints)
    return joint.join(parts) + (joint.strip() if joint.strip() not in ("", "-", ",", "，") else "")


def worn(text: str, language: str, rng: random.Random) -> str:
    """The text as it is typed: sometimes drawn out, mistyped, shouted, or opened with a greeting."""
    chance = rng.random()
    if language == "zh":
        if chance < 0.12:
            return rng.choice(("你好，", "喂，", "在吗？", "请问", "那个，", "亲，", "客服，")) + text
        return text + rng.choice(("啊", "！！！", "？", "。。。", "呢", "😡", "~")) if chance < 0.3 else text
    if chance < 0.06:
        return rng.choice(("hi, ", "hello! ", "hey, ", "Dear team, ", "listen, ", "ok so ", "sorry but ")) + text
    if chance < 0.12:
        at = rng.randrange(len(text))
        return text[:at] + text[at + 1 :] if rng.random() < 0.5 else text[:at] + text[at] * 2 + text[at + 1 :]
    if chance < 0.2:
        return text.replace("'", "").replace("I ", "i ")
    if chance < 0.3:
        return text.upper() + rng.choice(("", "!!!", "!1!", "???"))
    return text + rng.choice(("!!!", "!", " 😡", " ...", " ffs", "??")) if chance < 0.4 else text
