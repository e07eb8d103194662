"""Two thousand lines of what tokenizers are known to disagree about, the same ones every time."""

from __future__ import annotations

import json
import random
import unicodedata
from collections.abc import Sequence

from convert.fidelity.texts import PROBES
from tests.convert.tiny import PAIRS

COUNT = 2000

_PIECES = (
    *("refund", "Where's my order", "I'LL", "don't", "We've", "order 1234567", "3.14159", "\u00a325.99", "#A-7781/2"),
    *("caf\u00e9", "na\u00efve", "\u00bfd\u00f3nde est\u00e1?", "\u00fcber", "\u0141\u00f3d\u017a", "Stra\u00dfe"),
    *("\u6211\u60f3\u53d6\u6d88\u8ba2\u5355", "\uff0c", "\u9000\u6b3e\uff1f", "\u3002", "\u5f00\u53d1\u7968\u3002"),
    *("\U0001f642", "\U0001f469\u200d\U0001f4bb", "\U0001f1e9\U0001f1ea", "\u2705", "\U0001f44d\U0001f3fd"),
    *(" ", "  ", "   ", "\n", "\n\n", "\r\n", "\t", " \n ", "\u00a0", "\u3000", "\u200b", "...", "!!!", "``", "=>"),
    *("{{Order Number}}", "https://example.com/?id=42&a=b", "snake_case", "camelCase", "\u0627\u0644", "\u0e2a\u0e27"),
    *("</s>", "<s>", "<unk>", "<|user|>", "<0x0A>", "\u2581", "<|none|>", "<|im_start", "|>"),
)


def lines(tokens: Sequence[str], count: int = COUNT, *, composed: bool = True) -> list[str]:
    """Lines with accents, emoji, Chinese, leading spaces, control and added tokens.

    Args:
        tokens: control and added tokens of the vocabulary, to be strewn in.
        count: how many lines.
        composed: whether letters and accents are brought together (NFC); else every other line takes them apart.
    """
    rng = random.Random(3)
    rows = [json.loads(line) for line in PAIRS.read_text(encoding="utf-8").splitlines()]
    found = [*PROBES, *(text for row in rows for text in row.values())][: count // 2]
    pieces = [*_PIECES, *(list(tokens) * 3)]
    while len(found) < count:
        parts = [rng.choice(pieces) for _ in range(rng.randint(1, 9))]
        text = rng.choice(("", " ", "  ", "\n")) + rng.choice(("", " ")).join(parts)
        found.append(text if rng.random() < 0.9 else text + rng.choice(rows)["instruction"])
    forms = ("NFC", "NFC" if composed else "NFD")
    return [unicodedata.normalize(forms[number % 2], text) for number, text in enumerate(found)]
