"""One subcommand of ``python -m bench``, and what several of them share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UsageError

KEY_VARIABLE = "TELLERBOX_API_KEY"

GOOD, FELL_SHORT = 0, 1

#: Carries out a command with its options; the exit code.
Handler = Callable[[argparse.Namespace], int]


@dataclass(frozen=True, slots=True)
class Command:
    """What it does, what carries it out, and the function that adds its options."""

    help: str
    handler: Handler
    options: Callable[[argparse.ArgumentParser], None]


def check_out(option: str, out: Path | None) -> None:
    """Now, rather than to find after the measurement that a file cannot be written; makes its folder.

    Raises:
        UsageError: the folder cannot be made, or the path is a folder; the option is named.
    """
    if out is None:
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{option}: the folder {out.parent} cannot be made ({error}); name another one") from error
    if out.is_dir():
        raise UsageError(f"{option}: {out} is a folder; name a file in it")
