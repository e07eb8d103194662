"""Flows: fixed answers for what is always the same and for what must not be left to a model."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

from runtime.errors import StartError

_KEYS = {"name", "intent", "intents", "patterns", "handoff", "en", "zh"}


@dataclass(frozen=True, slots=True)
class Flow:
    """One fixed answer.

    Attributes:
        name: for logs and ``sources``.
        intent: what the customer is taken to want.
        intents: recognised intents that lead here.
        patterns: expressions that lead here.
        handoff: whether a person takes over.
        answers: language code -> text, with slots.
    """

    name: str
    intent: str
    intents: frozenset[str]
    patterns: tuple[re.Pattern[str], ...]
    handoff: bool
    answers: Mapping[str, str]


class Flows:
    """A table of flows, asked in order."""

    def __init__(self, flows: tuple[Flow, ...]) -> None:
        self._flows = flows

    def __iter__(self) -> Iterator[Flow]:
        return iter(self._flows)

    def by_words(self, message: str, language: str) -> Flow | None:
        """The first flow with an answer in that language one of whose patterns is found."""
        for flow in self._flows:
            if language in flow.answers and any(pattern.search(message) for pattern in flow.patterns):
                return flow
        return None

    def by_intent(self, intent: str, language: str) -> Flow | None:
        """The first flow with an answer in that language that the intent leads to."""
        for flow in self._flows:
            if language in flow.answers and intent in flow.intents:
                return flow
        return None


def parse_flows(text: str, origin: str = "flows.toml") -> Flows:
    """Read flows from TOML.

    Raises:
        StartError: not TOML, an unknown key, a pattern that does not compile, a flow without an answer.
    """
    try:
        rows = tomllib.loads(text).get("flow", [])
    except tomllib.TOMLDecodeError as error:
        raise StartError(f"{origin}: is not TOML ({error})") from error
    flows = []
    for number, row in enumerate(rows, start=1):
        where = f"{origin}: flow {number} ({row.get('name', 'without name')})"
        if unknown := set(row) - _KEYS:
            raise StartError(f"{where}: unknown key {min(unknown)!r}; expected one of {', '.join(sorted(_KEYS))}")
        answers = {language: str(row[language]) for language in ("en", "zh") if language in row}
        if not answers or "name" not in row or "intent" not in row:
            raise StartError(f"{where}: needs `name`, `intent` and an answer, `en` or `zh`")
        try:
            patterns = tuple(re.compile(pattern, re.IGNORECASE) for pattern in row.get("patterns", ()))
        except re.error as error:
            raise StartError(f"{where}: pattern does not compile ({error})") from error
        flows.append(
            Flow(
                name=str(row["name"]),
                intent=str(row["intent"]),
                intents=frozenset(row.get("intents", ())),
                patterns=patterns,
                handoff=bool(row.get("handoff", False)),
                answers=answers,
            )
        )
    return Flows(tuple(flows))


def built_in_flows() -> Flows:
    """The flows that come with the runtime."""
    return parse_flows(files("runtime.assistant").joinpath("flows.toml").read_text(encoding="utf-8"))
