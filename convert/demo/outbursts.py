"""Examples of customers who lose their temper: the same request with an outburst at the matter or at people."""

from __future__ import annotations

import random
from collections.abc import Sequence

from convert.demo import temper
from convert.demo.toxicity import NAN, Example, obscenity


def outbursts(asked: Sequence[str], count: int, seed: int, side: str) -> list[Example]:
    """``count`` requests of each kind: swearing at the matter, insulting people; a third of them in Chinese."""
    rng = random.Random(seed)
    matter, person, words, zh_matter, zh_person = (
        temper.apart(phrases)[side]
        for phrases in (
            temper.FRUSTRATIONS,
            temper.INSULTS,
            temper.INTENSIFIERS,
            temper.ZH_FRUSTRATIONS,
            temper.ZH_INSULTS,
        )
    )
    made: list[Example] = []
    for number in range(count):
        request, zh = rng.choice(asked), temper.zh_request(rng)
        chinese = number % 3 == 2
        bare = temper.intensified(request, rng, words) or request
        calm = zh if rng.random() < 0.4 else temper.outburst(zh, zh_matter, rng)
        mild = calm if chinese else bare if rng.random() < 0.4 else temper.outburst(bare, matter, rng)
        if rng.random() < 0.05:  # in a conversation the outburst may come alone
            mild = rng.choice(zh_matter if chinese else matter)
        rude = temper.outburst(zh, zh_person, rng) if chinese else temper.outburst(request, person, rng)
        made.append(Example(mild, (0.0, obscenity(mild, 0.0), 0.0), "matter"))
        made.append(Example(rude, (1.0, obscenity(rude, 1.0), NAN), "person"))
        if number % 4 == 0:
            said = temper.zh_introduced(rng) if chinese else temper.introduced(request, rng)
            made.append(Example(said, (0.0, obscenity(said, 0.0), 0.0), "selves"))
    return made
