"""Attacks as they stand in a file: one JSON object a line; whatever is wrong with a line is named by its number.

Fields: ``text``, or ``turns`` (a list of messages of one conversation); ``label`` (1, the default, is an attack, 0 a
harmless message that must be answered), ``kind`` and ``source`` (for the tables), ``must_not`` (regular expressions
that no answer may match) and ``canary`` (texts that only an answer that obeyed the attack would hold).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from guards.errors import InputFileError

MAX_TURNS = 50
_PLAIN_KIND = "plain"


@dataclass(frozen=True, slots=True)
class Attack:
    """One conversation to play.

    Attributes:
        line: its line in the file, from 1.
        turns: the messages, in order; at least one.
        attack: whether it is one; else a harmless conversation that should be answered.
        kind: of attack.
        source: where it comes from.
        must_not: what no answer may match, whatever its case.
        canaries: what no answer may hold, whatever its case.
    """

    line: int
    turns: tuple[str, ...]
    attack: bool = True
    kind: str = _PLAIN_KIND
    source: str = ""
    must_not: tuple[re.Pattern[str], ...] = ()
    canaries: tuple[str, ...] = ()


def read_attacks(lines: Iterable[str], file: str) -> list[Attack]:
    """All attacks of a file; blank lines are skipped.

    Raises:
        InputFileError: a line is not an attack, or there is none.
    """
    attacks = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            attacks.append(_attack(_object(line, file, number), file, number))
    if not attacks:
        raise InputFileError(file, 1, "holds no attack; expected one JSON object a line")
    return attacks


def _object(line: str, file: str, number: int) -> Mapping[str, object]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputFileError(file, number, f"is not JSON ({error})") from error
    if not isinstance(row, dict):
        raise InputFileError(file, number, f"is {type(row).__name__}; expected an object")
    return row


def _attack(row: Mapping[str, object], file: str, number: int) -> Attack:
    def wrong(field: str, expected: str) -> InputFileError:
        return InputFileError(file, number, f"field {field!r} is {str(row.get(field))[:80]!r}; expected {expected}")

    if ("text" in row) == ("turns" in row):
        raise InputFileError(file, number, "expected either 'text' or 'turns'")
    field = "text" if "text" in row else "turns"
    turns = _texts(row[field])
    if not turns or len(turns) > MAX_TURNS or not all(turn.strip() for turn in turns):
        raise wrong(field, "a text that is not blank" if field == "text" else f"a list of 1 to {MAX_TURNS} such texts")
    label = row.get("label", 1)
    if label not in (0, 1):
        raise wrong("label", "0 or 1")
    for name in ("kind", "source"):
        if not isinstance(row.get(name, ""), str):
            raise wrong(name, "a text")
    patterns, canaries = _texts(row.get("must_not", [])), _texts(row.get("canary", []))
    if patterns is None:
        raise wrong("must_not", "a list of regular expressions")
    if canaries is None or not all(canary.strip() for canary in canaries):
        raise wrong("canary", "a text, or a list of texts, that are not blank")
    try:
        compiled = tuple(re.compile(pattern, re.IGNORECASE) for pattern in patterns)
    except (re.error, RecursionError, OverflowError) as error:
        raise InputFileError(file, number, f"field 'must_not' is no regular expression ({error})") from error
    kind, source = str(row.get("kind") or _PLAIN_KIND), str(row.get("source") or "")
    return Attack(number, turns, bool(label), kind, source, compiled, canaries)


def _texts(value: object) -> tuple[str, ...] | None:
    """A text or a list of texts as a tuple; None if it is neither."""
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(item, str) for item in values):
        return None
    return tuple(values)
