"""Plays attacks against a running server: each conversation to its end, and every answer is judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from guards.audit.record import shown
from guards.redteam.attacks import Attack
from guards.redteam.client import Attacker, Reply
from guards.redteam.judge import Judge, Sign, SignKind

_TEXT_CHARS = 600
_REFUSING = ("review", "block")


class Mode(StrEnum):
    """How answers are asked for."""

    WHOLE = "whole"
    STREAMED = "streamed"


class Fate(StrEnum):
    """What became of a conversation, worst first."""

    HARMFUL = "harmful"
    FAILED = "failed"
    ANSWERED = "answered"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Played:
    """One conversation that was played. Its texts are redacted and cut.

    Attributes:
        line: of the attack in its file.
        mode: how answers were asked for.
        attack: whether it was one.
        kind: of attack.
        source: where it comes from.
        fate: ``harmful`` with a sign; ``failed`` if the server gave no answer; ``refused`` if a guard, or a check
            of the request, refused one of its messages or answers; else ``answered``.
        rule: the rule, or the error's code, that decided last.
        signs: what shows that the attack got what it wanted.
        handoff: whether a person was called.
        took_ms: per message.
        turns: what was asked.
        answers: what the customer was given.
    """

    line: int
    mode: str
    attack: bool
    kind: str
    source: str
    fate: str
    rule: str
    signs: tuple[Sign, ...]
    handoff: bool
    took_ms: tuple[float, ...]
    turns: tuple[str, ...]
    answers: tuple[str, ...]

    @property
    def task(self) -> tuple[int, str]:
        """What it is the result of."""
        return self.line, self.mode

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            "line": self.line,
            "mode": self.mode,
            "attack": self.attack,
            "kind": self.kind,
            "source": self.source,
            "fate": self.fate,
            "rule": self.rule,
            "signs": [{"kind": sign.kind.value, "detail": sign.detail} for sign in self.signs],
            "handoff": self.handoff,
            "took_ms": [round(took_ms, 1) for took_ms in self.took_ms],
            "turns": list(self.turns),
            "answers": list(self.answers),
        }

    @classmethod
    def from_dict(cls, row: dict[str, object]) -> Played:
        """Back from ``to_dict``.

        Raises:
            KeyError, TypeError, ValueError: it is not one.
        """
        values: dict[str, object] = dict(row)
        signs = tuple(Sign(SignKind(sign["kind"]), sign["detail"]) for sign in _list(values.pop("signs")))
        for name in ("took_ms", "turns", "answers"):
            values[name] = tuple(_list(values[name]))
        return cls(signs=signs, **values)  # type: ignore[arg-type]


def play(
    attacks: Sequence[Attack],
    attacker: Attacker,
    judge: Judge,
    modes: Sequence[Mode] = (Mode.WHOLE, Mode.STREAMED),
    concurrency: int = 1,
    skip: Callable[[tuple[int, str]], bool] = lambda task: False,
) -> Iterator[Played]:
    """Play every attack in every mode, ``concurrency`` at once; results come as they are there.

    Args:
        attacks: what to play.
        attacker: asks the server.
        judge: judges the answers.
        modes: how to ask.
        concurrency: conversations at once.
        skip: whether a (line, mode) was played already.

    Raises:
        RedTeamError: the server is gone, refuses us, or is another one.
    """
    tasks = ((attack, mode) for attack in attacks for mode in modes if not skip((attack.line, mode.value)))
    with ThreadPoolExecutor(max_workers=concurrency, thread_name_prefix="redteam") as pool:

        def begin(count: int) -> set[Future[Played]]:
            return {pool.submit(play_one, attack, mode, attacker, judge) for attack, mode in islice(tasks, count)}

        running = begin(concurrency)
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
            running |= begin(len(done))


def play_one(attack: Attack, mode: Mode, attacker: Attacker, judge: Judge) -> Played:
    """Play one conversation: also after a refusal, as an attacker would. Raises as ``play``."""
    replies: list[Reply] = []
    session_id = ""
    for turn in attack.turns:
        reply = attacker.ask(turn, session_id, stream=mode is Mode.STREAMED)
        replies.append(reply)
        session_id = reply.session_id or session_id
    if session_id:
        attacker.end(session_id)
    answers = [reply.text for reply in replies]
    signs = judge.signs(attack, answers)
    return Played(
        line=attack.line,
        mode=mode.value,
        attack=attack.attack,
        kind=attack.kind,
        source=attack.source,
        fate=(Fate.HARMFUL if signs else _fate(replies)).value,
        rule=next((reply.rule for reply in reversed(replies) if reply.rule), ""),
        signs=signs,
        handoff=any(reply.handoff for reply in replies),
        took_ms=tuple(reply.took_ms for reply in replies),
        turns=_shown(attack.turns),
        answers=_shown(answers),
    )


def _fate(replies: Iterable[Reply]) -> Fate:
    fates = [_fate_of(reply) for reply in replies]
    return next(fate for fate in (Fate.FAILED, Fate.REFUSED, Fate.ANSWERED) if fate in fates)


def _fate_of(reply: Reply) -> Fate:
    if reply.status == 200:
        return Fate.REFUSED if reply.action in _REFUSING else Fate.ANSWERED
    return Fate.REFUSED if 400 <= reply.status < 500 and reply.status not in (408, 429) else Fate.FAILED


def _shown(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(shown(text, _TEXT_CHARS) for text in texts)


def _list(value: object) -> list[dict[str, str]]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return value
