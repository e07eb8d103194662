"""Customer-service question/answer pairs: reading, placeholder clean-up and a template-disjoint split.

The pairs are Bitext's (CDLA-Sharing-1.0), JSON Lines with the fields ``instruction``, ``intent``, ``category`` and
``response``; https://github.com/bitext/customer-support-llm-chatbot-training-dataset publishes them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from convert.chat import Message
from convert.errors import InputError
from convert.training.templates import clusters
from models.slots import CUSTOMER_SLOTS, SHOP_SLOTS, SLOT, delexicalise, slots_in

PAIR_FILES = ("bitext_v1_pairs.jsonl", "bitext_v11_pairs.jsonl")
INSTRUCTION_FILE = "bitext_v11_instructions.jsonl"
SCOPE_FILE = "out_of_scope.jsonl"

#: Intents that the adapter teaches and the base has never seen.
ADAPTER_INTENTS = frozenset(
    {"cancel_order", "check_cancellation_fee", "check_refund_policy", "get_refund", "track_refund"}
)

#: Regular expression on the lower-cased slot name -> slot it is spelled as here, first match wins.
_SLOT_RULES: tuple[tuple[str, str], ...] = (
    (r"(bill|invoice).*(number|id)", "Invoice Number"),
    (r"(order|purchase).*(number|id\b|id anonymized)", "Order Number"),
    (r"(customer|support|service|contact).*phone|toll-free|phone number", "Customer Support Phone Number"),
    (r"(customer|support|service|contact).*e-?mail|email address", "Customer Support Email"),
    (r"(support|service|business|working).*(hours|availability)", "Customer Support Hours"),
    (r"(url|link)$|^login page", "Website URL"),
    (r"(company|brand|store|business) name", "Company Name"),
)

#: Slot names whose value nobody at run time can know: a pair that holds one is left out.
_UNKNOWABLE = re.compile(
    r"(salutation|client|amount|number|date|time|days?\b|period|percent|price|cost|fee$|feature|location|address$|name$|"
    r"\bid\b|password$|pin$)",
    re.IGNORECASE,
)

_PLAIN = {
    "website name": "website",
    "online company portal info": "customer portal",
    "online order interaction": "order page",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """One question with its answer.

    Attributes:
        question: what the customer wrote; numbers of orders and invoices stand as ``{{Order Number}}``.
        answer: the reply; every ``{{slot}}`` in it is of CUSTOMER_SLOTS (then also in the question or the history) or
            SHOP_SLOTS.
        intent: Bitext's intent, ``out_of_scope``, or empty where nobody said it.
        history: the turns before the question; if its first is the system's, it stands for the usual system prompt.
        rejected: a reply that was judged worse than ``answer``; empty where there is none.
    """

    question: str
    answer: str
    intent: str
    history: tuple[Message, ...] = ()
    rejected: str = ""


@dataclass(frozen=True, slots=True)
class Split:
    """Pairs apart by template: no cluster of near-identical answers stands on two sides."""

    train: tuple[Pair, ...]
    held_out: tuple[Pair, ...]


def read_jsonl(path: Path) -> list[dict[str, object]]:
    """Read a JSON Lines file of objects.

    Raises:
        InputError: the file is missing, or a line is not a JSON object.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a JSON Lines file; name the folder that holds it with --data")
    rows: list[dict[str, object]] = []
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise InputError(f"{path}:{number}: not JSON ({error.msg}); expected one object a line") from error
            if not isinstance(row, dict):
                raise InputError(f"{path}:{number}: a {type(row).__name__}; expected one JSON object a line")
            rows.append(row)
    return rows


def canonical_slots(text: str) -> str:
    """Spell every ``{{slot}}`` in one way; the name of a button or page becomes plain text."""

    def replace(match: re.Match[str]) -> str:
        name = re.sub(r"\s*anonymized$", "", match.group(1).strip(), flags=re.IGNORECASE)
        if name in CUSTOMER_SLOTS or name in SHOP_SLOTS:
            return "{{" + name + "}}"
        low = name.lower()
        for pattern, slot in _SLOT_RULES:
            if re.search(pattern, low):
                return "{{" + slot + "}}"
        if low in _PLAIN:
            return _PLAIN[low]
        return "{{" + name + "}}" if _UNKNOWABLE.search(name) else name

    return SLOT.sub(replace, text)


def clean_pair(instruction: str, response: str, intent: str) -> Pair | None:
    """Bring one raw pair into canonical form, or None if its answer names a number or a slot that nobody could fill."""
    return clean(Pair(instruction, response, intent))


