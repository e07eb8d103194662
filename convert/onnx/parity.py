"""How far an exported encoder is from its PyTorch original, over lengths, batches and padding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from convert.errors import CheckError
from convert.onnx.session import EncoderSession

#: How close a float32 ONNX model's numbers must be to PyTorch's.
MAX_DIFFERENCE = 1e-4

#: One token, odd, a bucket, longer than a bucket. Those beyond the model are left out.
PARITY_LENGTHS = (1, 2, 7, 16, 33, 128)

#: Ids below it are special tokens in every family.
FIRST_WORD = 5


def parity(module: torch.nn.Module, path: Path, *, segments: bool, vocabulary: int, tokens: int) -> float:
    """Largest difference between the ONNX model's numbers and the module's, on random ids.

    Args:
        module: what was exported, as ``convert.onnx.trace.to_onnx`` takes it.
        path: the ONNX model.
        segments: whether it takes ``token_type_ids``.
        vocabulary: ids are below it.
        tokens: longest input.
    """
    session, rng, worst = EncoderSession(path, 0), np.random.default_rng(0), 0.0
    for length in (length for length in PARITY_LENGTHS if length <= tokens):
        ids = rng.integers(FIRST_WORD, vocabulary, (3, length), dtype=np.int64)
        mask = (np.arange(length) < np.array([[length], [max(1, length // 2)], [1]])).astype(np.int64)
        arrays = (ids, mask, np.zeros_like(ids))[: 3 if segments else 2]
        with torch.inference_mode():
            expected = module(*(torch.from_numpy(array) for array in arrays)).numpy()
        worst = max(worst, float(np.abs(session.run_arrays(ids, mask) - expected).max()))
    return worst


def require_parity(source: Path, difference: float) -> None:
    """Refuse an export that computes something else.

    Raises:
        CheckError: the difference is above MAX_DIFFERENCE, or not a number.
    """
    if not difference <= MAX_DIFFERENCE:
        raise CheckError(
            f"{source}: the float32 ONNX model differs from PyTorch by {difference:.1e}; expected at most "
            f"{MAX_DIFFERENCE:.0e}; are torch, transformers and onnxruntime of the versions that setup.cfg names?"
        )
