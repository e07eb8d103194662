"""Run an exported encoder on one thread over texts of any length, sorted by length so that little is padded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from convert.onnx.tokenizer import pad_id
from convert.onnx.trace import INPUTS
from convert.progress import Progress, silent

#: Rows a call.
BATCH = 16


class EncoderSession:
    """An ONNX encoder with one output; token ids in, one row of numbers per row of ids out."""

    def __init__(self, model: Path, padding: int) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._inputs = [entry.name for entry in self._session.get_inputs()]
        self._output = self._session.get_outputs()[0].name
        self._padding = padding

    def run(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """One batch: float32 (B, N) of B rows of token ids."""
        width = max(len(row) for row in rows)
        ids = np.full((len(rows), width), self._padding, dtype=np.int64)  # (B, T)
        mask = np.zeros_like(ids)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        return self.run_arrays(ids, mask)

    def run_arrays(self, ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
        """Token ids and mask (B, T) -> float32 (B, N)."""
        feeds = dict(zip(INPUTS, (ids, mask, np.zeros_like(ids)), strict=True))
        found = self._session.run([self._output], {name: feeds[name] for name in self._inputs})[0]
        return np.asarray(found, dtype=np.float32)

    def run_all(
        self, rows: Sequence[Sequence[int]], progress: Progress = silent, stage: str = "run"
    ) -> NDArray[np.float32]:
        """Every row in batches, float32 (R, N) in the order given; (0, 0) for none."""
        order = sorted(range(len(rows)), key=lambda number: len(rows[number]))
        made: NDArray[np.float32] | None = None
        for start in range(0, len(order), BATCH):
            part = order[start : start + BATCH]
            found = self.run([rows[number] for number in part])
            if made is None:
                made = np.empty((len(rows), found.shape[1]), np.float32)
            made[part] = found
            progress(stage, min(start + BATCH, len(order)), len(order))
        return np.empty((0, 0), np.float32) if made is None else made


def session_of(model: Path, words: Tokenizer) -> EncoderSession:
    """A session that pads as the tokenizer does."""
    return EncoderSession(model, pad_id(words))
