"""The shapes of row that a user's own CSV or JSONL may have, and how each is read; what fits none is refused.

| shape      | fields                                                             | becomes                          |
|------------|--------------------------------------------------------------------|----------------------------------|
| question   | ``question`` or ``instruction``, ``answer`` or ``response``        | a pair                           |
| context    | ``context``: a text, a list of texts or of messages; ``response``  | a pair; earlier turns are history |
| columns    | ``context_1``, ``context_2`` ... (oldest first), ``response``      | the same                         |
| messages   | ``messages``: a list of ``{"role", "content"}``                    | a pair for each assistant's turn |
| preference | ``prompt``: a text or a list of messages, ``chosen``, ``rejected`` | a pair with a rejected answer    |

Texts of a list alternate and end with the customer's. Every shape may have an ``intent``. A CSV cell may hold a list as
JSON. What a reply is learnt from is always the whole prompt before it, as the box would compute it, and the loss is on
that reply alone.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from convert.chat import Message
from convert.errors import InputError
from convert.training.corpus import Pair, clean, read_jsonl

Fields = Mapping[str, object]

QUESTION_FIELDS = ("question", "instruction")
ANSWER_FIELDS = ("answer", "response")
ROLES = ("system", "user", "assistant")

_COLUMN = re.compile(r"context_([0-9]+)")


@dataclass(frozen=True, slots=True)
class Row:
    """One row and where it stands, for messages."""

    place: str
    fields: Fields

    def refuse(self, field: str, found: str, remedy: str) -> InputError:
        """The error that names file, line, field and remedy."""
        return InputError(f"{self.place}: {field}: {found}; {remedy}")

    def text(self, *names: str) -> str:
        """The first of the fields that holds a text.

        Raises:
            InputError: none does.
        """
        for name in names:
            value = self.fields.get(name)
            if isinstance(value, str) and value.strip():
                return value
        held = ", ".join(str(name) for name in self.fields) or "nothing"
        wanted = " or ".join(names)
        raise self.refuse(wanted, f"no text there (the row has {held})", f"give every row a text in {wanted}")


@dataclass(frozen=True, slots=True)
class Read:
    """What a file holds.

    Attributes:
        pairs: ready to learn from.
        rows: rows of the file.
        left_out: pairs left out because their answers name a number or a slot that nobody could fill.
    """

    pairs: tuple[Pair, ...]
    rows: int
    left_out: int


def read_rows(path: Path) -> Iterator[Row]:
    """Rows of a CSV (with a header) or JSON Lines file.

    Raises:
        InputError: another ending, no such file, or a malformed line.
    """
    if path.suffix not in (".csv", ".jsonl"):
        raise InputError(f"{path}: expected a folder of support data, or a .csv or .jsonl file; convert it to one")
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a {path.suffix} file; check the path")
    return _csv(path) if path.suffix == ".csv" else _jsonl(path)


def read_table(path: Path) -> Read:
    """Read a file of one or several of the shapes above.

    Raises:
        InputError: a row of none of the shapes (names file, line, field and remedy), or no usable row.
    """
    pairs: list[Pair] = []
    count = left_out = 0
    for row in read_rows(path):
        count += 1
        for pair in _pairs(row):
            kept = clean(pair)
            if kept is None:
                left_out += 1
            else:
                pairs.append(kept)
    if not pairs:
        raise InputError(f"{path}: no usable row of {count}; expected answers whose placeholders the question has too")
    return Read(tuple(pairs), count, left_out)


def _csv(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        start = 2
        for fields in reader:
            place = f"{path}:{start}"
            start = reader.line_num + 1
            if None in fields:
                raise InputError(f"{place}: more cells than the header has; quote cells that hold commas")
            yield Row(place, {name: value for name, value in fields.items() if value})


def _jsonl(path: Path) -> Iterator[Row]:
    return (Row(f"{path}:{number}", fields) for number, fields in enumerate(read_jsonl(path), start=1))


def _pairs(row: Row) -> list[Pair]:
    shape = next((make for marks, make in _SHAPES if any(mark in row.fields for mark in marks)), _from_question)
    return shape(row)


def _from_question(row: Row) -> list[Pair]:
    return [Pair(row.text(*QUESTION_FIELDS), row.text(*ANSWER_FIELDS), _intent(row))]


def _from_context(row: Row) -> list[Pair]:
    return [_after(row, _turns(row, "context"), row.text(*reversed(ANSWER_FIELDS)))]


def _from_columns(row: Row) -> list[Pair]:
    numbered = sorted((int(m[1]), name) for name in row.fields if (m := _COLUMN.fullmatch(name)))
    texts = [str(row.fields[name]) for _, name in numbered if str(row.fields[name] or "").strip()]
    if not texts:
        raise row.refuse("context_1", "no text in any of the columns", "give every row the customer's last turn")
    return [_after(row, _alternating(texts), row.text(*reversed(ANSWER_FIELDS)))]


def _from_messages(row: Row) -> list[Pair]:
    turns = _turns(row, "messages")
    replies = [index for index, turn in enumerate(turns) if turn.role == "assistant" and index]
    if not replies:
        raise row.refuse("messages", "no reply of the assistant after a turn of the user", "add one, or drop the row")
    return [_after(row, turns[:index], turns[index].content, "messages") for index in replies]


def _from_preference(row: Row) -> list[Pair]:
    prompt, chosen, rejected = _turns(row, "prompt"), row.text("chosen"), row.text("rejected")
    if chosen.strip() == rejected.strip():
        raise row.refuse("rejected", "the same text as chosen", "give a worse answer there, or drop the row")
    return [_after(row, prompt, chosen, "prompt", rejected)]


#: Fields that tell a shape, and its reader; the first that matches.
_SHAPES: tuple[tuple[tuple[str, ...], Callable[[Row], list[Pair]]], ...] = (
    (("chosen", "rejected"), _from_preference),
    (("messages",), _from_messages),
    (("context",), _from_context),
    (("context_1",), _from_columns),
)


def history_of(row: Row) -> tuple[Message, ...]:
    """The turns in ``history``, a list of messages; none if the row has no such field.

    Raises:
        InputError: it holds something else.
    """
    return tuple(_turns(row, "history")) if row.fields.get("history") else ()


def _after(row: Row, prompt: list[Message], answer: str, field: str = "context", rejected: str = "") -> Pair:
    if prompt[-1].role != "user":
        raise row.refuse(field, f"a reply follows a turn of the {prompt[-1].role}", "let it follow the user's turn")
    return Pair(prompt[-1].content, answer, _intent(row), tuple(prompt[:-1]), rejected)


def _intent(row: Row) -> str:
    return str(row.fields.get("intent") or "")


def _alternating(texts: list[str]) -> list[Message]:
    """The last text is the customer's."""
    last = len(texts) - 1
    return [Message("assistant" if (last - at) % 2 else "user", text) for at, text in enumerate(texts)]


