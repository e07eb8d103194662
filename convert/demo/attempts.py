"""The texts of ``injection_data`` as the toxicity guard's training takes them, for its label ``injection``."""

from __future__ import annotations

from collections.abc import Sequence

from convert.demo.guard_data import Attempts
from convert.demo.injection_data import Text
from convert.demo.toxicity import share_of

#: Sources that the encoder never sees: what it says of them is said of a stranger's texts.
STRANGERS = frozenset({"piguard-validation", "piguard-valid", "giskard", "bipia-mails"})
#: Plain texts, of which the guard's own sources have plenty; this share of them is taken, in per cent.
_PLAIN = frozenset({"bitext", "clinc", "cold", "paradetox", "answers"})
_PLAIN_SHARE = 30
#: Per cent of the groups that go to either side that is kept from training.
_SIDE_SHARE = 8


def attempts_of(texts: Sequence[Text]) -> Attempts:
    """Split by groups; texts that were mixed from others are left out, since their parts may be on any side."""
    sides: dict[str, list[tuple[str, bool]]] = {"train": [], "calibrate": [], "test": []}
    for text in texts:
        if text.parts or text.source in STRANGERS or not _wanted(text):
            continue
        share = share_of(text.group)
        side = "calibrate" if share < _SIDE_SHARE else "test" if share < 2 * _SIDE_SHARE else "train"
        sides[side].append((text.text, text.attack))
    return Attempts(tuple(sides["train"]), tuple(sides["calibrate"]), tuple(sides["test"]))


def _wanted(text: Text) -> bool:
    return text.source not in _PLAIN or share_of(f"plain {text.text}") < _PLAIN_SHARE
