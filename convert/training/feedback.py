"""Exported feedback as rows to learn from, mixed with a share of the old data so that less of it is forgotten.

One JSON object a line: ``question``, ``answer`` (what was said), and ``rating`` (1 to 5, or ``up`` or ``down``) or
``corrected`` (what should have been said) or both; ``history`` (a list of messages) and ``intent`` may be there.

| feedback                        | row of SFT            | row of DPO                       |
|---------------------------------|-----------------------|----------------------------------|
| corrected, another text         | question -> corrected | corrected above answer           |
| rated 4, 5 or up, not corrected | question -> answer    | none                             |
| anything else                   | none                  | none                             |

Replaying a share of earlier examples while learning new ones: Rolnick et al. 2019, "Experience Replay for Continual
Learning", https://arxiv.org/abs/1811.11682.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convert.errors import InputError
from convert.training.corpus import Pair, clean
from convert.training.rows import Row, history_of, read_rows
from models.bundle import sha256_of

#: Ratings that say the answer was good, and those that say it was not.
GOOD = frozenset({"up", "4", "5"})
BAD = frozenset({"down", "1", "2", "3"})


@dataclass(frozen=True, slots=True)
class Feedback:
    """What an export teaches.

    Attributes:
        pairs: rows of SFT; those with a rejected answer are rows of DPO too.
        entries: lines of the export.
        unused: entries that teach nothing: rated badly and not corrected, or an answer that nobody could fill.
        sha256: of the file.
    """

    pairs: tuple[Pair, ...]
    entries: int
    unused: int
    sha256: str

    def preferences(self) -> tuple[Pair, ...]:
        """Rows of DPO."""
        return tuple(pair for pair in self.pairs if pair.rejected)


def read_feedback(path: Path) -> Feedback:
    """Read an export.

    Raises:
        InputError: a malformed line (names file, line, field and remedy), or nothing in it teaches anything.
    """
    found = [_learn(row) for row in read_rows(path)]
    pairs = tuple(pair for pair in found if pair is not None)
    if not pairs:
        raise InputError(
            f"{path}: none of {len(found)} entries is well rated or corrected; correct some answers (field corrected)"
        )
    return Feedback(pairs, len(found), len(found) - len(pairs), sha256_of(path))


def with_replay(new: Sequence[Pair], old: Sequence[Pair], share: float, seed: int) -> list[Pair]:
    """The new rows and as many old ones, drawn by the seed, as make up ``share`` of the whole (or all there are).

    Args:
        new: what to learn.
        old: what was learnt before.
        share: 0 (none) up to, without, 1.
        seed: of the draw.

    Raises:
        InputError: the share is out of range.
    """
    if not 0.0 <= share < 1.0:
        raise InputError(f"--replay {share:g}: expected at least 0 and below 1; 0.5 gives one old row to each new one")
    count = min(len(old), round(len(new) * share / (1.0 - share)))
    return [*new, *random.Random(seed).sample(list(old), count)]


def _learn(row: Row) -> Pair | None:
    question, answer = row.text("question"), row.text("answer")
    rating, corrected = _rating(row), row.fields.get("corrected")
    if corrected is not None and not isinstance(corrected, str):
        raise row.refuse("corrected", repr(corrected), "write the right answer as a text, or leave the field out")
    if not rating and corrected is None:
        raise row.refuse("rating", "neither it nor corrected is there", "give every entry one of them")
    pair = Pair(question, answer, str(row.fields.get("intent") or ""), history_of(row))
    if corrected and corrected.strip() and corrected.strip() != answer.strip():
        return clean(Pair(pair.question, corrected, pair.intent, pair.history, answer))
    return clean(pair) if rating in GOOD else None


def _rating(row: Row) -> str:
    value = row.fields.get("rating")
    if value is None:
        return ""
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip().lower()
    if text not in GOOD | BAD:
        raise row.refuse("rating", repr(value), "write 1 to 5, up or down")
    return text
