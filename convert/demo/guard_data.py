"""The guard's training, calibration and test texts: the public sources mixed with made outbursts and longer texts."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from convert.demo.angry import SIDES
from convert.demo.angry_data import PASSING, Amounts, tempers
from convert.demo.intent_data import FALLBACK, Request, utterances
from convert.demo.outbursts import outbursts
from convert.demo.toxicity import (
    LABELS,
    LABELS_WITH_INJECTION,
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
from convert.guard.samples import Sample
from convert.training.corpus import PAIR_FILES, SCOPE_FILE, read_jsonl

#: All swearing requests of these intents are kept for the test: other things to swear at than in training.
TEST_INTENTS = frozenset({"cancel_order", "get_refund", "contact_human_agent", "delivery_period", "recover_password"})

#: Sources whose texts a service desk must let pass. The made outbursts are not among them but among the other texts:
#: so few wordings stand behind them that one alone would decide the threshold.
LEGITIMATE = frozenset({"requests", "swearing_requests", "selves", "answers", "utterances"}) | PASSING

_COMMENTS = frozenset({"davidson", "paradetox", "cold_zh"})

#: Names of the public sets, as the bundle's manifest lists them.
DATA_NAMES = ("bitext-customer-support", "clinc150-out-of-scope", "davidson-hate-speech", "paradetox", "cold")


@dataclass(frozen=True, slots=True)
class GuardData:
    """Examples apart by use: to train, to calibrate thresholds, to report figures; and the labels they are of."""

    train: tuple[Example, ...]
    calibrate: tuple[Example, ...]
    test: tuple[Example, ...]
    labels: tuple[str, ...] = LABELS


@dataclass(frozen=True, slots=True)
class Attempts:
    """Texts with whether each is an attack on the assistant's instructions, apart by use as in ``GuardData``."""

    train: tuple[tuple[str, bool], ...]
    calibrate: tuple[tuple[str, bool], ...] = ()
    test: tuple[tuple[str, bool], ...] = ()


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
        tempers: how many messages of angry and of abusive customers (``convert.demo.angry_data``).
        attempt_passes: how often the attempts on the assistant's instructions, if given, are shown in an epoch.
        public: share of the public comments and tweets that is shown; less of them reminds a trained guard.
        seed: of every choice.
    """

    requests: int = 5000
    offensive_tweets: int = 3500
    outbursts: int = 1600
    mixtures: int = 2000
    answers: int = 1200
    zh_passes: int = 2
    tempers: Amounts = field(default_factory=Amounts)
    attempt_passes: int = 1
    public: float = 1.0
    seed: int = 5


def build(data: Path, mix: Mix, attempts: Attempts | None = None) -> GuardData:
    """Read all sources under ``data`` and split them; ``attempts`` bring the label ``injection``.

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
    for position, side in enumerate(SIDES):
        texts = [e.text for e in calm[side]]
        if not texts:
            raise InputError(f"{data / 'support'}: no request falls to the {side} side; expected some hundred requests")
        share = 1 if side == "train" else 8
        made = outbursts(texts, mix.outbursts // share, mix.seed + position, side)
        amounts = Amounts(mix.tempers.angry // share, mix.tempers.abuse // share)
        made += tempers(texts, amounts, mix.seed + position, side)
        made += [Example(u.text, (0.0, obscenity(u.text, 0.0), 0.0), "utterances") for u in _utterances(side)]
        made += _attempted(attempts, side, mix.attempt_passes)
        sides[side] = [e for part in dealt for e in part[side]] + made
    train = _thinned(sides["train"], mix, random.Random(mix.seed))
    labels = LABELS if attempts is None else LABELS_WITH_INJECTION
    return GuardData(tuple(train), tuple(sides["calibrate"]), tuple(sides["test"]), labels)


def _utterances(side: str) -> list[Request]:
    """The project's own plain requests; half of what they hold out goes to either of the two sides."""
    said = [u for u in utterances(held_out=side != "train") if u.label != FALLBACK]
    return said if side == "train" else said[SIDES.index(side) - 1 :: 2]


def _attempted(attempts: Attempts | None, side: str, passes: int) -> list[Example]:
    """Examples of one side of the attempts; on their toxicity nothing is known."""
    if attempts is None:
        return []
    told: tuple[tuple[str, bool], ...] = getattr(attempts, side)
    made = [
        Example(text, (NAN, NAN, NAN), "attempts" if attack else "lookalikes", injection=float(attack))
        for text, attack in told
    ]
    return made * passes if side == "train" else made


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
    kept = [e for e in kept if e.source not in _COMMENTS or rng.random() < mix.public]
    rng.shuffle(kept)
    return kept


def calibration_samples(data: Path, mix: Mix, attempts: Attempts | None = None) -> list[Sample]:
    """The two sides that are kept from training, as ``convert.guard.export`` takes them.

    Raises:
        As ``build``.
    """
    built = build(data, mix, attempts)
    sides = [(example, False) for example in built.calibrate] + [(example, True) for example in built.test]
    return [
        Sample(
            text=example.text,
            targets={
                name: value
                for name, value in zip(built.labels, example.known(built.labels), strict=True)
                if not math.isnan(value)
            },
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
