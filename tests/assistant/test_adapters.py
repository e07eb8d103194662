"""Who answers: the adapter that is named, else the one that answered before, else one by shares; and the way back."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from runtime.assistant.adapters import HISTORY, AdapterRoutes, carried_conversation
from runtime.assistant.turn import Message, Role
from runtime.errors import InvalidRequestError

NAMES = ("default", "refunds-v2")
MANY = [f"conversation-{number}" for number in range(400)]


def shown(routes: AdapterRoutes) -> dict[str, float]:
    return routes.state.current.shares.to_dict(routes.names)


def test_the_default_adapter_answers_from_the_start_if_there_is_one() -> None:
    assert {AdapterRoutes(NAMES).route(None, None, one) for one in MANY} == {"default"}
    assert {AdapterRoutes(["refunds-v2"]).route(None, None, one) for one in MANY} == {""}
    assert {AdapterRoutes([]).route(None, None, one) for one in MANY} == {""}


def test_a_named_adapter_goes_before_all_else() -> None:
    routes = AdapterRoutes(NAMES)
    assert routes.route("refunds-v2", "default", "one") == "refunds-v2"
    assert routes.route("", "default", "one") == ""
    with pytest.raises(
        InvalidRequestError, match=r"adapter: is 'refunds-v9'; expected one of default, refunds-v2, none"
    ):
        routes.route("refunds-v9", None, "one")


def test_names_are_read_as_people_spell_them() -> None:
    routes = AdapterRoutes(NAMES)
    assert [routes.find(name) for name in ("default", "none", "", "gpt-4o")] == ["default", "", None, None]
    assert routes.named("none") == ""
    with pytest.raises(InvalidRequestError, match="adapter"):
        routes.named("")


def test_a_conversation_keeps_its_adapter_when_shares_change() -> None:
    routes = AdapterRoutes(NAMES)
    routes.set_shares({"refunds-v2": 1})
    assert routes.route(None, "default", "one") == "default"
    assert routes.route(None, "", "one") == ""
    assert routes.route(None, None, "one") == "refunds-v2"


def test_a_rollback_takes_conversations_off_the_adapter_that_it_disables() -> None:
    routes = AdapterRoutes(NAMES)
    routes.set_shares({"default": 0.5, "refunds-v2": 0.3})
    assert {routes.route(None, None, one) for one in MANY} == {"default", "refunds-v2", ""}
    routes.rollback()
    assert shown(routes) == {"default": 1.0, "refunds-v2": 0.0, "none": 0.0}
    assert {routes.route(None, kept, one) for one in MANY for kept in (None, "default", "refunds-v2", "")} == {
        "default"
    }
    assert routes.route("refunds-v2", None, "one") == "refunds-v2"  # who names it may still try it


def test_an_adapter_that_gets_shares_again_keeps_conversations_again() -> None:
    routes = AdapterRoutes(NAMES)
    routes.set_shares({"default": 0.5, "refunds-v2": 0.5})
    routes.rollback()
    routes.set_shares({"default": 0.9, "refunds-v2": 0.1})
    assert routes.route(None, "refunds-v2", "one") == "refunds-v2"
    routes.set_shares({"default": 1})
    assert routes.route(None, "refunds-v2", "one") == "refunds-v2"


def test_a_rollback_goes_back_step_by_step_and_no_further_than_the_start() -> None:
    now = iter(range(100))
    routes = AdapterRoutes(NAMES, clock=lambda: next(now))
    for share in (0.1, 0.2, 0.2):  # the second 0.2 changes nothing and is no step
        routes.set_shares({"default": 1 - share, "refunds-v2": share})
    assert [record.since_unix_s for record in (*routes.state.history, routes.state.current)] == [0, 1, 2]
    routes.rollback()
    assert shown(routes) == {"default": 0.9, "refunds-v2": 0.1, "none": 0.0}
    assert routes.route(None, "refunds-v2", "one") == "refunds-v2"  # at 0.1 it is still on trial
    routes.rollback()
    assert routes.route(None, "refunds-v2", "one") == "default"
    with pytest.raises(InvalidRequestError, match="history"):
        routes.rollback()


def test_refused_shares_change_nothing() -> None:
    routes = AdapterRoutes(NAMES)
    before = routes.state
    with pytest.raises(InvalidRequestError, match="sum up"):
        routes.set_shares({"default": 1, "refunds-v2": 0.5})
    assert routes.state is before


def test_the_history_is_bounded() -> None:
    routes = AdapterRoutes(NAMES)
    for step in range(3 * HISTORY):
        routes.set_shares({"default": step / 100})
    assert len(routes.state.history) == HISTORY
    assert routes.state.history[-1].shares.of == {"default": (3 * HISTORY - 2) / 100}


def test_a_restart_finds_shares_and_history_again(tmp_path: Path) -> None:
    file = tmp_path / "state" / "shares.json"
    routes = AdapterRoutes(NAMES, file)
    assert not routes.state.saved
    assert routes.set_shares({"default": 0.75, "refunds-v2": 0.25}).saved
    again = AdapterRoutes(NAMES, file)
    assert again.state == routes.state
    assert [again.route(None, None, one) for one in MANY] == [routes.route(None, None, one) for one in MANY]
    again.rollback()
    assert shown(AdapterRoutes(NAMES, file)) == {"default": 1.0, "refunds-v2": 0.0, "none": 0.0}
    assert [path.name for path in file.parent.iterdir()] == ["shares.json"]


def test_a_bundle_that_has_lost_an_old_adapter_keeps_the_shares_of_today(tmp_path: Path) -> None:
    file = tmp_path / "shares.json"
    routes = AdapterRoutes((*NAMES, "refunds-v1"), file)
    routes.set_shares({"refunds-v1": 0.5})
    routes.set_shares({"refunds-v2": 0.5})
    again = AdapterRoutes(NAMES, file)
    assert again.state.current == routes.state.current
    assert [record.shares.of for record in again.state.history] == [{"default": 1.0}]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"7",
        b'{"shares": {}}',
        b'[{"shares": {"default": 1}}]',
        b'[{"shares": [1], "since_unix_s": 1}]',
        b'[{"shares": {"default": 1}, "since_unix_s": "now"}]',
        b'[{"shares": {"default": 7}, "since_unix_s": 1}]',
        b'[{"shares": {"gone-v1": 1}, "since_unix_s": 1}]',
        b"[" * 100_000,
    ],
)
def test_a_broken_file_is_logged_and_replaced(content: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "shares.json"
    file.write_bytes(content)
    routes = AdapterRoutes(NAMES, file)
    assert str(file) in caplog.text
    assert shown(routes) == {"default": 1.0, "refunds-v2": 0.0, "none": 0.0}
    routes.set_shares({})
    assert shown(AdapterRoutes(NAMES, file)) == {"default": 0.0, "refunds-v2": 0.0, "none": 1.0}


def test_a_file_that_cannot_be_written_does_not_stop_a_rollback(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocker = tmp_path / "a-file"
    blocker.write_text("", encoding="utf-8")
    routes = AdapterRoutes(NAMES, blocker / "shares.json")
    assert not routes.set_shares({"refunds-v2": 1}).saved
    assert "next start" in caplog.text
    routes.rollback()
    assert routes.route(None, None, "one") == "default"


def test_changes_from_many_threads_leave_one_whole_state(tmp_path: Path) -> None:
    file = tmp_path / "shares.json"
    routes = AdapterRoutes(NAMES, file)
    sums: list[float] = []

    def change(thread: int) -> None:
        for step in range(10):
            share = (thread * 10 + step) / 100
            routes.set_shares({"default": share, "refunds-v2": 1 - share})
            sums.append(sum(routes.state.current.shares.sides.values()))
            routes.route(None, None, f"{thread}-{step}")

    threads = [threading.Thread(target=change, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sums == pytest.approx([1.0] * 80)
    assert len(json.loads(file.read_text(encoding="utf-8"))) == HISTORY + 1
    assert AdapterRoutes(NAMES, file).state == routes.state


def test_a_carried_conversation_is_known_by_its_client_and_its_beginning() -> None:
    system, hello, other = Message(Role.SYSTEM, "Be brief."), Message(Role.USER, "Hello"), Message(Role.USER, "Bye")
    reply = Message(Role.ASSISTANT, "Hi.")
    first = carried_conversation("a", [system, hello])
    assert first == carried_conversation("a", [hello, reply, other])
    assert len({first, carried_conversation("b", [hello]), carried_conversation("a", [other])}) == 3
    assert "Hello" not in first
