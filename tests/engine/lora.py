"""Small LoRA adapters for a GGUF model, made up at random but real: libllama loads them and they change the logits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gguf
import numpy as np

TARGETS = ("attn_q.weight", "attn_v.weight", "ffn_down.weight")


@dataclass(frozen=True, slots=True)
class Target:
    """A matrix that an adapter changes: its name in the GGUF file, its shape (n_out, n_in), its Frobenius norm."""

    name: str
    n_out: int
    n_in: int
    norm: float


def write_lora(path: Path, model: Path, seed: int, *, rank: int = 4, scale: float = 1.0) -> Path:
    """Write an adapter for every block's query, value and down projection.

    Args:
        path: the GGUF file to write.
        model: the GGUF model it is for; its architecture and shapes are read.
        seed: another seed gives another adapter, the same one the same bytes.
        rank: rows of each A, shape (rank, n_in), and columns of each B, shape (n_out, rank).
        scale: Frobenius norm of the change B A, relative to the norm of the weights it is added to; at 1 the model
            says something else altogether.
    """
    architecture, targets = _targets(model)
    random = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(rank))  # libllama multiplies by alpha / rank
    for target in targets:
        a = random.standard_normal((rank, target.n_in), dtype=np.float32)
        b = random.standard_normal((target.n_out, rank), dtype=np.float32)
        change = np.sqrt(np.sum((b.T @ b) * (a @ a.T)))  # the norm of b @ a, without computing it
        writer.add_tensor(f"{target.name}.lora_a", a)
        writer.add_tensor(f"{target.name}.lora_b", b * np.float32(scale * target.norm / change))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


@cache
def _targets(model: Path) -> tuple[str, tuple[Target, ...]]:
    """A model's architecture and the matrices to change, read and measured once."""
    reader = gguf.GGUFReader(model)
    targets = []
    for tensor in reader.tensors:
        if tensor.name.endswith(TARGETS):
            weights = gguf.dequantize(tensor.data, tensor.tensor_type)  # (n_out, n_in), float32
            targets.append(Target(tensor.name, *weights.shape, float(np.linalg.norm(weights))))
    return reader.fields["general.architecture"].contents(), tuple(targets)
