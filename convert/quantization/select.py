"""Choose a type for every tensor so that the predicted damage is small and the bytes stay within a budget; pure.

The choice is a multiple-choice knapsack. Only the lower convex hull of (bytes, damage) of each tensor can be part of a
Lagrangian optimum; the steps along all hulls, best damage per byte first, are taken as far as the budget goes, and
then every single upgrade that still fits is tried. Source: Kellerer, Pferschy, Pisinger, "Knapsack Problems", ch. 11.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from convert.errors import InputError


@dataclass(frozen=True, slots=True)
class Option:
    """A type that a tensor could have: its name, the bytes it would take and the damage that it is predicted to do."""

    type: str
    bytes: int
    damage: float


@dataclass(frozen=True, slots=True)
class Choice:
    """The types by tensor, the bytes that they take and the damage that is predicted, all tensors together."""

    types: Mapping[str, str]
    bytes: int
    damage: float


def hull(options: Sequence[Option]) -> list[Option]:
    """The options on the lower convex hull: more bytes each time, less damage, at a falling rate."""
    kept: list[Option] = []
    for option in sorted(options, key=lambda option: (option.bytes, option.damage)):
        if kept and option.damage >= kept[-1].damage:
            continue
        while len(kept) > 1 and _rate(kept[-2], kept[-1]) <= _rate(kept[-1], option):
            kept.pop()
        kept.append(option)
    return kept


def choose_types(options: Mapping[str, Sequence[Option]], budget_bytes: int) -> Choice:
    """Choose one option for every tensor.

    Args:
        options: by tensor, in any order; the result does not depend on it.
        budget_bytes: what all tensors may take together.

    Raises:
        InputError: even the smallest options take more.
    """
    chosen = {name: min(some, key=lambda option: (option.bytes, option.damage)) for name, some in options.items()}
    left = budget_bytes - sum(option.bytes for option in chosen.values())
    if left < 0:
        raise InputError(
            f"the smallest types take {budget_bytes - left} bytes; the budget is {budget_bytes}; allow more or offer "
            "smaller types"
        )
    steps = []
    for name, some in sorted(options.items()):
        corners = hull(some)
        steps += [(_rate(low, high), name, low, high) for low, high in pairwise(corners)]
    for _, name, low, high in sorted(steps, key=lambda step: (-step[0], step[1])):
        if chosen[name] == low and high.bytes - low.bytes <= left:
            chosen[name] = high
            left -= high.bytes - low.bytes
    _fill(options, chosen, left)
    return Choice(
        types={name: option.type for name, option in sorted(chosen.items())},
        bytes=sum(option.bytes for option in chosen.values()),
        damage=sum(option.damage for option in chosen.values()),
    )


def _fill(options: Mapping[str, Sequence[Option]], chosen: dict[str, Option], left: int) -> None:
    """Take the upgrade that helps most of those that fit, until none does."""
    while True:
        fitting = [
            (chosen[name].damage - option.damage, name, option)
            for name, some in sorted(options.items())
            for option in some
            if option.bytes - chosen[name].bytes <= left and option.damage < chosen[name].damage
        ]
        if not fitting:
            return
        _, name, option = max(fitting, key=lambda one: (one[0], one[1]))
        left -= option.bytes - chosen[name].bytes
        chosen[name] = option


def _rate(low: Option, high: Option) -> float:
    """Damage that a byte more saves."""
    return (low.damage - high.damage) / (high.bytes - low.bytes)
