"""Kept prefixes: the cells behind the nodes of the prefix tree, evicted to blobs and brought back."""

from __future__ import annotations

from collections.abc import Callable

from runtime.engine.blobs.store import BlobName, BlobStore
from runtime.engine.llama import Llama
from runtime.engine.prefix import NOWHERE, Node, PrefixTree

#: At the end, so much is spilled before the disk has to have caught up, and so long it is waited for.
FLUSH_BYTES, CLOSE_S = 16 << 20, 10.0


class Kept:
    """The books of the KV buffer. Used by the engine's thread only.

    What is kept makes room for running answers, large and long unused nodes first, and leaves before what they grow
    from. Running answers are known here only as ``claimed`` cells and as the users of nodes.

    Attributes:
        tree: all prefixes, here or in blobs.
        claimed: cells that running answers hold or may come to need.
        spare_sequences: sequence numbers that have to stay free for running answers.
        cells: of all kept prefixes that are in the KV buffer.
    """

    def __init__(self, llama: Llama, sequences: int, store: BlobStore, clock: Callable[[], float]) -> None:
        self.tree = PrefixTree()
        self.claimed = 0
        self.spare_sequences = 0
        self.cells = 0
        self._llama = llama
        self._store = store
        self._clock = clock
        self._free = list(range(sequences))
        for name in sorted(store.known(), key=lambda name: len(name.tokens)):
            self._know(name)

    def _know(self, name: BlobName) -> None:
        """Put a blob of an earlier run into the tree, unless what it grows from is not there."""
        parent = self.tree.ending(name.adapter, name.tokens[: name.start])
        if parent is None or name.tokens[name.start] in parent.children:
            self._store.drop(name)
        else:
            self.tree.add(parent, name.tokens[name.start :]).stored = True

    def take_sequence(self) -> int:
        """A free sequence number for a running answer."""
        return self._free.pop()

    def give_sequence(self, sequence: int) -> None:
        """Free a sequence number with the cells that nobody else holds."""
        self._llama.forget(sequence)
        self._free.append(sequence)

    def room_for(self, cells: int) -> bool:
        """Evict until so many cells are free; False, and nothing evicted, if running answers need too many."""
        pinned = sum(len(node.tokens) for node in self.tree.nodes() if node.resident and node.users)
        if self.claimed + pinned + cells > self._llama.cells:
            return False
        while self.claimed + self.cells + cells > self._llama.cells:
            victim = self._victim()
            if victim is None:
                return False
            self._evict(victim)
        return True

    def settle(self, node: Node, holder: int) -> bool:
        """Make a node resident with the cells that ``holder`` has at its positions; False without a number for it."""
        sequence = self._sequence()
        if sequence == NOWHERE:
            return False
        node.sequence = sequence
        self._llama.share(holder, sequence, node.start, node.end)
        self.cells += len(node.tokens)
        return True

    def extend(self, node: Node, tokens: tuple[int, ...], holder: int) -> None:
        """Let a resident leaf grow by tokens whose cells ``holder`` has."""
        end = node.end
        node.tokens += tokens
        self._llama.share(holder, node.sequence, end, node.end)
        self.cells += len(tokens)

    def split(self, node: Node, at: int) -> Node | None:
        """Cut a resident node and its cells; the upper part, or None without a sequence number for it."""
        node.users += 1  # or it might be evicted for its own upper part
        sequence = self._sequence()
        node.users -= 1
        if sequence == NOWHERE:
            return None
        if node.stored:  # as one piece, which is of no use any more
            self._store.drop(_name(node))
            node.stored = False
        upper = self.tree.split(node, at)
        upper.sequence = sequence
        self._llama.share(node.sequence, sequence, upper.start, upper.end)
        self._llama.forget(node.sequence, upper.start, upper.end)
        return upper

    def bring_back(self, node: Node) -> bool:
        """Fill a node's cells from its blob; False if there is no room, or no good blob: then the node is gone."""
        if not self.room_for(len(node.tokens)):
            return False
        sequence = self._sequence()
        if sequence == NOWHERE:
            return False
        data = self._store.get(_name(node))
        restored = data is not None and self._llama.restore(sequence, data)
        if not restored or self._llama.span(sequence) != (node.start, node.end - 1):
            self.give_sequence(sequence)
            self.drop(node)
            return False
        node.sequence = sequence
        self.cells += len(node.tokens)
        return True

    def save(self, node: Node) -> int:
        """Put a resident node's cells into a blob, unless one holds them; its bytes."""
        if node.stored:
            return 0
        data = self._llama.state(node.sequence)
        self._store.put(_name(node), data)
        node.stored = True
        return len(data)

    def drop(self, node: Node) -> None:
        """Forget a node that nobody uses, with all that grows from it."""
        for one in (node, *node.below()):
            if one.stored:
                self._store.drop(_name(one))
                one.stored = False
            if one.resident:
                self._let_go(one)
        self.tree.remove(node)

    def forget_lost(self) -> None:
        """Forget the prefixes whose blobs the store has given up."""
        for name in self._store.take_lost():
            node = self.tree.ending(name.adapter, name.tokens)
            if node is not None and node.start == name.start and node.stored:
                node.stored = False
                if not node.resident:
                    self.drop(node)

    def close(self) -> None:
        """Spill everything, least recently used first, and end the store's work."""
        unwritten = 0
        for node in sorted(self.tree.nodes(), key=lambda node: node.used_s):
            if node.resident and not node.stored:
                unwritten += self.save(node)
            if unwritten > FLUSH_BYTES:  # or the first ones might leave memory before they are written
                self._store.flush(CLOSE_S)
                unwritten = 0
        self._store.close()

    def touch(self, node: Node) -> None:
        """Note that a node and all that it grows from are in use now."""
        now_s = self._clock()
        for one in node.line():
            one.used_s = now_s

    def audit(self) -> list[str]:
        """What is wrong with the books, compared with libllama's own; empty if nothing is."""
        resident = [node for node in self.tree.nodes() if node.resident]
        wrong = []
        if sum(len(node.tokens) for node in resident) != self.cells:
            wrong.append(f"{self.cells} cells are on the books")
        for node in resident:
            if self._llama.span(node.sequence) != (node.start, node.end - 1):
                wrong.append(f"sequence {node.sequence} holds {self._llama.span(node.sequence)}, not {node.start} on")
            if any(not parent.resident for parent in node.line()):
                wrong.append(f"sequence {node.sequence} is here without what it grows from")
        for sequence in self._free:
            if self._llama.span(sequence) != (-1, -1):
                wrong.append(f"sequence {sequence} is free and holds {self._llama.span(sequence)}")
        return wrong

    def _sequence(self) -> int:
        """A free sequence number for a node, evicting another for it if need be; NOWHERE if none can be had."""
        if len(self._free) <= self.spare_sequences:
            victim = self._victim()
            if victim is None:
                return NOWHERE
            self._evict(victim)
        return self._free.pop()

    def _victim(self) -> Node | None:
        """The resident node to evict next: of those without users and resident children, the largest and oldest."""
        now_s = self._clock()
        able = (
            node
            for node in self.tree.nodes()
            if node.resident and not node.users and not any(child.resident for child in node.children.values())
        )
        return max(able, key=lambda node: (now_s - node.used_s) * len(node.tokens), default=None)

    def _evict(self, node: Node) -> None:
        self.save(node)
        self._let_go(node)

    def _let_go(self, node: Node) -> None:
        self.cells -= len(node.tokens)
        self.give_sequence(node.sequence)
        node.sequence = NOWHERE


def _name(node: Node) -> BlobName:
    return BlobName(node.adapter, node.start, node.path)
