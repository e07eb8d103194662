"""A float32 ONNX encoder with its matrices and embeddings in eight bits.

Weights are unsigned and use all eight bits, each output of a matrix with a scale of its own. Signed ones would have to
make do with seven: on x86 without VNNI a product of full-range int8 and uint8 saturates, and the same file would give
something else on each processor (https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html). Two
unsigned factors never do.

Activations are quantised as they come, but for those that the second feed-forward matrices take: a few of their
columns are a hundred times the others and set the step for all. These matrices are small in the file and multiply in
float32 (``DequantizeLinear`` before ``MatMul``).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from convert.onnx.trace import quiet

#: Names of the nodes whose activations stay float32: the second feed-forward matrix of BERT, RoBERTa and ALBERT.
WIDE = re.compile(r".*(layer\.\d+/output/dense|/ffn_output(_\d+)?)/MatMul")

_STEPS = 255


def quantize_encoder(source: Path, target: Path, *, per_channel: bool = True) -> None:
    """Write the quantised model.

    Args:
        source: the float32 model.
        target: where to.
        per_channel: one scale for each output of a matrix instead of one for all.
    """
    names = [node.name for node in onnx.load(str(source)).graph.node if WIDE.fullmatch(node.name)]
    with quiet():
        quantize_dynamic(
            source,
            target,
            weight_type=QuantType.QUInt8,
            per_channel=per_channel,
            reduce_range=False,
            nodes_to_exclude=names,
        )
    model = onnx.load(str(target))
    _store_small(model.graph, frozenset(names))
    onnx.save(model, str(target))


def quantized_columns(
    matrix: NDArray[np.float32],
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8]]:
    """uint8 (K, N), scales (N,) and zero points (N,): ``matrix`` is about (values - zero points) * scales.

    Zero is exact in every column; a column of zeros has scale 1.
    """
    low, high = np.minimum(matrix.min(axis=0), 0), np.maximum(matrix.max(axis=0), 0)
    scales = np.where(high > low, (high - low) / _STEPS, 1).astype(np.float32)
    zeros = np.rint(-low / scales).astype(np.uint8)
    values = np.clip(np.rint(matrix / scales) + zeros, 0, _STEPS).astype(np.uint8)
    return values, scales, zeros


def _store_small(graph: onnx.GraphProto, names: frozenset[str]) -> None:
    """Put the constant matrices of the named nodes into uint8, with the node that makes them float32 again."""
    stored = {entry.name: entry for entry in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        matrix = node.input[1] if node.name in names else ""
        if matrix in stored:
            parts = quantized_columns(numpy_helper.to_array(stored.pop(matrix)))
            ends = ("_quantized", "_scale", "_zero_point")
            for part, end in zip(parts, ends, strict=True):
                graph.initializer.append(numpy_helper.from_array(part, matrix + end))
            inputs = [matrix + end for end in ends]
            nodes.append(helper.make_node("DequantizeLinear", inputs, [matrix], f"{node.name}_dequant", axis=1))
            graph.initializer.remove(next(entry for entry in graph.initializer if entry.name == matrix))
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
