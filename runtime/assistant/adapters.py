"""Which LoRA adapter answers which conversation: by name, by what answered before, or by shares that can be undone."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from runtime.assistant.shares import NONE, Shares
from runtime.assistant.turn import Message, Role
from runtime.errors import InvalidRequestError

log = logging.getLogger(__name__)

#: A bundle's adapter of this name answers everybody until somebody sets other shares.
DEFAULT = "default"

#: Earlier shares that are kept to go back to.
HISTORY = 16


@dataclass(frozen=True, slots=True)
class SharesRecord:
    """Shares and when they came into force (Unix seconds)."""

    shares: Shares
    since_unix_s: float


@dataclass(frozen=True, slots=True)
class RoutesState:
    """How conversations are spread now.

    Attributes:
        current: what new conversations fall by.
        history: earlier shares, the oldest first.
        withdrawn: adapters that a rollback took out of use (empty for the bare model): they keep no conversation.
        saved: whether a restart finds these shares again.
    """

    current: SharesRecord
    history: tuple[SharesRecord, ...] = ()
    withdrawn: frozenset[str] = frozenset()
    saved: bool = False


class AdapterRoutes:
    """Spreads conversations over adapters. Safe from any thread.

    Inside, an adapter is its name and the bare model is the empty name; ``find`` and ``named`` read how people spell
    them.
    """

    def __init__(
        self, names: Sequence[str] = (), file: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        """Begin with the shares in the file, or else with all conversations for the adapter ``default``.

        Args:
            names: adapters that there are.
            file: keeps shares over a restart; None forgets them. One that cannot be used is logged and replaced at
                the next change.
            clock: Unix seconds.
        """
        self.names = tuple(names)
        self._file = file
        self._clock = clock
        self._lock = threading.Lock()  # held by writers; readers take the whole state at once
        self._state = self._stored() or RoutesState(SharesRecord(self._first(), clock()))

    @property
    def state(self) -> RoutesState:
        """How conversations are spread now."""
        return self._state

    def find(self, spelled: str) -> str | None:
        """The adapter of that name, empty for ``none``; None if there is no such one."""
        if spelled == NONE:
            return ""
        return spelled if spelled in self.names else None

    def named(self, spelled: str) -> str:
        """The adapter that a request names, empty for ``none``.

        Raises:
            InvalidRequestError: there is no such one.
        """
        found = self.find(spelled)
        if found is None:
            raise InvalidRequestError("adapter", f"is {spelled!r}; expected one of {', '.join((*self.names, NONE))}")
        return found

    def route(self, named: str | None, kept: str | None, conversation: str) -> str:
        """Which adapter answers a turn; empty for the bare model.

        Args:
            named: the one that the request names; None if it names none.
            kept: the one that has answered this conversation so far; None at its beginning, or if nobody remembers.
            conversation: what tells it from others, the same for all its turns.

        Raises:
            InvalidRequestError: the named one is not there.
        """
        if named is not None:
            return self.named(named or NONE)
        state = self._state
        if kept is not None and kept not in state.withdrawn:
            return kept
        return state.current.shares.side(conversation)

    def set_shares(self, given: Mapping[str, object]) -> RoutesState:
        """Spread new conversations by these shares; running ones stay where they are.

        Raises:
            InvalidRequestError: see ``Shares.checked``.
        """
        shares = Shares.checked(given, self.names)
        with self._lock:
            before = self._state
            if shares == before.current.shares:  # else a rollback would undo nothing
                return before
            history = (*before.history, before.current)[-HISTORY:]
            return self._enter(shares, history, before.withdrawn)

    def rollback(self) -> RoutesState:
        """Go back to the shares before; conversations leave the adapters that have none then.

        Raises:
            InvalidRequestError: there are no earlier ones.
        """
        with self._lock:
            before = self._state
            if not before.history:
                raise InvalidRequestError("history", "is empty; expected earlier shares to go back to; set new ones")
            shares = before.history[-1].shares
            withdrawn = before.withdrawn | set(before.current.shares.sides)
            return self._enter(shares, before.history[:-1], withdrawn)

    def _enter(self, shares: Shares, history: tuple[SharesRecord, ...], withdrawn: frozenset[str]) -> RoutesState:
        record = SharesRecord(shares, self._clock())
        saved = self._store(record, history)
        self._state = RoutesState(record, history, withdrawn - set(shares.sides), saved)
        return self._state

    def _first(self) -> Shares:
        return Shares({DEFAULT: 1.0} if DEFAULT in self.names else {})

    def _stored(self) -> RoutesState | None:
        """The state in the file; None if there is none that can be used."""
        if self._file is None or not self._file.exists():
            return None
        try:
            *earlier, current = json.loads(self._file.read_text(encoding="utf-8"))
            return RoutesState(self._record(current), self._earlier(earlier), saved=True)
        except (OSError, ValueError, TypeError, LookupError, RecursionError, InvalidRequestError) as error:
            log.warning("%s: no shares of adapters to go on with (%r); beginning anew", self._file, error)
            return None

    def _earlier(self, entries: Sequence[Mapping[str, object]]) -> tuple[SharesRecord, ...]:
        """The history, but for entries with adapters that the bundle no longer has."""
        records = []
        for entry in entries[-HISTORY:]:
            with suppress(InvalidRequestError):
                records.append(self._record(entry))
        return tuple(records)

    def _record(self, entry: Mapping[str, object]) -> SharesRecord:
        given, since = entry["shares"], entry["since_unix_s"]
        if not isinstance(given, dict) or not isinstance(since, int | float):
            raise TypeError(f"an entry is {entry!r:.100}; expected an object of shares and a time")
        return SharesRecord(Shares.checked(given, self.names), float(since))

    def _store(self, current: SharesRecord, history: Sequence[SharesRecord]) -> bool:
        """Write the file whole or not at all. A disk that takes nothing does not keep an operator from a rollback."""
        if self._file is None:
            return False
        records = [{"shares": dict(one.shares.of), "since_unix_s": one.since_unix_s} for one in (*history, current)]
        part = self._file.with_name(self._file.name + ".part")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="utf-8") as file:
                json.dump(records, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._file)
        except OSError as error:
            log.error("%s: the adapters' shares hold until the next start only (%s)", self._file, error)
            return False
        return True


def carried_conversation(client: str, messages: Sequence[Message]) -> str:
    """What tells a conversation that the caller carries from others: whose it is, and how it began."""
    first = next((message.content for message in messages if message.role is Role.USER), "")
    return f"{client}\n{hashlib.sha256(first.encode('utf-8', 'surrogatepass')).hexdigest()}"
