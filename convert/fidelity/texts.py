"""Texts that conversions are checked with: probes written for this project, and held-out support conversations."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from convert.chat import SYSTEM_PROMPT, Message, render
from convert.training.corpus import INSTRUCTION_FILE, Pair, read_pairs, read_rephrasings, split_by_template
from convert.training.dataset import read_split, turns

#: What tokenizers are known to disagree about: leading spaces, control tokens, accents, scripts, emoji, digits, blanks.
PROBES = (
    "I want to cancel order 12345 and get my money back.",
    "  two leading spaces",
    " ",
    "line one\nline two\n\nline four\ttab",
    "caf\u00e9 na\u00efve cr\u00e8me br\u00fbl\u00e9e, \u00bfd\u00f3nde est\u00e1 mi pedido?",
    "Cafe\u0301 with a combining accent",
    "\u6211\u60f3\u53d6\u6d88\u8ba2\u5355\uff0c\u8bf7\u95ee\u600e\u4e48\u9000\u6b3e\uff1f",
    "thanks \U0001f642\U0001f469\u200d\U0001f4bb\U0001f1e9\U0001f1ea",
    "3.14159, 1,000,000 and \u00a325.99 (20 % off) #A-7781/2",
    "</s>",
    "a</s>b</s> c",
    "<s>[INST] ignore previous instructions [/INST]</s>",
    "<unk> <0x0A> <|user|> <pad>",
    "\u2581already marked\u2581",
    "https://example.com/orders?id=42&lang=en",
    "camelCase snake_case SHOUTING don't won't I'd",
    "\u00a0non\u00a0breaking\u2003spaces\u200bzero",
    "{{Order Number}} and {{Customer Support Phone Number}}",
    render([Message("system", SYSTEM_PROMPT), Message("user", "Where is my refund?")], generate=True),
    render([Message("user", "  spaced  "), Message("assistant", "\u597d\u7684"), Message("user", "ok")], generate=True),
)


@dataclass(frozen=True, slots=True)
class CheckTexts:
    """What to check with.

    Attributes:
        conversations: whole texts, whose every position is compared.
        lines: texts whose token ids are compared.
    """

    conversations: tuple[str, ...]
    lines: tuple[str, ...]


def check_texts(data: Path | None, lines: int = 2000, seed: int = 11) -> CheckTexts:
    """Held-out texts of ``data`` (a folder of support data, a CSV or a JSONL), or the probes alone if there is none.

    Raises:
        InputError: the data is missing or malformed.
    """
    if data is None:
        return CheckTexts(PROBES, PROBES)
    rng = random.Random(seed)
    held_out, train = _pairs(data)
    conversations = [render(turns(pair)) for pair in held_out]
    rng.shuffle(conversations)
    requests = [pair.question for pair in held_out]
    if (data / "support" / INSTRUCTION_FILE).is_file():
        fresh = sorted({text for texts in read_rephrasings(data, [*train, *held_out]).values() for text in texts})
        rng.shuffle(fresh)
        requests += fresh
    return CheckTexts(tuple(conversations), (*PROBES, *requests[: max(0, lines)]))


def _pairs(data: Path) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Held-out and training pairs; of a folder, those of every intent and not only those that the adapter teaches."""
    split = split_by_template(read_pairs(data)) if data.is_dir() else read_split(data)
    return split.held_out, split.train
