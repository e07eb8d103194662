"""Numbers as they are typed on the command line: argparse types that say what was expected."""

from __future__ import annotations

import argparse
from collections.abc import Callable

#: Compute threads that llama.cpp takes (GGML_MAX_N_THREADS).
MOST_THREADS = 512


def positive(text: str) -> float:
    """Seconds."""
    return _number(text, text, 1e-3, 1e6, "seconds above 0")


def at_least_two(text: str) -> int:
    """A count from 2."""
    return int(_number(text, text if text.isdigit() else "", 2, 1e6, "a whole number, 2 or more"))


def whole(text: str) -> int:
    """A count from 1."""
    return int(_number(text, text if text.isdigit() else "", 1, 1e9, "a whole number, 1 or more"))


def between(least: int, most: int, least_means: str = "") -> Callable[[str], int]:
    """The type of a count with limits; ``least_means`` says what the least stands for."""
    means = f" ({least_means})" if least_means else ""
    expected = f"a whole number from {least}{means} to {most}"
    return lambda text: int(_number(text, text if text.isdigit() else "", least, most, expected))


def share(text: str) -> float:
    """A share such as ``5%`` or ``0.05``."""
    scale = 100.0 if text.endswith("%") else 1.0
    return _number(text, text.removesuffix("%"), 0.0, 10.0 * scale, "something like 5% or 0.05") / scale


def _number(text: str, digits: str, least: float, most: float, expected: str) -> float:
    try:
        value = float(digits)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text!r}; expected {expected}")
    return value
