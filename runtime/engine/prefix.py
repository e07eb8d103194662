"""A radix tree over token ids: which prefixes are known, and where each one's cells are. It knows no libllama.

Source of the idea: RadixAttention (Zheng et al. 2024, SGLang, arXiv 2312.07104). Here a node also owns exactly one
sequence number of libllama, which holds the cells of the node's own stretch of positions and nothing else, so that
one node is one entry of the cache, one unit of eviction and one blob.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

#: Sequence number of a node whose cells are not in the KV buffer.
NOWHERE = -1


class Node:
    """A stretch of tokens that follow those of its parents.

    Attributes:
        adapter: under which its cells are computed.
        tokens: of this stretch; at least one, but for a root.
        start: position of the first.
        parent: what comes before; None for a root.
        children: what may follow, by first token.
        sequence: who holds its cells; NOWHERE if they are not in the KV buffer.
        stored: whether a blob holds them.
        users: running answers that build on it; its cells stay while there are any.
        used_s: when it was last built on.
    """

    __slots__ = ("adapter", "children", "parent", "sequence", "start", "stored", "tokens", "used_s", "users")

    def __init__(self, adapter: str, tokens: tuple[int, ...], start: int, parent: Node | None) -> None:
        self.adapter = adapter
        self.tokens = tokens
        self.start = start
        self.parent = parent
        self.children: dict[int, Node] = {}
        self.sequence = NOWHERE
        self.stored = False
        self.users = 0
        self.used_s = 0.0

    @property
    def end(self) -> int:
        """Position after the last token."""
        return self.start + len(self.tokens)

    @property
    def resident(self) -> bool:
        """Whether its cells are in the KV buffer."""
        return self.sequence != NOWHERE

    @property
    def path(self) -> tuple[int, ...]:
        """All tokens from position 0 to its end."""
        parts = [node.tokens for node in self.line()]
        return tuple(token for part in reversed(parts) for token in part)

    def line(self) -> Iterator[Node]:
        """Itself and its parents up to the root, which is left out."""
        node = self
        while node.parent is not None:
            yield node
            node = node.parent

    def below(self) -> Iterator[Node]:
        """All nodes under it."""
        for child in self.children.values():
            yield child
            yield from child.below()


class PrefixTree:
    """All prefixes, a root for each adapter: the same tokens have other cells under another adapter."""

    def __init__(self) -> None:
        self._roots: dict[str, Node] = {}

    def root(self, adapter: str) -> Node:
        """Where the prompts of an adapter begin."""
        return self._roots.setdefault(adapter, Node(adapter, (), 0, None))

    def nodes(self) -> Iterator[Node]:
        """Every node but the roots, parents first."""
        for root in self._roots.values():
            yield from root.below()

    def ending(self, adapter: str, tokens: Sequence[int]) -> Node | None:
        """The node, perhaps the root, at whose end exactly these tokens have been said; None if there is none."""
        node, at = self.root(adapter), 0
        while step := self.step(node, tokens, at):
            node, at = step[0], at + step[1]
            if at != node.end:
                return None
        return node if at == len(tokens) else None

    @staticmethod
    def step(node: Node, tokens: Sequence[int], at: int) -> tuple[Node, int] | None:
        """The child with which ``tokens[at:]`` begins, and how many of its tokens agree (at least one); or None."""
        child = node.children.get(tokens[at]) if at < len(tokens) else None
        return None if child is None else (child, common_prefix(child.tokens, tokens[at : at + len(child.tokens)]))

    @staticmethod
    def add(parent: Node, tokens: tuple[int, ...]) -> Node:
        """A new leaf. The parent must not have a child that begins with the same token."""
        assert tokens[0] not in parent.children
        node = Node(parent.adapter, tokens, parent.end, parent)
        parent.children[tokens[0]] = node
        return node

    @staticmethod
    def split(node: Node, at: int) -> Node:
        """Cut a node in two before its token number ``at``; the new upper part, without cells, is returned.

        The lower part stays the same object, so who builds on it builds on both.
        """
        assert 0 < at < len(node.tokens)
        parent = node.parent
        assert parent is not None
        upper = Node(node.adapter, node.tokens[:at], node.start, parent)
        upper.users, upper.used_s = node.users, node.used_s
        upper.children[node.tokens[at]] = node
        parent.children[node.tokens[0]] = upper
        node.tokens, node.start, node.parent = node.tokens[at:], node.start + at, upper
        return upper

    @staticmethod
    def remove(node: Node) -> None:
        """Cut off a node with everything under it."""
        assert node.parent is not None
        del node.parent.children[node.tokens[0]]
        node.parent = None


def common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """How many tokens agree from the beginning."""
    if a == b:  # the usual case, and compared in C
        return len(a)
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))
