"""Score texts with an exported guard as the runtime does: windows of 128 tokens, the maximum over a text's windows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from convert.onnx.session import session_of
from convert.progress import Progress, silent

WINDOW_TOKENS = 128
OVERLAP_TOKENS = 32


class Scorer:
    """An ONNX guard with its tokenizer, on one thread."""

    def __init__(self, model: Path, tokenizer: Tokenizer) -> None:
        self._session = session_of(model, tokenizer)
        self._tokenizer = Tokenizer.from_str(tokenizer.to_str())
        self._tokenizer.enable_truncation(WINDOW_TOKENS, stride=OVERLAP_TOKENS)

    def probabilities(
        self, texts: Sequence[str], progress: Progress = silent, stage: str = "score"
    ) -> NDArray[np.float64]:
        """Every text's highest probabilities over its windows, float64 (N, L); (0, 0) for no texts."""
        owners: list[int] = []
        windows: list[list[int]] = []
        for row, first in enumerate(self._tokenizer.encode_batch(list(texts))):
            for window in (first, *first.overflowing):
                owners.append(row)
                windows.append(window.ids)
        logits = self._session.run_all(windows, progress, stage).astype(np.float64)
        if not len(logits):
            return np.empty((0, 0))
        best = np.full((len(texts), logits.shape[1]), -np.inf)
        np.maximum.at(best, owners, logits)
        return np.asarray(1 / (1 + np.exp(-best)))
