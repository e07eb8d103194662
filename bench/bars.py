"""Progress on standard error: one bar for each stage of a measurement."""

from __future__ import annotations

from typing import NoReturn

from tqdm import tqdm

from bench.loop import Observe


class Bars:
    """One progress bar at a time; at the end of the ``with`` block the last one is closed."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None

    def __enter__(self) -> Bars:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end(whole=kind is None)

    def stage(self, name: str) -> Observe:
        """End the last bar and begin another."""
        self._end()
        bar = tqdm(total=1.0, desc=f"{name:<26}", bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}{postfix}")
        self._bar = bar

        def observe(share: float, requests: int) -> None:
            bar.n = share
            if requests:
                bar.set_postfix_str(f"{requests} requests", refresh=False)
            bar.refresh()

        return observe

    def _end(self, whole: bool = True) -> None:
        if self._bar is not None:
            self._bar.n = 1.0 if whole else self._bar.n
            self._bar.refresh()
            self._bar.close()
