"""Progress bars on a terminal."""

from __future__ import annotations

import sys
from typing import NoReturn

from tqdm import tqdm


class Bars:
    """One tqdm bar a stage, on standard error; nothing where that is no terminal."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None
        self._stage = ""
        self._done = 0

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Move the stage's bar to ``done``."""
        if self._bar is None or self._stage != stage:
            self.close()
            self._stage, self._done = stage, 0
            self._bar = tqdm(desc=stage, total=total, file=sys.stderr, disable=None)
        self._bar.update(done - self._done)
        self._done = done

    def close(self) -> None:
        """Finish the bar that is shown."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
