"""The prefix cache: running answers lease cells, share those that are already computed, and leave theirs behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from runtime.engine.blobs.store import BlobStore
from runtime.engine.kept import Kept
from runtime.engine.llama import Llama
from runtime.engine.prefix import NOWHERE, Node

#: A stored prefix of which fewer tokens are wanted is computed rather than brought back.
WORTH_RESTORING_TOKENS = 16


@dataclass(slots=True)
class Lease:
    """The cells of one running answer.

    Attributes:
        sequence: that holds them.
        limit: positions that it may come to take.
        node: the deepest kept prefix that it builds on.
        shared: positions that this prefix covers; those after it are the answer's own.
        restored: positions that came out of blobs.
    """

    sequence: int
    limit: int
    node: Node
    shared: int = 0
    restored: int = 0


class PrefixCache:
    """Who holds which cells. Used by the engine's thread only.

    Every cell belongs to one kept node or to one lease. A lease claims at once all cells that its answer can come to
    need, so that a running answer never finds the buffer full.
    """

    def __init__(
        self, llama: Llama, sequences: int, leases: int, store: BlobStore, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """An empty cache, but for what ``store`` knows from an earlier run.

        Args:
            llama: whose cells.
            sequences: sequence numbers, from 0 on.
            leases: answers that may run at once.
            store: where evicted prefixes go.
            clock: monotonic seconds.
        """
        self._llama = llama
        self._kept = Kept(llama, sequences, store, clock)
        self._kept.spare_sequences = leases

    @property
    def used(self) -> int:
        """Cells that are kept, or held or claimed by running answers."""
        return self._kept.cells + self._kept.claimed

    def admit(self, adapter: str, prompt: Sequence[int], limit: int) -> Lease | None:
        """Cells for an answer that takes at most ``limit`` positions, as many as possible already computed.

        The last token of the prompt is never shared: its logits are needed.

        Returns:
            The lease; None if running answers leave no room.
        """
        lease = Lease(NOWHERE, limit, self._kept.tree.root(adapter))
        self._descend(lease, prompt[:-1], restore=True)
        if not self._kept.room_for(limit - lease.shared):
            self._unpin(lease)
            return None
        lease.sequence = self._kept.take_sequence()
        self._kept.spare_sequences -= 1
        self._kept.claimed += limit - lease.shared
        for node in lease.node.line():
            self._llama.share(node.sequence, lease.sequence, node.start, node.end)
        return lease

    def catch_up(self, lease: Lease, prompt: Sequence[int]) -> None:
        """Share what others have computed since ``admit``. The lease must hold nothing of its own yet."""
        before = lease.shared
        self._descend(lease, prompt[:-1], restore=False)
        for node in lease.node.line():
            if node.start >= before:
                self._llama.share(node.sequence, lease.sequence, node.start, node.end)
        self._kept.claimed -= lease.shared - before

    def keep(self, lease: Lease, tokens: tuple[int, ...]) -> None:
        """Keep what a lease has computed, for those who come after it.

        Args:
            lease: whose cells hold ``tokens`` at the positions from 0 on.
            tokens: at least those of the last call, with the same beginning.
        """
        before = lease.shared
        while lease.shared < len(tokens):
            step = self._kept.tree.step(lease.node, tokens, lease.shared)
            if not (self._merge(lease, *step) if step else self._grow(lease, tokens[lease.shared :])):
                break
        self._kept.touch(lease.node)
        self._kept.claimed -= lease.shared - before

    def persist(self, lease: Lease) -> None:
        """Write the prefix that a lease builds on, so that it also survives a loss of power."""
        for node in lease.node.line():
            self._kept.save(node)

    def release(self, lease: Lease) -> None:
        """Give back the cells that are not kept."""
        self._unpin(lease)
        self._kept.claimed -= lease.limit - lease.shared
        self._kept.give_sequence(lease.sequence)
        self._kept.spare_sequences += 1

    def tidy(self) -> None:
        """Forget what the store had to give up; to be called now and then."""
        self._kept.forget_lost()

    def close(self) -> None:
        """Spill all that is kept."""
        self._kept.close()

    def audit(self) -> list[str]:
        """What is wrong with the books while no answer runs; empty if nothing is."""
        wrong = self._kept.audit()
        if self._kept.claimed:
            wrong.append(f"{self._kept.claimed} cells are claimed by nobody")
        if any(node.users for node in self._kept.tree.nodes()):
            wrong.append("a kept prefix has users")
        return wrong

    def _descend(self, lease: Lease, tokens: Sequence[int], *, restore: bool) -> None:
        """Move a lease down the tree as far as cells are there or come back; each node is pinned when reached."""
        while step := self._kept.tree.step(lease.node, tokens, lease.shared):
            node, same = step
            if not node.resident:
                worth = same >= min(WORTH_RESTORING_TOKENS, len(node.tokens))
                if not (restore and worth and self._kept.bring_back(node)):
                    break
                lease.restored += same
            part = node if same == len(node.tokens) else self._kept.split(node, same)
            if part is None:
                break
            self._pin(lease, part)
        self._kept.touch(lease.node)

    def _grow(self, lease: Lease, tokens: tuple[int, ...]) -> bool:
        """Keep tokens that the tree does not know; False without a sequence number for them."""
        node = lease.node
        if node.users == 1 and not node.children and not node.stored:  # nobody's but the lease's own
            self._kept.extend(node, tokens, lease.sequence)
            lease.shared = node.end
            return True
        leaf = self._kept.tree.add(node, tokens)
        if not self._kept.settle(leaf, lease.sequence):
            self._kept.tree.remove(leaf)
            return False
        self._pin(lease, leaf)
        return True

    def _merge(self, lease: Lease, node: Node, same: int) -> bool:
        """Keep tokens that the tree knows: one set of cells is enough. False if it cannot be done."""
        if same < len(node.tokens):
            if not (node.resident or self._kept.bring_back(node)):
                if node.parent is not None:
                    self._kept.drop(node)
                return True  # nothing is in the way any more
            part = self._kept.split(node, same)
            if part is None:
                return False
            node = part
        if node.resident:
            self._llama.forget(lease.sequence, node.start, node.end)
            self._llama.share(node.sequence, lease.sequence, node.start, node.end)
        elif not self._kept.settle(node, lease.sequence):
            return False
        self._pin(lease, node)
        return True

    @staticmethod
    def _pin(lease: Lease, node: Node) -> None:
        node.users += 1
        lease.node, lease.shared = node, node.end

    @staticmethod
    def _unpin(lease: Lease) -> None:
        for node in lease.node.line():
            node.users -= 1
