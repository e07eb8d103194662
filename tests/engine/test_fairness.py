"""The queue's promises: turns between clients, order within one, a bound."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engine.fairness import FairQueue


def drain(queue: FairQueue[str]) -> list[str]:
    items = []
    while (item := queue.pop()) is not None:
        items.append(item)
    return items


def test_clients_take_turns() -> None:
    queue: FairQueue[str] = FairQueue(9)
    for client, item in [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"), ("c", "c1"), ("b", "b2")]:
        queue.push(client, item)
    assert drain(queue) == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_a_full_queue_refuses_and_loses_nothing() -> None:
    queue: FairQueue[str] = FairQueue(1)
    queue.push("a", "a1")
    with pytest.raises(OverflowError):
        queue.push("b", "b1")
    assert drain(queue) == ["a1"]


def test_removed_items_do_not_come() -> None:
    queue: FairQueue[str] = FairQueue(9)
    for client, item in [("a", "a1"), ("b", "b1"), ("a", "a2")]:
        queue.push(client, item)
    assert queue.remove(lambda item: item in ("a1", "b1")) == ["a1", "b1"]
    assert (len(queue), drain(queue)) == (1, ["a2"])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers()), max_size=40))
def test_nobody_waits_longer_than_a_round(pushes: list[tuple[str, int]]) -> None:
    queue: FairQueue[tuple[str, int]] = FairQueue(40)
    for client, item in pushes:
        queue.push(client, (client, item))
    order = []
    while (got := queue.pop()) is not None:
        order.append(got)
    for client in "abc":
        assert [item for item in order if item[0] == client] == [item for item in pushes if item[0] == client]
        others = [sum(item[0] == other for item in order[: _nth(order, client, 1)]) for other in set("abc") - {client}]
        assert all(count <= 1 for count in others)


def _nth(order: list[tuple[str, int]], client: str, n: int) -> int:
    places = [place for place, item in enumerate(order) if item[0] == client]
    return places[n - 1] if len(places) >= n else 0


def test_one_client_cannot_fill_the_queue() -> None:
    queue: FairQueue[str] = FairQueue(4, share=0.5)
    queue.push("a", "a1")
    queue.push("a", "a2")
    assert not queue.has_room("a")
    with pytest.raises(OverflowError, match="2 a client"):
        queue.push("a", "a3")
    queue.push("b", "b1")
    assert drain(queue) == ["a1", "b1", "a2"]


def test_what_is_put_back_is_next_again() -> None:
    queue: FairQueue[str] = FairQueue(4)
    for client, item in [("a", "a1"), ("b", "b1"), ("a", "a2")]:
        queue.push(client, item)
    first = queue.pop()
    assert first == "a1"
    queue.put_back("a", first)
    assert (len(queue), drain(queue)) == (3, ["a1", "b1", "a2"])
