"""This project's server with an engine that sleeps after every step, for a share of the step's time.

``python -m tests.bench.slowed 0.10 serve --bundle ...``
"""

from __future__ import annotations

import sys
import time

from runtime.__main__ import main
from runtime.engine.batching import Batcher

#: Shorter sleeps take longer than was asked for; they are saved up.
_LEAST_SLEEP_S = 0.001


def slow_down(share: float) -> None:
    """Make every step of the engine take that much longer, on average."""
    step, owed_s = Batcher.step, 0.0

    def slow_step(batching: Batcher) -> None:
        nonlocal owed_s
        began_s = time.perf_counter()
        step(batching)
        ended_s = time.perf_counter()
        owed_s += share * (ended_s - began_s)
        if owed_s >= _LEAST_SLEEP_S:
            time.sleep(owed_s)
            owed_s -= time.perf_counter() - ended_s

    Batcher.step = slow_step  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    slow_down(float(sys.argv[1]))
    sys.exit(main(sys.argv[2:]))
