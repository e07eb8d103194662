"""How a stage tells how far it is; the command line draws bars from it, the core never prints."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Called with what is done so far; ``done`` never falls within one ``stage``, and reaches ``total`` at its end."""

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Report ``done`` of ``total`` units of ``stage``."""


def silent(stage: str, done: int, total: int) -> None:
    """Report nothing."""
