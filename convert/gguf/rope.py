"""Rotary positions: how ``config.json`` spells their scaling, and Llama 3's factors, which become a tensor.

Llama 3's rule: transformers' ``_compute_llama3_parameters``; the factors divide the frequencies in llama.cpp.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convert.checkpoint.weights import Float32Array
from convert.errors import InputError, UnsupportedError
from convert.gguf.fields import get

#: Name of the tensor that holds Llama 3's factors.
ROPE_FREQS = "rope_freqs.weight"


@dataclass(frozen=True, slots=True)
class Rope:
    """Rotary positions.

    Attributes:
        type: ``default``, ``linear`` or ``llama3``.
        theta: base of the frequencies.
        factor: by how much positions are divided (``llama3``: those of long waves); 1 for ``default``.
        low: waves longer than ``original_tokens / low`` are divided by the whole factor; ``llama3`` only, else 0.
        high: waves shorter than ``original_tokens / high`` are left alone; ``llama3`` only, else 0.
        original_tokens: context that the model was first trained for; ``llama3`` only, else 0.
    """

    type: str
    theta: float
    factor: float = 1.0
    low: float = 0.0
    high: float = 0.0
    original_tokens: int = 0


def read_rope(raw: Mapping[str, object], known: Sequence[str], path: Path) -> Rope:
    """Read ``rope_parameters`` (transformers 5), or ``rope_theta`` and ``rope_scaling`` (transformers 4).

    Args:
        raw: ``config.json``.
        known: types that the family may have.
        path: of the file, for messages.

    Raises:
        InputError: a field is missing or of the wrong type.
        UnsupportedError: the type is not known.
    """
    scaling = raw.get("rope_parameters") or raw.get("rope_scaling") or {}
    if not isinstance(scaling, dict):
        raise InputError(f"{path}: rope parameters are {scaling!r}; expected an object")
    kind = scaling.get("rope_type") or scaling.get("type") or "default"
    if kind not in known:
        raise UnsupportedError(f"{path}: rotary scaling of type {kind!r}; expected one of {', '.join(known)}")
    theta = get({**raw, **scaling}, "rope_theta", float, path, 10000.0)
    if kind == "default":
        return Rope(kind, theta, get(scaling, "factor", float, path, 1.0))
    factor = get(scaling, "factor", float, path)
    if kind == "linear":
        return Rope(kind, theta, factor)
    low, high = get(scaling, "low_freq_factor", float, path), get(scaling, "high_freq_factor", float, path)
    original = get({**raw, **scaling}, "original_max_position_embeddings", int, path)
    if not 0 < low < high or factor <= 0 or original <= 0:
        raise InputError(
            f"{path}: llama3 rotary scaling with factor {factor:g}, low {low:g}, high {high:g} and {original} tokens; "
            "expected all above 0 and low below high; use the config.json that belongs to these weights"
        )
    return Rope(kind, theta, factor, low, high, original)


def llama3_factors(rope: Rope, head_dim: int) -> Float32Array:
    """Divisors of the rotary frequencies, shape (head_dim / 2,), computed in float32 throughout.

    The order of operations is that of the reference (a quotient of a number and a tensor is the number times the
    reciprocal there), because the last bit counts.
    """
    one = np.float32(1.0)
    exponents = np.arange(0, head_dim, 2, dtype=np.float32) / np.float32(head_dim)
    frequencies = one / np.power(np.float32(rope.theta), exponents)
    waves = (one / frequencies) * np.float32(2 * math.pi)
    smooth = (one / waves) * np.float32(rope.original_tokens) - np.float32(rope.low)
    smooth /= np.float32(rope.high - rope.low)
    between = one / ((one - smooth) / np.float32(rope.factor) + smooth)
    long, short = rope.original_tokens / rope.low, rope.original_tokens / rope.high
    chosen = np.where(waves < np.float32(short), one, np.where(waves > np.float32(long), rope.factor, between))
    return chosen.astype(np.float32)
