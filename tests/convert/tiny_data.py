"""A few hundred lines in the layout of the public training sets, written for the tests."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

THINGS = ("order", "refund", "invoice", "parcel", "password", "newsletter", "account", "address", "chair", "lamp")
REQUESTS = {
    "cancel_order": ("I want to cancel the {} please", "can you cancel my {} now", "stop the {} that I bought"),
    "get_refund": ("I want my money back for the {}", "please refund the {}", "give me a refund for this {}"),
    "track_order": ("where is my {}", "has the {} been shipped yet", "when does the {} arrive"),
}
SWEARING = ("cancel my damn {}", "where is my fucking {}")
NICE = ("the garden looks lovely near the {}", "my brother likes his new {}", "we talked about the {} all day")
NASTY = ("you stupid idiot with your {}", "shut up you moron, nobody wants the {}", "fuck you and your {}")


def write_data(folder: Path) -> Path:
    """Write ``support/`` and ``toxicity/`` under a folder."""
    requests = [
        {
            "instruction": form.format(thing),
            "intent": intent,
            "category": "X",
            "response": f"About your {thing}: of course.",
        }
        for intent, forms in REQUESTS.items()
        for form in (*forms, *SWEARING)
        for thing in THINGS
    ]
    nice, nasty = ([form.format(thing) for form in forms for thing in THINGS] for forms in (NICE, NASTY))
    _write(folder / "support" / "bitext_v11_instructions.jsonl", requests)
    _write(folder / "support" / "bitext_v1_pairs.jsonl", requests[:60])
    _write(folder / "support" / "bitext_v11_pairs.jsonl", requests[60:])
    _write(folder / "support" / "out_of_scope.jsonl", ({"text": f"what is a {thing} made of"} for thing in THINGS))
    toxic = [{"text": text, "hate_votes": 1, "offensive_votes": 2, "neither_votes": 0} for text in nasty]
    calm = [{"text": text, "hate_votes": 0, "offensive_votes": 0, "neither_votes": 3} for text in nice]
    _write(folder / "toxicity" / "davidson.jsonl", toxic + calm)
    _write(
        folder / "toxicity" / "paradetox.jsonl",
        ({"toxic": a.upper(), "neutral": f"well, {b}"} for a, b in zip(nasty, nice, strict=True)),
    )
    zh = [{"text": f"你真是个坏人{n}", "label": 1, "topic": "x"} for n in range(20)]
    zh += [{"text": f"今天天气很好{n}", "label": 0, "topic": "x"} for n in range(20)]
    _write(folder / "toxicity" / "cold_zh_train.jsonl", zh)
    return folder


def _write(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
