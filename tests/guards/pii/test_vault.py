"""Personal data hidden and restored: nothing lost, nothing invented, however the answer is cut."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from guards.pii.vault import Vault

VALUES = ("13800138000", "138 0013 8000", "me@example.com", "4111111111111111", "11010519491231002X")
SHAPES = ("[PHONE_1]", "[EMAIL_1]", "[TEXT_1]", "[CARD_9]", "[PHONE_", "[", "]")
PARTS = st.sampled_from((*VALUES, *SHAPES, "1", " ", "，", "call ", "订单123456", "\n"))
TEXTS = st.one_of(st.lists(PARTS, max_size=12).map("".join), st.text(max_size=40))


def pieces(text: str, cuts: list[int]) -> list[str]:
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in pairwise(places)]


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_round_trip(messages: list[str]) -> None:
    vault = Vault()
    hidden = [vault.hide(message) for message in messages]
    assert [vault.restore(text) for text in hidden] == messages


@given(st.lists(PARTS, max_size=12))
def test_what_is_hidden_holds_no_personal_data(parts: list[str]) -> None:
    hidden = Vault().hide("；".join(parts))
    assert not any(value in hidden for value in VALUES)


@given(TEXTS, TEXTS, st.lists(st.integers(0, 1000), max_size=30))
def test_streamed_restoring_equals_the_whole(said: str, answered: str, cuts: list[int]) -> None:
    vault = Vault()
    answer = answered + vault.hide(said) + answered
    restorer = vault.restorer()
    out = [restorer.feed(piece) for piece in pieces(answer, cuts)]
    assert "".join([*out, restorer.finish()]) == vault.restore(answer)


def test_placeholders_are_typed_and_stable() -> None:
    vault = Vault()
    assert vault.hide("13800138000 or 13900139000, me@example.com") == "[PHONE_1] or [PHONE_2], [EMAIL_1]"
    assert vault.hide("again 13900139000") == "again [PHONE_2]"


def test_foreign_and_invented_placeholders_stay() -> None:
    vault, other = Vault(), Vault()
    vault.hide("13800138000")
    other.hide("13900139000 13700137000")
    assert vault.restore("[PHONE_1] [PHONE_2] [EMAIL_1] [phone_1]") == "13800138000 [PHONE_2] [EMAIL_1] [phone_1]"


def test_a_typed_placeholder_does_not_become_the_number() -> None:
    vault = Vault()
    text = "[PHONE_1] 13800138000"
    assert vault.hide(text) == "[TEXT_1] [PHONE_1]"
    assert vault.restore(vault.hide(text)) == text


def test_restored_values_are_not_restored_again() -> None:
    vault = Vault()
    vault.hide("13800138000")
    assert vault.restore(vault.hide("[PHONE_1]")) == "[PHONE_1]"


def test_only_a_possible_placeholder_is_held_back() -> None:
    vault = Vault()
    vault.hide("13800138000")
    restorer = vault.restorer()
    assert restorer.feed("see [note") == "see [note"
    assert restorer.feed(" call [PHO") == " call "
    assert restorer.feed("NE_1") == ""
    assert restorer.feed("] now") == "13800138000 now"
    assert restorer.feed("[PHONE_") == ""
    assert restorer.finish() == "[PHONE_"
