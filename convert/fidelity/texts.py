"""Texts to check conversions with and to calibrate them on: probes, support conversations, general text; no overlap."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from convert.chat import SYSTEM_PROMPT, Message, render
from convert.errors import InputError
from convert.training.corpus import (
    INSTRUCTION_FILE,
    Pair,
    read_jsonl,
    read_pairs,
    read_rephrasings,
    split_by_template,
)
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


#: Short texts of many kinds (prose, recipes, code, minutes, six languages), written for this project.
GENERAL = Path(__file__).with_name("general.jsonl")

#: Support texts that are read for each general one while calibrating: what the model is for counts for more.
SUPPORT_TURNS = 3


@dataclass(frozen=True, slots=True)
class CheckTexts:
    """What to check with.

    Attributes:
        conversations: whole texts, whose every position is compared.
        lines: texts whose token ids are compared.
        general: whole texts that have nothing to do with customer service.
    """

    conversations: tuple[str, ...]
    lines: tuple[str, ...]
    general: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CalibrationTexts:
    """What to calibrate on; none of it is checked with.

    Attributes:
        support: whole conversations.
        general: whole texts.
        sources: what they come from, in words.
    """

    support: tuple[str, ...]
    general: tuple[str, ...]
    sources: tuple[str, ...]

    def mixed(self) -> Iterator[str]:
        """SUPPORT_TURNS support texts, a general one, and so on until both are at their end."""
        general = iter(self.general)
        for number, text in enumerate(self.support, start=1):
            yield text
            if number % SUPPORT_TURNS == 0 and (other := next(general, None)) is not None:
                yield other
        yield from general


def check_texts(data: Path | None, lines: int = 2000, seed: int = 11, general: Path | None = None) -> CheckTexts:
    """Held-out texts of ``data`` (a folder of support data, a CSV or a JSONL), or the probes alone if there is none.

    Args:
        data: support data.
        lines: how many requests' token ids to compare, besides the probes.
        seed: of the order.
        general: general texts (see ``read_general``) to take every second of, from the second; GENERAL if not given.

    Raises:
        InputError: the data is missing or malformed.
    """
    others = read_general(general)[1::2]
    if data is None:
        return CheckTexts(PROBES, PROBES, others)
    rng = random.Random(seed)
    held_out, train = _pairs(data)
    conversations = [render(turns(pair)) for pair in held_out]
    rng.shuffle(conversations)
    requests = [pair.question for pair in held_out]
    if (data / "support" / INSTRUCTION_FILE).is_file():
        fresh = sorted({text for texts in read_rephrasings(data, [*train, *held_out]).values() for text in texts})
        rng.shuffle(fresh)
        requests += fresh
    return CheckTexts(tuple(conversations), (*PROBES, *requests[: max(0, lines)]), others)


def calibration_texts(data: Path, seed: int = 11, general: Path | None = None) -> CalibrationTexts:
    """The training side of ``data`` and the other half of the general texts, in random order.

    Raises:
        InputError: the data is missing or malformed.
    """
    _, train = _pairs(data)
    support = sorted({render(turns(pair)) for pair in train})
    random.Random(seed).shuffle(support)
    named = "general text of this project" if general is None else general.name
    return CalibrationTexts(tuple(support), read_general(general)[::2], (f"support: {data.name}", f"general: {named}"))


def read_general(path: Path | None = None) -> tuple[str, ...]:
    """General texts: a JSONL with a ``text`` a line, or a plain text with empty lines between; GENERAL if not given.

    Raises:
        InputError: the file is missing or malformed, or holds fewer than two texts: one to calibrate, one to check.
    """
    path = path or GENERAL
    if path.suffix == ".jsonl":
        texts = tuple(row["text"] for row in read_jsonl(path) if isinstance(row.get("text"), str))
    elif path.is_file():
        blocks = path.read_text(encoding="utf-8").replace("\r\n", "\n").split("\n\n")
        texts = tuple(block.strip() for block in blocks if block.strip())
    else:
        raise InputError(f"{path}: no such file; expected general text, a .jsonl with the field text or plain text")
    if len(texts) < 2:
        raise InputError(f"{path}: {len(texts)} texts; expected two or more, apart by empty lines or as JSON lines")
    return tuple(str(text) for text in texts)


def _pairs(data: Path) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
    """Held-out and training pairs; of a folder, those of every intent and not only those that the adapter teaches."""
    split = split_by_template(read_pairs(data)) if data.is_dir() else read_split(data)
    return split.held_out, split.train
