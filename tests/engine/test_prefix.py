"""The radix tree: every prefix is found again as far as it agrees, whatever was added and cut before."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtime.engine.prefix import Node, PrefixTree, common_prefix

TOKENS = st.lists(st.integers(0, 2), min_size=1, max_size=12).map(tuple)


def put(tree: PrefixTree, tokens: tuple[int, ...], adapter: str = "") -> Node:
    node, at = tree.root(adapter), 0
    while at < len(tokens):
        step = tree.step(node, tokens, at)
        if step is None:
            return tree.add(node, tokens[at:])
        child, same = step
        node = child if same == len(child.tokens) else tree.split(child, same)
        at = node.end
    return node


def known(tree: PrefixTree, tokens: tuple[int, ...], adapter: str = "") -> int:
    node, at = tree.root(adapter), 0
    while step := tree.step(node, tokens, at):
        node, at = step[0], at + step[1]
        if at < node.end:
            break
    return at


@given(st.lists(TOKENS, max_size=12), TOKENS)
def test_the_longest_known_prefix_is_found(added: list[tuple[int, ...]], asked: tuple[int, ...]) -> None:
    tree = PrefixTree()
    for tokens in added:
        assert put(tree, tokens).path == tokens
    assert known(tree, asked) == max((common_prefix(asked, tokens) for tokens in added), default=0)


@given(st.lists(TOKENS, min_size=1, max_size=12))
def test_no_token_is_held_twice_and_every_stretch_follows_its_parent(added: list[tuple[int, ...]]) -> None:
    tree = PrefixTree()
    for tokens in added:
        put(tree, tokens)
    nodes = list(tree.nodes())
    prefixes = {tokens[:end] for tokens in added for end in range(1, len(tokens) + 1)}
    assert sum(len(node.tokens) for node in nodes) == len(prefixes)
    for node in nodes:
        assert node.parent is not None
        assert node.start == node.parent.end
        assert all(first == child.tokens[0] for first, child in node.children.items())


def test_who_builds_on_a_node_builds_on_both_halves_of_it() -> None:
    tree = PrefixTree()
    node = put(tree, (1, 2, 3, 4))
    node.users = 2
    upper = tree.split(node, 1)
    assert (upper.tokens, upper.users, node.tokens, node.start, node.users) == ((1,), 2, (2, 3, 4), 1, 2)
    assert list(node.line()) == [node, upper]


def test_adapters_share_nothing() -> None:
    tree = PrefixTree()
    put(tree, (1, 2, 3), "refunds")
    assert known(tree, (1, 2, 3)) == 0
    assert known(tree, (1, 2, 3), "refunds") == 3


def test_an_ending_is_found_only_where_a_stretch_ends() -> None:
    tree = PrefixTree()
    node = put(tree, (1, 2, 3))
    assert tree.ending("", (1, 2, 3)) is node
    assert tree.ending("", (1, 2)) is None
    assert tree.ending("", (1, 2, 3, 4)) is None
    assert tree.ending("", ()) is tree.root("")


def test_what_is_removed_is_not_found_with_all_that_follows() -> None:
    tree = PrefixTree()
    first = put(tree, (1, 2))
    put(tree, (1, 2, 3))
    put(tree, (4,))
    tree.remove(first)
    assert known(tree, (1, 2, 3)) == 0
    assert known(tree, (4,)) == 1
