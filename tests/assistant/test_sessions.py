"""Conversations: whose they are, how many, how long."""

from __future__ import annotations

import pytest

from guards.pii.vault import Vault
from runtime.assistant.sessions import SessionStore
from runtime.errors import InvalidRequestError, QueueFullError


class Clock:
    """Seconds that pass only when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def store(capacity: int = 3, idle_s: float = 60.0) -> tuple[SessionStore, Clock]:
    clock = Clock()
    return SessionStore(capacity, idle_s, Vault, clock), clock


def test_a_session_goes_on_for_its_client_only() -> None:
    sessions, _ = store()
    session = sessions.begin("", "a")
    sessions.done(session)
    assert sessions.begin(session.id, "a") is session
    with pytest.raises(InvalidRequestError, match="session_id"):
        sessions.begin(session.id, "b")


def test_ids_are_long_and_different() -> None:
    sessions, _ = store(capacity=100)
    ids = {sessions.begin("", "a").id for _ in range(50)}
    assert len(ids) == 50
    assert min(map(len, ids)) >= 22


def test_one_turn_at_a_time() -> None:
    sessions, _ = store()
    session = sessions.begin("", "a")
    with pytest.raises(QueueFullError):
        sessions.begin(session.id, "a")


def test_an_idle_session_is_forgotten() -> None:
    sessions, clock = store(idle_s=60)
    session = sessions.begin("", "a")
    sessions.done(session)
    clock.now = 61
    with pytest.raises(InvalidRequestError):
        sessions.begin(session.id, "a")
    assert len(sessions) == 0


def test_the_least_recently_used_makes_room_but_never_a_busy_one() -> None:
    sessions, _ = store(capacity=2)
    first, second = sessions.begin("", "a"), sessions.begin("", "a")
    with pytest.raises(QueueFullError):
        sessions.begin("", "a")
    sessions.done(second)
    third = sessions.begin("", "a")
    assert len(sessions) == 2
    sessions.done(first)
    assert sessions.begin(first.id, "a") is first
    with pytest.raises(InvalidRequestError):
        sessions.begin(second.id, "a")
    assert third.busy


def test_only_the_owner_ends_a_session() -> None:
    sessions, _ = store()
    session = sessions.begin("", "a")
    sessions.done(session)
    sessions.end(session.id, "b")
    assert len(sessions) == 1
    sessions.end(session.id, "a")
    sessions.end("unknown", "a")
    assert len(sessions) == 0
