"""The guard's training, calibration and test texts: the public sources mixed with made outbursts and longer texts."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from convert.corpus import PAIR_FILES, SCOPE_FILE, read_jsonl
from convert.demo import temper
from convert.demo.toxicity import (
    LABELS,
    NAN,
    Example,
    cold,
    davidson,
    fill_slots,
    obscenity,
    paradetox,
    requests,
    share_of,
)
from convert.errors import InputError
from convert.samples import Sample

#: All swearing requests of these intents are kept for the test: other things to swear at than in training.
TEST_INTENTS = frozenset({"cancel_order", "get_refund", "contact_human_agent", "delivery_period", "recover_password"})

#: Sources whose texts a service desk must let pass. The made outbursts are not among them but among the other texts:
#: so few wordings stand behind them that one alone would decide the threshold.
LEGITIMATE = frozenset({"requests", "swearing_requests", "selves", "answers"})

#: Names of the public sets, as the bundle's manifest lists them.
DATA_NAMES = ("bitext-customer-support", "clinc150-out-of-scope", "davidson-hate-speech", "paradetox", "cold")


@dataclass(frozen=True, slots=True)
class GuardData:
    """Examples apart by use: to train, to calibrate thresholds, to report figures."""

    train: tuple[Example, ...]
    calibrate: tuple[Example, ...]
    test: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Mix:
    """How many examples of the abundant kinds go into training.

    Attributes:
        requests: plain customer requests.
        offensive_tweets: tweets that every vote called offensive and none hateful (the set has 14,000 of them).
        outbursts: of each kind (``convert.demo.temper``).
        mixtures: longer texts.
        answers: beginnings of a desk's answers.
        zh_passes: how often the Chinese comments are shown in an epoch.
        seed: of every choice.
    """

    requests: int = 5000
    offensive_tweets: int = 4500
    outbursts: int = 2400
    mixtures: int = 2400
    answers: int = 1200
    zh_passes: int = 2
    seed: int = 5


def build(data: Path, mix: Mix) -> GuardData:
    """Read all sources under ``data`` and split them.

    Raises:
        InputError: a file is missing or malformed, or there are too few requests to split.
    """
    asked = requests(data)
    calm = _dealt((e.text, [e]) for e, _ in asked if e.source == "requests")
    swearing = _dealt((e.text, [e]) for e, intent in asked if e.source != "requests" and intent not in TEST_INTENTS)
    swearing["test"] += [e for e, intent in asked if e.source != "requests" and intent in TEST_INTENTS]
    dealt = [
        _dealt((e.text, [e]) for e in davidson(data)),
        _dealt((group[-1].text, group) for group in paradetox(data)),
        _dealt((e.text, [e]) for e in cold(data)),
        _dealt((e.text, [e]) for e in plain_texts(data, mix.answers, mix.seed)),
        calm,
        swearing,
    ]
    sides: dict[str, list[Example]] = {}
    for position, side in enumerate(("train", "calibrate", "test")):
        texts = [e.text for e in calm[side]]
        if not texts:
            raise InputError(f"{data / 'support'}: no request falls to the {side} side; expected some hundred requests")
        count = mix.outbursts if side == "train" else mix.outbursts // 8
        made = outbursts(texts, count, mix.seed + position, side)
        sides[side] = [e for part in dealt for e in part[side]] + made
    train = _thinned(sides["train"], mix, random.Random(mix.seed))
    return GuardData(tuple(train), tuple(sides["calibrate"]), tuple(sides["test"]))


def _thinned(examples: list[Example], mix: Mix, rng: random.Random) -> list[Example]:
    """The training side in its final proportions, in random order."""
    plain = [e for e in examples if e.source == "requests"]
    certain = [e for e in examples if e.source == "davidson" and e.targets[0] == 1.0 and e.targets[2] == 0.0]
    chinese = [e for e in examples if e.source == "cold_zh"]
    abundant = {id(e) for e in (*plain, *certain)}
    kept = [e for e in examples if id(e) not in abundant]
    kept += rng.sample(plain, min(mix.requests, len(plain)))
    kept += rng.sample(certain, min(mix.offensive_tweets, len(certain)))
    kept += chinese * (mix.zh_passes - 1)
    english = [e for e in kept if e.source in ("davidson", "paradetox", "scope")]
    toxic = [e for e in english if e.targets[0] > 0.9]
    calm = [e for e in english if e.targets[0] < 0.1 and len(e.text) < 80]
    toxic = [e for e in toxic if len(e.text) < 80]  # the whole stays under GuardOptions.max_tokens
    kept += mixtures(toxic, calm, mix.mixtures, mix.seed)
    rng.shuffle(kept)
    return kept


def calibration_samples(data: Path, mix: Mix) -> list[Sample]:
    """The two sides that are kept from training, as ``convert.guard`` takes them.

    Raises:
        As ``build``.
    """
    built = build(data, mix)
    sides = [(example, False) for example in built.calibrate] + [(example, True) for example in built.test]
    return [
        Sample(
            text=example.text,
            targets={name: value for name, value in zip(LABELS, example.targets, strict=True) if not math.isnan(value)},
            source=example.source,
            legitimate=example.source in LEGITIMATE,
            test=test,
        )
        for example, test in sides
    ]


def plain_texts(data: Path, answers: int, seed: int) -> list[Example]:
    """Ordinary text of other kinds: questions to no customer desk, and beginnings of a desk's answers."""
    rng = random.Random(seed)
    scope = [Example(str(row["text"]), (0.0, 0.0, 0.0), "scope") for row in read_jsonl(data / "support" / SCOPE_FILE)]
    replies = [str(row["response"]) for name in PAIR_FILES for row in read_jsonl(data / "support" / name)]
    chosen = [
        " ".join(fill_slots(reply).split()[: rng.randrange(8, 60)])
        for reply in rng.sample(replies, min(answers, len(replies)))
    ]
    return scope + [Example(text, (0.0, 0.0, 0.0), "answers") for text in chosen]


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


def mixtures(toxic: Sequence[Example], neutral: Sequence[Example], count: int, seed: int) -> list[Example]:
    """Longer texts: one to four neutral pieces, half of them with a toxic piece somewhere among them."""
    rng = random.Random(seed)
    made = []
    for number in range(count):
        parts = rng.sample(neutral, rng.randrange(1, 5))
        if number % 2:
            poison = rng.choice(toxic)
            parts.insert(rng.randrange(len(parts) + 1), poison)
            made.append(Example(". ".join(part.text for part in parts), (1.0, poison.targets[1], NAN), "mixtures"))
        else:
            obscene = max(part.targets[1] for part in parts)
            made.append(Example(". ".join(part.text for part in parts), (0.0, obscene, 0.0), "mixtures"))
    return made


def _dealt(groups: Iterable[tuple[str, Sequence[Example]]]) -> dict[str, list[Example]]:
    """Deal groups to test (10 %), calibrate (5 %) and train by their key; a group stays together."""
    sides: dict[str, list[Example]] = defaultdict(list)
    for key, group in groups:
        share = share_of(key)
        sides["test" if share < 10 else "calibrate" if share < 15 else "train"] += group
    return sides
