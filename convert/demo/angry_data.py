"""Examples from the written wordings: anger that passes and, on the same texts, attacks on people that do not.

Pairs of the same words with and without an attack teach by whom a text is aimed at; topic, anger and swearing, which
both sides share, tell nothing. A figure on these texts says how well that carries over to other wordings by the same
author, and no more; what others wrote has to be measured too.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from convert.demo.angry import LANGUAGES, Wordings, attack, joined, say, wordings, worn
from convert.demo.toxicity import NAN, Example, obscenity

#: Sources of these examples that a service desk must let pass; ``abuse`` and ``abuse_zh`` it must not.
PASSING = frozenset({"angry", "angry_zh", "calm_zh"})


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many examples are made, per language.

    Attributes:
        angry: legitimate texts; half as many calm ones are added in Chinese.
        abuse: texts with an attack; about a third of them have their harmless twin among further legitimate ones.
    """

    angry: int = 4500
    abuse: int = 4000


def tempers(asked: Sequence[str], amounts: Amounts, seed: int, side: str) -> list[Example]:
    """All examples of one side of ``convert.demo.angry.SIDES``.

    Args:
        asked: plain English requests of that side, to be angry about; Chinese ones come from the wordings.
        amounts: how many.
        seed: of every choice.
        side: whose wordings are taken.
    """
    made: list[Example] = []
    for language in LANGUAGES:
        rng = random.Random(f"{seed} {language} {side}")
        given = wordings(language, side)
        made += [_passing(_angry(given, asked, rng), "angry", given) for _ in range(amounts.angry)]
        if language == "zh":
            made += [_passing(_calm(given, rng), "calm", given) for _ in range(amounts.angry // 2)]
        for _ in range(amounts.abuse):
            made += _abuse(given, asked, rng)
    return made


def _named(name: str, given: Wordings) -> str:
    return name if given.language == "en" else f"{name}_{given.language}"


def _passing(text: str, name: str, given: Wordings) -> Example:
    return Example(text, (0.0, obscenity(text, 0.0), 0.0), _named(name, given))


def _request(given: Wordings, asked: Sequence[str], rng: random.Random) -> str:
    return say(given, "calm", rng) if "calm" in given.lines else rng.choice(asked)


def _calm(given: Wordings, rng: random.Random) -> str:
    parts = [say(given, "calm", rng) for _ in range(rng.choice((1, 1, 1, 2)))]
    return worn(joined(parts, given.language, rng), given.language, rng) if len(parts) > 1 else parts[0]


def _sentences(given: Wordings, asked: Sequence[str], rng: random.Random) -> list[str]:
    """One to four sentences of an angry customer, a third of the time with what the matter is."""
    heat = rng.choice((0.0, 0.0, 0.3, 0.9))
    parts = [say(given, "angry", rng, heat) for _ in range(rng.choice((1, 1, 1, 2, 2, 3)))]
    if rng.random() < 0.33:
        parts.insert(rng.randrange(len(parts) + 1), _request(given, asked, rng))
    return parts


def _angry(given: Wordings, asked: Sequence[str], rng: random.Random) -> str:
    return worn(_put(_sentences(given, asked, rng), given.language, rng), given.language, rng)


def _put(parts: Sequence[str], language: str, rng: random.Random) -> str:
    return joined(parts, language, rng) if len(parts) > 1 or rng.random() < 0.3 else parts[0]


def _abuse(given: Wordings, asked: Sequence[str], rng: random.Random) -> list[Example]:
    """An attack alone, with a request, or in an angry message; in the last case with that message's harmless twin."""
    language, chance = given.language, rng.random()
    said, kind = attack(given, rng)
    parts, twin = [said], []
    if chance < 0.25:
        parts.insert(rng.randrange(2), _request(given, asked, rng))
    elif chance < 0.6:
        harmless = _sentences(given, asked, rng)
        twin = [_passing(_put(harmless, language, rng), "angry", given)]
        at = rng.randrange(len(harmless) + 1)
        parts = [*harmless[:at], said, *harmless[at:]]
    text = worn(_put(parts, language, rng), language, rng)
    identity = 1.0 if kind == "hate" else NAN
    return [Example(text, (1.0, obscenity(text, 1.0), identity), _named("abuse", given)), *twin]
