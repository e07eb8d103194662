"""What a soak tolerates before it calls a growth a leak or a drift."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What is tolerated.

    Attributes:
        memory_mb_per_h: growth of the server's memory.
        drift: growth of the median time to first token over the whole soak, as a share.
    """

    memory_mb_per_h: float = 10.0
    drift: float = 0.2