def _turns(row: Row, field: str) -> list[Message]:
    """Turns of a text, a list of texts or a list of messages."""
    value = row.fields.get(field)
    if isinstance(value, str) and value.lstrip().startswith("["):  # a list in a CSV's cell
        try:
            value = json.loads(value)
        except json.JSONDecodeError as error:
            raise row.refuse(field, f"not JSON ({error.msg})", "write a JSON list or a plain text") from error
    if isinstance(value, str) and value.strip():
        return [Message("user", value)]
    if not isinstance(value, list) or not value:
        raise row.refuse(field, f"{type(value).__name__} {value!r:.60}", "write a text or a list that is not empty")
    if all(isinstance(turn, str) and turn.strip() for turn in value):
        return _alternating(value)
    return [_message(row, field, number, turn) for number, turn in enumerate(value)]


def _message(row: Row, field: str, number: int, turn: object) -> Message:
    if not isinstance(turn, dict):
        raise row.refuse(f"{field}[{number}]", f"{turn!r:.60}", 'write {"role", "content"} or a text that is not blank')
    role, content = turn.get("role"), turn.get("content")
    if role not in ROLES or (role == "system" and number):
        raise row.refuse(
            f"{field}[{number}].role", repr(role), "write user or assistant; system in the first turn alone"
        )
    if not isinstance(content, str) or not content.strip():
        raise row.refuse(f"{field}[{number}].content", repr(content), "write a text that is not blank")
    return Message(str(role), content)
