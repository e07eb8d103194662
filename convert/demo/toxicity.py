"""Examples for the toxicity guard: public sources brought to three of Detoxify's labels.

What each source says, and what it does not (then the target is NaN and takes no part in the loss):

=============  ============================  ==========================  =====================
source         toxicity                      obscene                     identity_attack
=============  ============================  ==========================  =====================
Davidson       share of hate or offensive    profanity list [1]          share of hate votes
ParaDetox      1 toxic, 0 neutral side       profanity list [1]          0 neutral, else NaN
COLD           the label                     NaN                         NaN
requests       0, also where they swear      profanity list [1]          0
outbursts [2]  0 at the matter, 1 at people  profanity list [1]          0, or NaN at people
tempers [3]    0 at the matter, 1 at people  profanity list [1]          1 hate, else as above
attempts [4]   NaN                           NaN                         NaN
=============  ============================  ==========================  =====================

[1] 1 where a word of PROFANITY stands in the text; 0 where none does and the text is not toxic; else NaN.
[2] ``convert.demo.temper``: the same requests with frustration, or with insults.
[3] ``convert.demo.angry_data``: written messages of angry customers, and the same with an attack on people.
[4] Attacks on the assistant's instructions and harmless texts that look alike: only their ``injection`` is known. Of
    all other texts it is taken to be 0.

``toxicity`` therefore follows what crowds call toxic, but for customers who swear at the matter; ``obscene`` only says
that the language is strong and is no reason to turn a customer away.
"""

from __future__ import annotations

import hashlib
import html
import math
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convert.training.corpus import PAIR_FILES, read_jsonl

LABELS = ("toxicity", "obscene", "identity_attack")

#: The labels of a guard that also learns to tell attacks on the assistant's instructions.
LABELS_WITH_INJECTION = (*LABELS, "injection")

PROFANITY = re.compile(
    r"\b(\w*fuck\w*|f\*+\w*|effing|\w*shit\w*|sh\*t\w*|\w*bitch\w*|(?:god|god-)?damn\w*|bloody|\w*asshole\w*|ass|asses|arse\w*|"
    r"dumbass\w*|jackass\w*|bastard\w*|cunt\w*|dick|dicks|dickhead\w*|cock|cocks|cocksuck\w*|crap\w*|hell|piss\w*|pussy|"
    r"pussies|whore\w*|slut\w*|wtf|stfu|ffs|omfg|lmfao|lmao|hoe|hoes|wanker\w*|tits|titties|nigg\w+|fag\w*|suck my)\b"
    r"|他妈|妈的|[操肏日]你|[我卧]操|操蛋|傻[逼B]|煞笔|我靠|卧槽|特么|尼玛|tmd|狗屁|狗日|婊子|杂种|贱|屌|艹",
    re.IGNORECASE,
)

NAN = math.nan


@dataclass(frozen=True, slots=True)
class Example:
    """A text with one target per label: a probability, or NaN where the source says nothing.

    Attributes:
        text: as it was written.
        targets: of LABELS.
        source: the kind of text.
        injection: the further target of LABELS_WITH_INJECTION.
    """

    text: str
    targets: tuple[float, float, float]
    source: str
    injection: float = 0.0

    def known(self, labels: Sequence[str]) -> tuple[float, ...]:
        """The targets of ``labels``, which are LABELS or LABELS_WITH_INJECTION."""
        return (*self.targets, self.injection)[: len(labels)]


def clean(text: str) -> str:
    """A tweet or comment without entities, links, user names and retweet marks; white space squeezed."""
    text = html.unescape(html.unescape(text))
    text = re.sub(r"https?://\S+|\bRT\b|@\w+:?", " ", text)
    return re.sub(r"\s+", " ", text).strip(" \"'“”:")


def share_of(text: str) -> int:
    """0 to 99, the same for the same words on every machine."""
    key = re.sub(r"\W+", " ", text.lower()).strip().encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=4).digest(), "big") % 100


def obscenity(text: str, toxicity: float) -> float:
    """Target of ``obscene``: see the note [1] above."""
    if PROFANITY.search(text):
        return 1.0
    return 0.0 if toxicity < 0.4 else NAN


def davidson(data: Path) -> list[Example]:
    """Tweets with the share of their votes as targets."""
    examples = []
    for row in read_jsonl(data / "toxicity" / "davidson.jsonl"):
        votes = [int(str(row[f"{name}_votes"])) for name in ("hate", "offensive", "neither")]
        text, total = clean(str(row["text"])), sum(votes)
        if text and total:
            toxicity = (votes[0] + votes[1]) / total
            examples.append(Example(text, (toxicity, obscenity(text, toxicity), votes[0] / total), "davidson"))
    return examples


def paradetox(data: Path) -> list[tuple[Example, ...]]:
    """Pairs of a toxic and a neutral wording; a neutral side that still swears is left out."""
    pairs = []
    for row in read_jsonl(data / "toxicity" / "paradetox.jsonl"):
        toxic, neutral = clean(str(row["toxic"])), clean(str(row["neutral"]))
        pair = [Example(toxic, (1.0, obscenity(toxic, 1.0), NAN), "paradetox")]
        if neutral and not PROFANITY.search(neutral):
            pair.append(Example(neutral, (0.0, 0.0, 0.0), "paradetox"))
        pairs.append(tuple(pair))
    return pairs


def cold(data: Path) -> list[Example]:
    """Chinese comments; the set says offensive or not, nothing else."""
    rows = read_jsonl(data / "toxicity" / "cold_zh_train.jsonl")
    return [Example(str(row["text"]), (float(str(row["label"])), NAN, NAN), "cold_zh") for row in rows]


def requests(data: Path) -> list[tuple[Example, str]]:
    """Different customer requests with their intents, slots filled in; one in twenty swears."""
    names = ("bitext_v11_instructions.jsonl", *PAIR_FILES)
    intents = {
        str(r["instruction"]).strip(): str(r["intent"]) for name in names for r in read_jsonl(data / "support" / name)
    }
    return [(request_example(fill_slots(text)), intent) for text, intent in sorted(intents.items()) if text]


def request_example(text: str) -> Example:
    """A legitimate request: not toxic, whatever words it takes."""
    swears = bool(PROFANITY.search(text))
    return Example(text, (0.0, float(swears), 0.0), "swearing_requests" if swears else "requests")


def fill_slots(text: str) -> str:
    """Put a value where a ``{{slot}}`` stands, chosen by the text itself."""
    rng = random.Random(share_of(text))
    values = {
        "Person Name": "Anna Freeman",
        "Account Type": "premium",
        "Account Category": "gold",
        "Delivery City": "Leeds",
    }

    def value(match: re.Match[str]) -> str:
        name = match.group(1).strip()
        return values.get(name) or (
            f"#{rng.randrange(1000, 999999)}" if "Number" in name else str(rng.randrange(9, 900))
        )

    return re.sub(r"\{\{([^{}]*)\}\}", value, text)
