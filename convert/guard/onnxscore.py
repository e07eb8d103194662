"""Score texts with an exported guard as the runtime does: windows of 128 tokens, the maximum over a text's windows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from convert.progress import Progress, silent

WINDOW_TOKENS = 128
OVERLAP_TOKENS = 32

#: Windows a call; they are sorted by length, so little is padded.
BATCH = 16


class Scorer:
    """An ONNX guard with its tokenizer, on one thread."""

    def __init__(self, model: Path, tokenizer: Tokenizer) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._inputs = [entry.name for entry in self._session.get_inputs()]
        self._tokenizer = Tokenizer.from_str(tokenizer.to_str())
        self._tokenizer.enable_truncation(WINDOW_TOKENS, stride=OVERLAP_TOKENS)

    def probabilities(
        self, texts: Sequence[str], progress: Progress = silent, stage: str = "score"
    ) -> NDArray[np.float64]:
        """Every text's highest probabilities over its windows, float64 (N, L); (0, 0) for no texts."""
        windows: list[tuple[int, Encoding]] = []
        for row, first in enumerate(self._tokenizer.encode_batch(list(texts))):
            windows += [(row, window) for window in (first, *first.overflowing)]
        windows.sort(key=lambda item: len(item[1].ids))
        best: NDArray[np.float64] | None = None
        for start in range(0, len(windows), BATCH):
            part = windows[start : start + BATCH]
            found = self._run([window.ids for _, window in part])
            if best is None:
                best = np.full((len(texts), found.shape[1]), -np.inf)
            np.maximum.at(best, [row for row, _ in part], found)
            progress(stage, min(start + BATCH, len(windows)), len(windows))
        return np.empty((0, 0)) if best is None else np.asarray(1 / (1 + np.exp(-best)))

    def _run(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float64]:
        width = max(len(row) for row in rows)
        ids = np.full((len(rows), width), self._pad(), dtype=np.int64)  # (B, T)
        mask = np.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        logits = self._session.run(["logits"], {name: feeds[name] for name in self._inputs})[0]
        return np.asarray(logits, dtype=np.float64)

    def _pad(self) -> int:
        """RoBERTa derives positions from it, so it has to be the model's own."""
        found = (self._tokenizer.token_to_id(token) for token in ("[PAD]", "<pad>"))
        return next((int(token) for token in found if token is not None), 0)
