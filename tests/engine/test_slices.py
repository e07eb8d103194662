"""Rows for prompts: the shortest first, everyone at last, and never a row too many."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtime.engine.slices import AGEING, Prefill, share_rows

PROMPTS = st.lists(st.builds(Prefill, st.integers(1, 500), st.floats(0, 100)), max_size=12)


def test_the_shortest_prompt_comes_first_and_the_next_takes_what_is_left() -> None:
    prompts = [Prefill(400, 0.0), Prefill(20, 0.0), Prefill(50, 0.0)]
    assert share_rows(prompts, 64, 60.0) == [(1, 20), (2, 44)]


def test_a_long_prompt_is_not_overtaken_for_ever() -> None:
    """New short prompts keep coming; the long one's turn comes after a wait in proportion to its length."""
    tokens_per_s = 60.0
    waited_s = (400 - 20) / (AGEING * tokens_per_s)
    assert share_rows([Prefill(400, waited_s - 1), Prefill(20, 0.0)], 8, tokens_per_s) == [(1, 8)]
    assert share_rows([Prefill(400, waited_s + 1), Prefill(20, 0.0)], 8, tokens_per_s) == [(0, 8)]


@given(PROMPTS, st.integers(0, 200), st.floats(0.1, 1000))
def test_all_rows_are_given_out_and_no_more(prompts: list[Prefill], rows: int, tokens_per_s: float) -> None:
    given_out = share_rows(prompts, rows, tokens_per_s)
    assert sum(count for _, count in given_out) == min(rows, sum(prompt.left for prompt in prompts))
    assert len({index for index, _ in given_out}) == len(given_out)
    assert all(0 < count <= prompts[index].left for index, count in given_out)
