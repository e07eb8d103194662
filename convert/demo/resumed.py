"""An exported guard's weights, to go on training from where only the bundle is left.

``guard.onnx`` holds int8 weights (per output channel for linear layers, one scale for an embedding) beside the float32
biases and norms. Dequantised they are the trained ones up to half a step of the scale, which training soon forgets.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from transformers import BertForSequenceClassification

from convert.demo.encoder import GrownEmbedding
from convert.errors import InputError

_LAYERS = ("/MatMul_quant", "/Gemm_MatMul_quant")


def resumed_model(guard: Path, encoder: Path, labels: int) -> BertForSequenceClassification:
    """The classifier of an exported guard, with fresh rows for labels that it does not have yet.

    Args:
        guard: ``guard.onnx`` that ``convert.guard.export`` exported from this architecture.
        encoder: folder of the encoder that it was made from: its configuration and its number of old rows.
        labels: of the new model; the first ones are the guard's own.

    Raises:
        InputError: the file has weights that this architecture does not, or lacks some.
    """
    model = BertForSequenceClassification.from_pretrained(encoder, num_labels=labels, attn_implementation="sdpa")
    weights = exported_weights(guard)
    known = model.bert.embeddings.word_embeddings.num_embeddings
    words = weights.pop("bert.embeddings.word_embeddings.weight")
    state = model.state_dict()
    for name, weight in weights.items():
        if name not in state or state[name].shape[1:] != weight.shape[1:]:
            raise InputError(f"{guard}: holds {name} {tuple(weight.shape)}; expected a guard exported from {encoder}")
        state[name][: weight.shape[0]] = weight
    missing = (
        {name for name in state if name.endswith("weight")} - set(weights) - {"bert.embeddings.word_embeddings.weight"}
    )
    if missing:
        raise InputError(f"{guard}: lacks {sorted(missing)[0]}; expected a guard exported from {encoder}")
    model.load_state_dict(state)
    embedding = torch.nn.Embedding(known, words.shape[1], padding_idx=0, _weight=words[:known].clone())
    grown = GrownEmbedding(embedding, words.shape[0] - known)
    grown.new = torch.nn.Parameter(words[known:].clone())
    model.bert.embeddings.word_embeddings = grown
    return model


def exported_weights(guard: Path) -> dict[str, torch.Tensor]:
    """Names as in the PyTorch model -> float32 tensors."""
    graph = onnx.load(str(guard)).graph
    stored = {entry.name: numpy_helper.to_array(entry) for entry in graph.initializer}
    found = {
        name.removeprefix("model."): torch.from_numpy(np.array(value))
        for name, value in stored.items()
        if name.startswith("model.") and name.endswith((".weight", ".bias"))
    }
    for name in stored:
        if name.startswith("model.") and name.endswith("embeddings.weight_quantized"):
            plain = name.removesuffix("_quantized")
            found[plain.removeprefix("model.")] = _dequantised(stored, plain)
    for node in graph.node:
        if node.op_type == "MatMulInteger" and node.name.endswith(_LAYERS):
            layer = node.name.rpartition("/")[0].removeprefix("/model/").replace("/", ".")
            matrix = node.input[1].removesuffix("_quantized")
            weight = _dequantised(stored, matrix)
            if (smoothing := stored.get(f"{matrix}_smoothing")) is not None:  # the rows hold their columns' factors
                weight *= torch.from_numpy(np.array(smoothing))[:, None]
            found[f"{layer}.weight"] = weight.T.contiguous()
    return found


def _dequantised(stored: dict[str, NDArray[np.generic]], name: str) -> torch.Tensor:
    """``(quantised - zero point) * scale``; the last axis is that of the scales, if there are several."""
    quantised, zero = stored[f"{name}_quantized"].astype(np.float32), stored[f"{name}_zero_point"].astype(np.float32)
    return torch.from_numpy((quantised - zero) * stored[f"{name}_scale"].astype(np.float32))
