"""A PyTorch encoder to float32 ONNX; batch and length are free."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

OPSET = 17

#: Inputs in this order, int64 (B, T); the last only where the model takes it.
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def to_onnx(module: torch.nn.Module, path: Path, output: str, *, segments: bool) -> None:
    """Write the model.

    Args:
        module: in evaluation mode with eager attention; takes token ids, mask and, with ``segments``, segment ids by
            position, int64 (B, T), and gives one float32 (B, N).
        path: where to.
        output: what to call its output.
        segments: whether it takes ``token_type_ids``.
    """
    import torch

    names = list(INPUTS if segments else INPUTS[:2])
    ids = torch.full((2, 8), 3)
    inputs = (ids, torch.ones_like(ids), torch.zeros_like(ids))[: len(names)]
    with quiet():
        torch.onnx.export(
            module,
            inputs,
            str(path),
            input_names=names,
            output_names=[output],
            dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names} | {output: {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )


@contextmanager
def quiet() -> Iterator[None]:
    """The exporter's and the quantiser's remarks are about their own deprecations, not about the model."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        root.setLevel(level)
