"""Which answers are made from one template: clusters of texts with many word trigrams in common.

The comparison is exact: every two texts that reach the threshold are in one cluster, however common their trigrams
are, so a split by cluster leaves no two of them apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

#: Jaccard similarity of two texts' word trigrams from which they count as made from one template.
SAME_TEMPLATE = 0.3

_Int = npt.NDArray[np.int64]


def shingles(text: str, size: int = 3) -> frozenset[tuple[str, ...]]:
    """Runs of ``size`` words; a letter that is not a to z (such as a Chinese one) counts as a word."""
    words = re.findall(r"[a-z']+|[^\W\d_a-z]", text.lower())
    return frozenset(tuple(words[i : i + size]) for i in range(max(1, len(words) - size + 1)))


def clusters(texts: Sequence[str], keys: Sequence[str]) -> list[int]:
    """Cluster items any two of whose texts are alike, or whose keys are.

    Args:
        texts: of each item.
        keys: of each item, what it shares with its like.

    Returns:
        One cluster number an item, in order.
    """
    parent = list(range(len(texts)))

    def find(item: int) -> int:
        while parent[item] != item:
            parent[item] = parent[parent[item]]
            item = parent[item]
        return item

    first: dict[str, int] = {}
    for index, key in enumerate(keys):
        parent[find(index)] = find(first.setdefault(key, index))
    owners: dict[frozenset[tuple[str, ...]], int] = {}  # one text for all that are equal
    for index, text in enumerate(texts):
        parent[find(index)] = find(owners.setdefault(shingles(text), index))
    items = list(owners.values())
    for one, other in _alike(list(owners)):
        parent[find(items[one])] = find(items[other])
    return [find(index) for index in range(len(texts))]


def _alike(grams: Sequence[frozenset[tuple[str, ...]]]) -> list[tuple[int, int]]:
    """All pairs of sets with a Jaccard similarity of SAME_TEMPLATE or more, the later one first."""
    if not grams:
        return []
    numbers: dict[tuple[str, ...], int] = {}
    rows = [np.array([numbers.setdefault(gram, len(numbers)) for gram in sorted(own)]) for own in grams]
    sizes = np.array([len(row) for row in rows])
    holders = _holders(rows, sizes, len(numbers))
    found: list[tuple[int, int]] = []
    for index, row in enumerate(rows):
        earlier = [holder[: np.searchsorted(holder, index)] for holder in (holders[gram] for gram in row)]
        shared = np.bincount(np.concatenate(earlier), minlength=1)
        others = np.flatnonzero(shared)
        union = sizes[others] + sizes[index] - shared[others]
        found += [(index, int(other)) for other in others[shared[others] >= SAME_TEMPLATE * union]]
    return found


def _holders(rows: Sequence[_Int], sizes: _Int, grams: int) -> list[_Int]:
    """Of each gram, the rows that hold it, ascending."""
    flat = np.concatenate(rows)
    order = np.argsort(flat, kind="stable")
    owner = np.repeat(np.arange(len(rows)), sizes)[order]
    return np.split(owner, np.searchsorted(flat[order], np.arange(1, grams)))
