"""Before the first customer: what steps cost on this machine, from small to large."""

from __future__ import annotations

import time
from collections.abc import Callable

from runtime.engine.costs import StepCosts
from runtime.engine.llama import DecodeAbortedError, Llama, Row

#: Rows of the batches; the first of all touches the weights for the first time and is not typical.
ROWS = (1, 1, 2, 3, 4, 8, 16, 32, 64)


def warm_up(llama: Llama, costs: StepCosts, hurry: Callable[[], bool]) -> None:
    """Compute batches of all sizes, until ``hurry`` says that somebody waits. Takes sequence 0, and leaves it empty."""
    token = (llama.vocabulary.bos or (0,))[0]
    for size in ROWS:
        if hurry():
            break
        began_s = time.perf_counter()
        try:
            llama.compute([Row(token, i, 0, i + 1 == size) for i in range(size)])
        except DecodeAbortedError:
            break
        costs.record(size, time.perf_counter() - began_s)
        llama.forget(0)
