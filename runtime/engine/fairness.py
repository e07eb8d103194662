"""A bounded queue that is fair between clients: they take turns, and each one's requests stay in order."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Round robin over clients (Nagle 1987, RFC 970). Not locked: the owner locks.

    A client that asks ten things at once waits behind every other client's first, and never fills the queue alone.

    Args:
        capacity: items at most.
        share: of the capacity that one client's items may take, more than 0 and at most 1.
    """

    def __init__(self, capacity: int, share: float = 1.0) -> None:
        self.capacity = capacity
        self._per_client = max(1, int(capacity * share))
        self._lines: OrderedDict[str, deque[T]] = OrderedDict()
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[T]:
        """All items, client by client."""
        for line in self._lines.values():
            yield from line

    def has_room(self, client: str) -> bool:
        """Whether ``push`` would take one more item of this client."""
        return self._size < self.capacity and len(self._lines.get(client, ())) < self._per_client

    def push(self, client: str, item: T) -> None:
        """Put ``item`` at the end of its client's line.

        Raises:
            OverflowError: there is no room.
        """
        if not self.has_room(client):
            raise OverflowError(f"{self._size} items; expected at most {self.capacity}, {self._per_client} a client")
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

    def put_back(self, client: str, item: T) -> None:
        """Undo the last ``pop``: the item is the next one again, whatever the bounds say."""
        self._lines.setdefault(client, deque()).appendleft(item)
        self._lines.move_to_end(client, last=False)
        self._size += 1

    def remove(self, unwanted: Callable[[T], bool]) -> list[T]:
        """Take out and return every item that ``unwanted`` says True of."""
        removed = [item for item in self if unwanted(item)]
        for client in list(self._lines):
            kept = deque(item for item in self._lines[client] if not unwanted(item))
            if kept:
                self._lines[client] = kept
            else:
                del self._lines[client]
        self._size -= len(removed)
        return removed
