"""A float32 ONNX encoder with its matrices and embeddings in eight bits.

Weights are unsigned and use all eight bits, each output of a matrix with a scale of its own. Signed ones would have to
make do with seven: on x86 without VNNI a product of full-range int8 and uint8 saturates, and the same file would give
something else on each processor (https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html). Two
unsigned factors never do.

Activations are quantised as they come, one step for all columns. Of those that the second feed-forward matrices take,
a few columns are a hundred times the others: each column is divided by a factor, and the matrix's row multiplied by it,
so that both lose little (SmoothQuant, Xiao et al. 2022, arXiv 2211.10438). Left in float32 these products lose no less,
and the model takes half as long again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from convert.onnx.trace import quiet

#: Names of the nodes whose activations have wide columns: the second feed-forward matrix of BERT, RoBERTa and ALBERT.
WIDE = re.compile(r".*(layer\.\d+/output/dense|/ffn_output(_\d+)?)/MatMul")

#: A column is divided by its largest value to the power of this, over the matrix's to the rest. On MiniLM 0.5 and 0.95
#: lose half as much again as 0.65 to 0.8, and 0.35 ten times as much.
STRENGTH = 0.65
_LEAST = 1e-5


def quantize_encoder(source: Path, target: Path, texts: Sequence[Sequence[int]], *, per_channel: bool = True) -> None:
    """Write the quantised model.

    Args:
        source: the float32 model; inputs ``input_ids``, ``attention_mask`` and perhaps ``token_type_ids`` (B, T).
        target: where to.
        texts: token ids of texts, special tokens included, that show how large the activations get.
        per_channel: one scale for each output of a matrix instead of one for all.

    Raises:
        ValueError: no texts.
    """
    if not texts:
        raise ValueError("no texts to see the activations with; expected some")
    model = onnx.load(str(source))
    wide = {node.name: node.input[0] for node in model.graph.node if WIDE.fullmatch(node.name)}
    _smooth(model.graph, _largest(model, sorted(set(wide.values())), texts), frozenset(wide))
    smoothed = target.with_name(f"{target.name}.smoothed")
    onnx.save(model, str(smoothed))
    try:
        with quiet():
            quantize_dynamic(
                smoothed, target, weight_type=QuantType.QUInt8, per_channel=per_channel, reduce_range=False
            )
    finally:
        smoothed.unlink()


def _largest(
    model: onnx.ModelProto, names: Sequence[str], texts: Sequence[Sequence[int]]
) -> dict[str, NDArray[np.float32]]:
    """The largest magnitude of every column (K,) of the named activations."""
    if not names:
        return {}
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    del shown.graph.output[:]
    shown.graph.output.extend(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names)
    session = onnxruntime.InferenceSession(shown.SerializeToString(), providers=["CPUExecutionProvider"])
    inputs = [entry.name for entry in session.get_inputs()]
    found: dict[str, NDArray[np.float32]] = {}
    for ids in texts:
        row = np.array([ids], dtype=np.int64)  # (1, T)
        feeds = {"input_ids": row, "attention_mask": np.ones_like(row), "token_type_ids": np.zeros_like(row)}
        for name, values in zip(names, session.run(list(names), {i: feeds[i] for i in inputs}), strict=True):
            most = np.abs(np.asarray(values)).reshape(-1, values.shape[-1]).max(axis=0)
            found[name] = np.maximum(found.get(name, most), most)
    return found


def _smooth(graph: onnx.GraphProto, largest: dict[str, NDArray[np.float32]], names: frozenset[str]) -> None:
    """Put a division by each column's factor before the named nodes, and the factors into their matrices.

    A matrix that several layers share (ALBERT) gets the factors of the largest of all their activations.
    """
    stored = {entry.name: entry for entry in graph.initializer}
    users: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        if node.name in names and node.input[1] in stored:
            users.setdefault(node.input[1], []).append(node)
    added: dict[str, onnx.NodeProto] = {}
    for matrix, nodes in users.items():
        weights = numpy_helper.to_array(stored[matrix])  # (K, N)
        most = np.max([largest[node.input[0]] for node in nodes], axis=0)
        rows = np.abs(weights).max(axis=1)
        factors = np.maximum(most, _LEAST) ** STRENGTH / np.maximum(rows, _LEAST) ** (1 - STRENGTH)
        stored[matrix].CopyFrom(numpy_helper.from_array((weights * factors[:, None]).astype(np.float32), matrix))
        graph.initializer.append(numpy_helper.from_array((1 / factors).astype(np.float32), f"{matrix}_smoothing"))
        for node in nodes:
            smooth = f"{node.name}_smoothed"
            added[node.name] = helper.make_node(
                "Mul", [node.input[0], f"{matrix}_smoothing"], [smooth], f"{smooth}_mul"
            )
            node.input[0] = smooth
    ordered = [one for node in graph.node for one in (added.get(node.name), node) if one is not None]
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in ordered]
    del graph.node[:]
    graph.node.extend(copies)
