"""Question/answer pairs to fine-tune on and to measure with: the support data, or a user's own CSV or JSONL."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from convert.chat import SYSTEM_PROMPT, Encode, Message, example_ids
from convert.errors import InputError
from convert.training.corpus import ADAPTER_INTENTS, Pair, Split, clean_pair, read_jsonl, read_pairs, split_by_template

QUESTION_FIELDS = ("question", "instruction")
ANSWER_FIELDS = ("answer", "response")

#: Shares of a file's templates to hold out, tried in turn.
HELD_OUT_SHARES = (0.08, 0.16, 0.32, 0.5)


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids of one conversation and the labels of its loss (-100 where there is none), both of length T."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]


def read_split(source: Path) -> Split:
    """Pairs of a folder (only what the adapter teaches) or of a CSV or JSONL file.

    Both sides are apart by template; the same source always gives the same split.

    Raises:
        InputError: the source is missing, malformed, of another kind or too small to split.
    """
    if source.is_dir():
        split = split_by_template(read_pairs(source))
        split = Split(_taught(split.train), _taught(split.held_out))
    else:
        split = _split_file(read_file(source))
    if not split.train or not split.held_out:
        raise InputError(
            f"{source}: {len(split.train)} pairs to train on and {len(split.held_out)} held out; expected both; "
            "add pairs whose answers differ"
        )
    return split


def read_file(path: Path) -> list[Pair]:
    """Pairs of a CSV (with a header) or JSONL file with a question and an answer per row.

    Raises:
        InputError: another ending, a missing field, or no usable row.
    """
    if path.suffix not in (".csv", ".jsonl"):
        raise InputError(f"{path}: expected a folder of support data, or a .csv or .jsonl file")
    rows: Iterable[Mapping[str, object]] = read_jsonl(path) if path.suffix == ".jsonl" else _read_csv(path)
    pairs = []
    for number, row in enumerate(rows, start=1):
        question, answer = (_field(row, names, path, number) for names in (QUESTION_FIELDS, ANSWER_FIELDS))
        pair = clean_pair(question, answer, str(row.get("intent") or ""))
        if pair is not None:
            pairs.append(pair)
    if not pairs:
        raise InputError(f"{path}: no usable row; expected answers whose placeholders stand in the question too")
    return pairs


def _split_file(pairs: Sequence[Pair]) -> Split:
    """Hold out the smallest of a few shares that leaves both sides something: small files have few templates."""
    splits = [split_by_template(pairs, share) for share in HELD_OUT_SHARES]
    return next((split for split in splits if split.train and split.held_out), splits[0])


def _taught(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    return tuple(pair for pair in pairs if pair.intent in ADAPTER_INTENTS)


def _read_csv(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a CSV file with a header")
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def _field(row: Mapping[str, object], names: tuple[str, ...], path: Path, number: int) -> str:
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value.strip():
            return value
    raise InputError(
        f"{path}: row {number} has no {' or '.join(names)}; it has {', '.join(map(str, row)) or 'nothing'}"
    )


def sample(pairs: Sequence[Pair], limit: int | None, seed: int) -> list[Pair]:
    """``limit`` pairs in random order (None: all of them); the same seed gives the same ones."""
    return random.Random(seed).sample(list(pairs), min(len(pairs), len(pairs) if limit is None else limit))


def turns(pair: Pair, system_prompt: str = SYSTEM_PROMPT) -> list[Message]:
    """The conversation that teaches a pair."""
    start = [Message("system", system_prompt)] if system_prompt else []
    return [*start, Message("user", pair.question), Message("assistant", pair.answer)]


def examples(
    pairs: Iterable[Pair], encode: Encode, bos: int, max_tokens: int, system_prompt: str = SYSTEM_PROMPT
) -> list[Example]:
    """Pairs as token rows with assistant-only loss; rows longer than ``max_tokens`` are cut at their end."""
    rows = (example_ids(turns(pair, system_prompt), encode, bos) for pair in pairs)
    return [Example(tuple(ids[:max_tokens]), tuple(labels[:max_tokens])) for ids, labels in rows]
