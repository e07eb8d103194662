"""Texts from the templates in ``injection_*.toml``: attacks in many wordings, harmless texts of the same words."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from convert.errors import InputError

TEMPLATE_FILES = (
    "injection_attacks.toml",
    "injection_attacks_zh.toml",
    "injection_attacks_more.toml",
    "injection_harmless.toml",
    "injection_harmless_zh.toml",
    "injection_customers.toml",
)

_CHOICE = re.compile(r"\{([^{}]*)\}")
#: What stands for a brace in a template, because a brace is a choice there.
_BRACES = (("⦃", "{"), ("⦄", "}"))

#: How often a text that is there already is made anew.
_TRIES = 4


@dataclass(frozen=True, slots=True)
class Made:
    """A text made of a template.

    Attributes:
        text: what somebody might write.
        attack: whether it is one.
        block: its block's name, as ``attack.override``.
        template: the line that it was made of; the split keeps its texts together.
    """

    text: str
    attack: bool
    block: str
    template: str


def made_texts(seed: int) -> list[Made]:
    """All different texts of all template files, in a fixed order for a seed.

    Raises:
        InputError: a file is malformed; names the file and the block.
    """
    rng = random.Random(seed)
    texts: dict[str, Made] = {}
    for name in TEMPLATE_FILES:
        path = Path(__file__).with_name(name)
        parsed = tomllib.loads(path.read_text(encoding="utf-8"))
        slots = {slot: _lines(value, keep_empty=slot == "hinge") for slot, value in parsed.get("slots", {}).items()}
        for label in ("attack", "harmless"):
            for block, entry in parsed.get(label, {}).items():
                lines, wanted = _lines(entry["text"]), int(entry["count"])
                for number in range(wanted):
                    template = lines[number % len(lines)]
                    for _ in range(_TRIES):
                        text = expanded(template, slots, rng, f"{name}: {block}")
                        if text not in texts:
                            texts[text] = Made(text, label == "attack", f"{label}.{block}", template)
                            break
    return list(texts.values())


def expanded(template: str, slots: Mapping[str, list[str]], rng: random.Random, where: str) -> str:
    """The template with every choice made, innermost first.

    Raises:
        InputError: a name in braces is no slot; ``where`` is named.
    """
    text = template
    for turn in count():
        match = _CHOICE.search(text)
        if match is None:
            break
        inner = match.group(1)
        if inner in slots:
            chosen = rng.choice(slots[inner])
        elif "|" in inner:
            chosen = rng.choice(inner.split("|"))
        else:
            raise InputError(f"{where}: {{{inner}}} is no slot; expected one of {', '.join(sorted(slots))}")
        if turn > 200:
            raise InputError(f"{where}: a slot holds itself; expected an end")
        text = text[: match.start()] + chosen + text[match.end() :]
    for stand_in, brace in _BRACES:
        text = text.replace(stand_in, brace)
    text = re.sub(r" +", " ", text).replace(" ,", ",").replace(" .", ".")
    return re.sub(r"([.!?。！？])\1+(?!\.)", r"\1", text).strip()


def typed(text: str, rng: random.Random) -> str:
    """The text as a hurried person may type it: other capitals, missing end marks, a typing error."""
    dice = rng.random()
    if dice < 0.25:
        text = text.lower()
    elif dice < 0.31:
        text = text.upper()
    if rng.random() < 0.2:
        text = text.rstrip(".!?。！？")
    if rng.random() < 0.12 and len(text) > 12:
        place = rng.randrange(1, len(text) - 2)
        text = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    return text


def _lines(block: str, keep_empty: bool = False) -> list[str]:
    lines = block.strip("\n").split("\n") if keep_empty else [line for line in block.split("\n") if line.strip()]
    return [line if keep_empty else line.strip() for line in lines]
