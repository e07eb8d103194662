"""The choice of types: never over the budget, never far from the best there is."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convert.errors import InputError
from convert.quantization.select import Option, choose_types, hull

OPTIONS = st.lists(
    st.builds(Option, st.sampled_from("abcde"), st.integers(1, 40), st.floats(0, 10, allow_nan=False, width=32)),
    min_size=1,
    max_size=4,
    unique_by=lambda option: option.type,
)
TENSORS = st.dictionaries(st.sampled_from("pqrst"), OPTIONS, min_size=1, max_size=5)


def best(options: dict[str, list[Option]], budget: int) -> float:
    """The least damage there is, by trying everything."""
    return min(
        sum(option.damage for option in some)
        for some in product(*options.values())
        if sum(option.bytes for option in some) <= budget
    )


@given(TENSORS, st.integers(0, 120))
def test_the_budget_holds_and_the_damage_is_within_one_step_of_the_best(
    options: dict[str, list[Option]], more: int
) -> None:
    smallest = sum(min(option.bytes for option in some) for some in options.values())
    budget = smallest + more
    choice = choose_types(options, budget)
    taken = [next(o for o in some if o.type == choice.types[name]) for name, some in options.items()]
    assert choice.bytes == sum(option.bytes for option in taken) <= budget
    assert choice.damage == pytest.approx(sum(option.damage for option in taken))
    step = max(low.damage - high.damage for some in options.values() for low in some for high in some)
    assert choice.damage <= best(options, budget) + step + 1e-6


@given(TENSORS, st.integers(0, 120))
def test_no_upgrade_that_fits_is_left(options: dict[str, list[Option]], more: int) -> None:
    budget = sum(min(option.bytes for option in some) for some in options.values()) + more
    choice = choose_types(options, budget)
    for name, some in options.items():
        now = next(option for option in some if option.type == choice.types[name])
        for other in some:
            fits = choice.bytes - now.bytes + other.bytes <= budget
            assert not (fits and other.damage < now.damage and other.bytes >= now.bytes)


def test_bytes_go_where_they_save_most() -> None:
    options = {
        "deaf": [Option("small", 10, 1.0), Option("large", 20, 0.9)],
        "keen": [Option("small", 10, 5.0), Option("large", 20, 0.5)],
    }
    choice = choose_types(options, 30)
    assert choice.types == {"deaf": "small", "keen": "large"}
    assert choice.damage == pytest.approx(1.5)
    assert choose_types(dict(reversed(options.items())), 30) == choice


def test_less_than_the_smallest_types_take_is_refused() -> None:
    with pytest.raises(InputError, match="take 10 bytes; the budget is 9"):
        choose_types({"one": [Option("small", 10, 1.0)]}, 9)


def test_the_hull_leaves_out_what_a_mixture_of_its_neighbours_beats() -> None:
    small, poor, large = Option("s", 10, 10.0), Option("p", 15, 9.0), Option("l", 20, 1.0)
    worse = Option("w", 30, 2.0)
    assert hull([large, worse, poor, small]) == [small, large]
    assert hull([small]) == [small]
