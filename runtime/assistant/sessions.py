"""Conversations that the assistant carries: history, the customer's numbers, personal data behind placeholders."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from guards.pii.vault import Vault
from runtime.assistant.turn import Message
from runtime.errors import InvalidRequestError, QueueFullError

#: 128 random bits: an id that cannot be guessed is what protects a conversation.
_ID_BYTES = 16


@dataclass(slots=True)
class Session:
    """One customer's conversation; used by one turn at a time.

    Attributes:
        id: unguessable.
        client: who began it; nobody else may go on with it.
        vault: personal data by placeholder.
        history: turns so far, personal data and numbers replaced.
        intent: what the customer last wanted.
        slots: the customer's numbers, by slot.
        adapter: the LoRA adapter that has answered so far, empty for the bare model; None before the first answer.
        busy: whether a turn is under way.
        used: monotonic seconds of the last use.
    """

    id: str
    client: str
    vault: Vault
    history: list[Message] = field(default_factory=list)
    intent: str = ""
    slots: dict[str, str] = field(default_factory=dict)
    adapter: str | None = None
    busy: bool = False
    used: float = 0.0


class SessionStore:
    """Sessions in memory: bounded in number, forgotten after some idle time, never written to disk."""

    def __init__(
        self,
        capacity: int,
        idle_s: float,
        new_vault: Callable[[], Vault],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._new_vault = new_vault
        self._capacity = capacity
        self._idle_s = idle_s
        self._clock = clock
        self._sessions: OrderedDict[str, Session] = OrderedDict()  # least recently used first
        self._lock = threading.Lock()

    def begin(self, session_id: str, client: str) -> Session:
        """Take a session for one turn; an empty id starts a new one.

        Raises:
            InvalidRequestError: no such session (it may have expired), or it is another client's.
            QueueFullError: its last turn is still under way.
        """
        now = self._clock()
        with self._lock:
            self._expire(now)
            if not session_id:
                self._make_room()
                session = Session(secrets.token_urlsafe(_ID_BYTES), client, self._new_vault())
                self._sessions[session.id] = session
            else:
                found = self._sessions.get(session_id)
                if found is None or found.client != client:
                    raise InvalidRequestError("session_id", "no such conversation; leave it out to start a new one")
                session = found
                if session.busy:
                    raise QueueFullError(1, 1.0)
            session.busy = True
            session.used = now
            self._sessions.move_to_end(session.id)
            return session

    def done(self, session: Session) -> None:
        """Give a session back after its turn."""
        with self._lock:
            session.busy = False
            session.used = self._clock()

    def end(self, session_id: str, client: str) -> None:
        """Forget a session, if it is there and the client's own."""
        with self._lock:
            session = self._sessions.get(session_id)
            if session is not None and session.client == client:
                del self._sessions[session_id]

    def expire(self) -> None:
        """Forget what has been idle for too long; every other call does so too."""
        with self._lock:
            self._expire(self._clock())

    def __len__(self) -> int:
        with self._lock:
            self._expire(self._clock())
            return len(self._sessions)

    def _expire(self, now: float) -> None:
        idle = [s.id for s in self._sessions.values() if not s.busy and now - s.used > self._idle_s]
        for session_id in idle:
            del self._sessions[session_id]

    def _make_room(self) -> None:
        while len(self._sessions) >= self._capacity:
            oldest = next((s.id for s in self._sessions.values() if not s.busy), None)
            if oldest is None:
                raise QueueFullError(len(self._sessions), self._idle_s)
            del self._sessions[oldest]
