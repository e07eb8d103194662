"""All windows of all training texts in three flat arrays, as an EmbeddingBag takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from convert.progress import Progress, silent
from models.ngrams import LONG_STEP, LONG_WINDOW, SHORT_STEP, SHORT_WINDOW, Grams, grams, windows

#: Characters of a text that are learned from, and windows of each length.
MAX_CHARS = 6000
MAX_LONG, MAX_SHORT = 24, 48

_BATCH = 4096

Floats = NDArray[np.float32]
Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Windows:
    """W windows of N texts.

    Attributes:
        ids: (F,) int32, the buckets of all windows, one window after the other.
        values: (F,) float32, their values.
        offsets: (W + 1,) int64, where each window begins.
        owners: (W,) int64, whose it is.
        short: (W,) bool, whether it is a short one.
        count: N.
    """

    ids: NDArray[np.int32]
    values: Floats
    offsets: Ids
    owners: Ids
    short: NDArray[np.bool_]
    count: int

    @classmethod
    def of(cls, texts: Sequence[str], progress: Progress = silent) -> Windows:
        """Cut texts as ``models.ngram_classifier`` reads them; of a very long one only the beginning."""
        ids, values, owners, short = [], [], [], []
        for owner, text in enumerate(texts):
            found = grams(text[:MAX_CHARS])
            tokens = len(found.starts)
            long = windows(tokens, LONG_WINDOW, LONG_STEP)[:MAX_LONG]
            brief = windows(tokens, SHORT_WINDOW, SHORT_STEP)[: MAX_SHORT if tokens > SHORT_WINDOW else 0]
            for row, (first, past) in enumerate(np.concatenate([long, brief]).tolist()):
                buckets, weights = _features(found, first, past)
                ids.append(buckets)
                values.append(weights)
                owners.append(owner)
                short.append(row >= len(long))
            if owner % 2000 == 1999 or owner + 1 == len(texts):
                progress("cut into windows", owner + 1, len(texts))
        offsets = np.cumsum([0] + [len(part) for part in ids])
        return cls(np.concatenate(ids), np.concatenate(values), offsets, np.array(owners), np.array(short), len(texts))

    def bag(self, chosen: Ids) -> tuple[Ids, Floats, Ids]:
        """Ids, values and offsets of the windows ``chosen``."""
        lengths = self.offsets[chosen + 1] - self.offsets[chosen]
        begin = np.cumsum(lengths) - lengths
        places = np.arange(int(lengths.sum())) + np.repeat(self.offsets[chosen] - begin, lengths)
        return self.ids[places].astype(np.int64), self.values[places], begin

    def logits(self, weights: Floats, bias: float) -> Floats:
        """Of every window, (W,) float32."""
        out = np.empty(len(self.owners), np.float32)
        for start in range(0, len(out), _BATCH):
            begin, end = self.offsets[start], self.offsets[min(start + _BATCH, len(out))]
            running = np.concatenate([np.zeros(1), np.cumsum(weights[self.ids[begin:end]] * self.values[begin:end])])
            edges = self.offsets[start : start + _BATCH + 1] - begin
            out[start : start + _BATCH] = running[edges[1:]] - running[edges[:-1]] + bias
        return out

    def highest(self, weights: Floats, bias: float) -> Floats:
        """Of every text the highest logit of its windows, (N,) float32; -60 for a text without one."""
        best = np.full(self.count, -60.0, np.float32)
        np.maximum.at(best, self.owners, self.logits(weights, bias))
        return best


def _features(found: Grams, first: int, past: int) -> tuple[NDArray[np.int32], Floats]:
    """Buckets and values of the tokens ``first`` to ``past``: every gram counts one over the root of their number."""
    ids, values = [], []
    for buckets, places in ((found.words, found.word_places), (found.chars, found.char_places)):
        own = buckets[(places >= first) & (places < past)].astype(np.int32)
        ids.append(own)
        values.append(np.full(len(own), 1 / np.sqrt(max(1, len(own))), np.float32))
    return np.concatenate(ids), np.concatenate(values)