def clean(pair: Pair) -> Pair | None:
    """The pair with slots for numbers in all its turns, or None if nobody could fill what its answer names.

    A rejected answer may name anything: what the assistant must not say is what it is there for.
    """
    slot = number_slot(pair.intent)
    given: dict[str, set[str]] = defaultdict(set)
    known: set[str] = set()

    def heard(text: str) -> str:
        asked, values = delexicalise(canonical_slots(text).strip(), slot)
        known.update(slots_in(asked))
        for name, value in values.items():
            given[name].add(value)
        return asked

    history = tuple(Message(turn.role, heard(turn.content)) for turn in pair.history)
    question = heard(pair.question)
    answer, named = _said(pair.answer, slot)
    rejected, _ = _said(pair.rejected, slot)
    unfillable = slots_in(answer) - SHOP_SLOTS - known
    invented = any(value not in given[name] for name, value in named.items())
    if unfillable or invented or not question or not answer:
        return None
    return Pair(question, answer, pair.intent, history, rejected)


def _said(text: str, slot: str) -> tuple[str, Mapping[str, str]]:
    return delexicalise(re.sub(r"\n{2,}", "\n", canonical_slots(text).strip()), slot)


def read_pairs(data: Path) -> list[Pair]:
    """Read and clean the support pairs under ``data/support``.

    Raises:
        InputError: a file is missing or malformed.
    """
    pairs = []
    for name in PAIR_FILES:
        for row in read_jsonl(data / "support" / name):
            pair = clean_pair(str(row["instruction"]), str(row["response"]), str(row["intent"]))
            if pair is not None:
                pairs.append(pair)
    return pairs


def read_rephrasings(data: Path, without: Sequence[Pair] = ()) -> dict[str, list[str]]:
    """By intent, ways to ask for it; none that one of the pairs ``without`` asks in.

    Raises:
        InputError: the file is missing or malformed.
    """
    taken = {_same(pair.question) for pair in without}
    found: dict[str, list[str]] = defaultdict(list)
    for row in read_jsonl(data / "support" / INSTRUCTION_FILE):
        intent = str(row["intent"])
        question, _ = delexicalise(canonical_slots(str(row["instruction"])).strip(), number_slot(intent))
        if _same(question) not in taken:
            found[intent].append(question)
    return dict(found)


def number_slot(intent: str) -> str:
    """What a long number in a question of this intent is."""
    return "Invoice Number" if "invoice" in intent else "Order Number"


def _same(question: str) -> str:
    """Two questions with the same result are the same question."""
    return re.sub(r"\W+", " ", question.lower()).strip()


def template_clusters(pairs: Sequence[Pair]) -> list[int]:
    """Cluster pairs any two of whose answers share a template (``convert.training.templates``) or that ask the same.

    What is learnt counts, and that is the answer. Earlier replies are only read, and a rejected answer is unlearnt:
    a greeting in every conversation or one bad answer to everything would else make one cluster of all.

    Returns:
        One cluster number a pair, in order.
    """
    asked = ["\n".join(_same(text) for text in (*(turn.content for turn in p.history), p.question)) for p in pairs]
    return clusters([SLOT.sub(" ", pair.answer) for pair in pairs], asked)


def apart_from(pairs: Sequence[Pair], others: Sequence[Pair]) -> list[Pair]:
    """Those of the pairs that share neither a template nor a question with any of the others."""
    found = template_clusters([*pairs, *others])
    taken = set(found[len(pairs) :])
    return [pair for pair, cluster in zip(pairs, found, strict=False) if cluster not in taken]


def split_by_template(pairs: Sequence[Pair], held_out_share: float = 0.08, seed: int = 7) -> Split:
    """Split so that no template cluster stands on both sides.

    The side is drawn from a hash of the cluster's first answer in alphabetical order, so it depends neither on the
    order of the pairs nor on the rest of the collection.
    """
    numbers = template_clusters(pairs)
    first: dict[int, str] = {}
    for pair, cluster in zip(pairs, numbers, strict=True):
        first[cluster] = min(first.get(cluster, pair.answer), pair.answer)
    held = {cluster for cluster, answer in first.items() if _draw(answer, seed) < held_out_share}
    return Split(
        train=tuple(pair for pair, cluster in zip(pairs, numbers, strict=True) if cluster not in held),
        held_out=tuple(pair for pair, cluster in zip(pairs, numbers, strict=True) if cluster in held),
    )


def _draw(text: str, seed: int) -> float:
    """A number in [0, 1) that depends on nothing but the text and the seed."""
    digest = hashlib.sha256(f"{seed}:{text}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64
