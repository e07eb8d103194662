"""What one training learns from and is measured with: data, feedback and a replayed share of the data, put together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from convert.errors import InputError
from convert.training.corpus import Pair, apart_from
from convert.training.dataset import Source, read_source
from convert.training.feedback import Feedback, read_feedback, with_replay
from models.bundle import sha256_of


@dataclass(frozen=True, slots=True)
class Material:
    """Everything that a training needs to know about its data.

    Attributes:
        train: pairs to learn.
        held_out: pairs to measure with; none shares a template or a question with ``train``. May be empty.
        judging: what the judge of intents learns from.
        origin: where the pairs come from, for the adapter's record.
    """

    train: tuple[Pair, ...]
    held_out: tuple[Pair, ...]
    judging: tuple[Pair, ...]
    origin: dict[str, object]


def gather(data: Path | None, feedback: Path | None, replay: float, method: str, seed: int) -> Material:
    """Read data, feedback or both.

    With feedback, the data is only replayed, by its share; without, it is what is learnt.

    Args:
        data: folder, CSV or JSONL.
        feedback: exported feedback.
        replay: share of old rows in an increment, 0 up to, without, 1.
        method: ``sft`` or ``dpo``; for DPO only pairs with a rejected answer are taken.
        seed: of the draw of old rows.

    Raises:
        InputError: neither is given, one is malformed, or nothing fits the method.
    """
    if data is None and feedback is None:
        raise InputError("neither data nor feedback; expected --data, --feedback or both")
    source = read_source(data) if data is not None else None
    old = _fitting(source.split.train, method) if source is not None else ()
    origin: dict[str, object] = {}
    if source is not None and data is not None:
        origin["data"] = {"name": data.name, "sha256": _sha256(data), "left_out": source.left_out}
    if feedback is None:
        train = old
    else:
        given = read_feedback(feedback)
        new = _fitting(given.pairs, method)
        train = tuple(with_replay(new, old, replay, seed)) if new else ()
        origin["feedback"] = _told(feedback, given, len(new), len(train) - len(new))
    if not train:
        raise InputError(
            f"{feedback or data}: nothing that method {method} can learn; "
            "DPO needs rows with chosen and rejected, or feedback with corrections"
        )
    held_out = source.split.held_out if source is not None else ()
    if feedback is not None:  # what customers said may be what was held out
        held_out = tuple(apart_from(held_out, train))
    return Material(train, held_out, _judging(source), origin)


def _fitting(pairs: tuple[Pair, ...], method: str) -> tuple[Pair, ...]:
    return tuple(pair for pair in pairs if pair.rejected) if method == "dpo" else pairs


def _judging(source: Source | None) -> tuple[Pair, ...]:
    return source.judging if source is not None else ()


def _told(path: Path, given: Feedback, new: int, replayed: int) -> dict[str, object]:
    counts = {"entries": given.entries, "unused": given.unused, "learnt": new, "replayed": replayed}
    return {"name": path.name, "sha256": given.sha256, **counts}


def _sha256(data: Path) -> object:
    """Of a file; of a folder, by name of the files that were read."""
    if data.is_file():
        return sha256_of(data)
    return {path.name: sha256_of(path) for path in sorted((data / "support").glob("*_pairs.jsonl"))}
