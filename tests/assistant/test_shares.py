"""Splits of conversations: valid ones only, as large as asked for, and as still as possible when they change."""

from __future__ import annotations

from collections import Counter

import pytest

from runtime.assistant.shares import Shares
from runtime.errors import InvalidRequestError

NAMES = ("default", "refunds-v2")
MANY = [f"conversation-{number}" for number in range(10_000)]


def sides(**shares: float) -> list[str]:
    split = Shares({name.replace("_", "-"): share for name, share in shares.items()})
    return [split.side(conversation) for conversation in MANY]


def test_each_side_gets_its_share() -> None:
    """The standard deviation of a count is at most 0.5 % of 10,000 conversations; 2 % is four of them."""
    counts = Counter(sides(default=0.6, refunds_v2=0.1))
    assert set(counts) == {"default", "refunds-v2", ""}
    for name, share in {"default": 0.6, "refunds-v2": 0.1, "": 0.3}.items():
        assert counts[name] / len(MANY) == pytest.approx(share, abs=0.02)


def test_the_same_shares_always_give_the_same_side() -> None:
    """Also in another process and on another day: these were written down once."""
    split = Shares({"default": 0.5, "refunds-v2": 0.25})
    expected = ["", "default", "default", "refunds-v2", "refunds-v2", "default", "default", "default"]
    assert [split.side(conversation) for conversation in MANY[:8]] == expected
    assert sides(refunds_v2=0.25, default=0.5) == sides(default=0.5, refunds_v2=0.25)


def test_a_growing_trial_keeps_those_who_are_in_it() -> None:
    before, after = sides(default=0.9, refunds_v2=0.1), sides(default=0.8, refunds_v2=0.2)
    moves = Counter((old, new) for old, new in zip(before, after, strict=True) if old != new)
    assert set(moves) == {("default", "refunds-v2")}
    assert moves.total() / len(MANY) == pytest.approx(0.1, abs=0.02)


def test_all_and_nothing_are_exact() -> None:
    assert set(sides(default=1.0)) == {"default"}
    assert set(sides()) == {""}
    third = Shares.checked({"a": 0.7, "b": 0.2, "c": 0.1}, "abc")  # their sum is 0.9999999999999999
    assert set(third.sides) == {"a", "b", "c"}


def test_what_is_shown_can_be_sent_back() -> None:
    split = Shares.checked({"refunds-v2": 0.1}, NAMES)
    assert split.to_dict(NAMES) == {"default": 0.0, "refunds-v2": 0.1, "none": 0.9}
    assert Shares.checked(split.to_dict(NAMES), NAMES) == split
    assert Shares.checked({"default": 1, "none": 0}, NAMES) == Shares({"default": 1.0})


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"defualt": 1.0}, "'defualt'.*default, none, refunds-v2"),
        ({"": 0.5}, "''"),
        ({"default": 1.1}, r"shares\.default"),
        ({"default": -0.1}, r"shares\.default"),
        ({"default": float("nan")}, r"shares\.default"),
        ({"default": True}, r"shares\.default"),
        ({"default": "1"}, r"shares\.default"),
        ({"default": 0.6, "refunds-v2": 0.5}, "sum up to 1.1"),
        ({"default": 0.6, "none": 0.5}, "sum up to 1.1"),
        ({"default": 0.6, "none": 0.3}, "sum up to 0.9"),
    ],
)
def test_other_shares_are_refused(given: dict[str, object], complaint: str) -> None:
    with pytest.raises(InvalidRequestError, match=complaint):
        Shares.checked(given, NAMES)
