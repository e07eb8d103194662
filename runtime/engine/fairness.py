"""A bounded queue that is fair between clients: they take turns, and each one's requests stay in order."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Round robin over clients (Nagle 1987, RFC 970). Not locked: the owner locks.

    A client that asks ten things at once waits behind every other client's first.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._lines: OrderedDict[str, deque[T]] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    @property
    def full(self) -> bool:
        """Whether ``push`` would exceed the capacity."""
        return self._size >= self.capacity

    def push(self, client: str, item: T) -> None:
        """Put ``item`` at the end of its client's line.

        Raises:
            OverflowError: the queue is full.
        """
        if self.full:
            raise OverflowError(f"{self._size} items; expected at most {self.capacity}")
        self._lines.setdefault(client, deque()).append(item)
        self._size += 1

    def pop(self) -> T | None:
        """The next item, or None; its client then goes to the end of the round."""
        if not self._lines:
            return None
        client, line = self._lines.popitem(last=False)
        item = line.popleft()
        if line:
            self._lines[client] = line
        self._size -= 1
        return item

    def remove(self, unwanted: Callable[[T], bool]) -> list[T]:
        """Take out and return every item that ``unwanted`` says True of."""
        removed = [item for line in self._lines.values() for item in line if unwanted(item)]
        for client in list(self._lines):
            kept = deque(item for item in self._lines[client] if not unwanted(item))
            if kept:
                self._lines[client] = kept
            else:
                del self._lines[client]
        self._size -= len(removed)
        return removed
