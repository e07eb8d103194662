"""What is learnt and what is held out of a source, and pairs as token rows whose loss is on the reply alone."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from convert.chat import SYSTEM_PROMPT, Encode, Message, example_ids
from convert.errors import InputError
from convert.training.corpus import ADAPTER_INTENTS, Pair, Split, read_pairs, split_by_template
from convert.training.rows import read_table

#: Shares of a file's templates to hold out, tried in turn.
HELD_OUT_SHARES = (0.08, 0.16, 0.32, 0.5)


@dataclass(frozen=True, slots=True)
class Example:
    """Token ids of one conversation and the labels of its loss (-100 where there is none), both of length T."""

    ids: tuple[int, ...]
    labels: tuple[int, ...]

    def __len__(self) -> int:
        """T."""
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Preference:
    """Token ids of a prompt and of two replies to it, each with its end token."""

    prompt: tuple[int, ...]
    chosen: tuple[int, ...]
    rejected: tuple[int, ...]

    def __len__(self) -> int:
        """Of the longer conversation."""
        return len(self.prompt) + max(len(self.chosen), len(self.rejected))


@dataclass(frozen=True, slots=True)
class Source:
    """A source of pairs, read.

    Attributes:
        split: what to learn and what to measure with.
        judging: training pairs of every intent, to judge answers with (``convert.training.judge``).
        left_out: pairs left out because nobody could fill what their answers name; of a folder they are not counted.
    """

    split: Split
    judging: tuple[Pair, ...]
    left_out: int = 0


def read_source(source: Path) -> Source:
    """Pairs of a folder (only what the adapter teaches) or of a CSV or JSONL file (``convert.training.rows``).

    Both sides are apart by template; the same source always gives the same split.

    Raises:
        InputError: the source is missing, malformed, of another kind or too small to split.
    """
    if source.is_dir():
        whole = split_by_template(read_pairs(source))
        found = Source(Split(_taught(whole.train), _taught(whole.held_out)), whole.train)
    else:
        read = read_table(source)
        split = _split_file(read.pairs)
        found = Source(split, split.train, read.left_out)
    if not found.split.train or not found.split.held_out:
        raise InputError(
            f"{source}: {len(found.split.train)} pairs to train on and {len(found.split.held_out)} held out; "
            "expected both; add pairs whose answers differ"
        )
    return found


def read_split(source: Path) -> Split:
    """The split of ``read_source``.

    Raises:
        InputError: as there.
    """
    return read_source(source).split


def read_file(path: Path) -> list[Pair]:
    """All pairs of a CSV or JSONL file.

    Raises:
        InputError: it is missing or malformed, or has no usable row.
    """
    return list(read_table(path).pairs)


def _split_file(pairs: Sequence[Pair]) -> Split:
    """Hold out the smallest of a few shares that leaves both sides something: small files have few templates."""
    splits = (split_by_template(pairs, share) for share in HELD_OUT_SHARES)
    first = next(splits)
    return first if first.train and first.held_out else next((s for s in splits if s.train and s.held_out), first)


def _taught(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    return tuple(pair for pair in pairs if pair.intent in ADAPTER_INTENTS)


def sample(pairs: Sequence[Pair], limit: int | None, seed: int) -> list[Pair]:
    """``limit`` pairs in random order (None: all of them); the same seed gives the same ones."""
    return random.Random(seed).sample(list(pairs), min(len(pairs), len(pairs) if limit is None else limit))


def turns(pair: Pair, system_prompt: str = SYSTEM_PROMPT) -> list[Message]:
    """The conversation that teaches a pair; a system turn of its own stands for the system prompt."""
    own = bool(pair.history) and pair.history[0].role == "system"
    start = [Message("system", system_prompt)] if system_prompt and not own else []
    return [*start, *pair.history, Message("user", pair.question), Message("assistant", pair.answer)]


def examples(
    pairs: Iterable[Pair], encode: Encode, bos: int, max_tokens: int, system_prompt: str = SYSTEM_PROMPT
) -> list[Example]:
    """Pairs as token rows with the loss on the reply alone.

    A row longer than ``max_tokens`` loses the oldest turns of its history; what is still longer is cut at its end.
    """
    rows = []
    for pair in pairs:
        while True:
            ids, labels = example_ids(turns(pair, system_prompt), encode, bos)
            if len(ids) <= max_tokens or not _spare(pair.history):
                break
            pair = replace(pair, history=_shorter(pair.history))
        rows.append(Example(tuple(ids[:max_tokens]), tuple(labels[:max_tokens])))
    return rows


def preferences(
    pairs: Sequence[Pair], encode: Encode, bos: int, max_tokens: int, system_prompt: str = SYSTEM_PROMPT
) -> list[Preference]:
    """Pairs with a rejected answer as token rows; both replies follow the very same prompt.

    Of a history that is too long for either reply, the oldest turns are left out; then the replies are cut.
    """
    rows = []
    for pair in pairs:
        while True:
            chosen = example_ids(turns(pair, system_prompt), encode, bos)
            rejected = example_ids(turns(replace(pair, answer=pair.rejected), system_prompt), encode, bos)
            if max(len(chosen[0]), len(rejected[0])) <= max_tokens or not _spare(pair.history):
                break
            pair = replace(pair, history=_shorter(pair.history))
        start = chosen[1].count(-100)
        prompt, *replies = chosen[0][:start], chosen[0][start:max_tokens], rejected[0][start:max_tokens]
        rows.append(Preference(tuple(prompt), *(tuple(reply) for reply in replies)))
    return rows


def _spare(history: tuple[Message, ...]) -> bool:
    return any(turn.role != "system" for turn in history)


def _shorter(history: tuple[Message, ...]) -> tuple[Message, ...]:
    """Without its oldest exchange, that is up to the next turn of the user; a system turn stays."""
    system = history[:1] if history[0].role == "system" else ()
    rest = list(history[len(system) + 1 :])
    while rest and rest[0].role != "user":
        rest.pop(0)
    return (*system, *rest)
