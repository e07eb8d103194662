"""Merge a plain LoRA in float32 while the weights stream by: on their way into a GGUF, or into a model folder."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping

from convert.checkpoint.weights import Float32Array, TensorRef
from convert.errors import InputError
from convert.lora.adapter import Adapter

#: Rows are updated in pieces of this size, so that an update is added while it is still in the processor's cache.
PIECE_BYTES = 1 << 20


class LoraPatch:
    """Adds an adapter's updates to the weights that pass; knows at the end whether all were added.

    In float32 whatever the base is stored in: bfloat16 would lose one to four per cent of the update.
    """

    def __init__(self, adapter: Adapter) -> None:
        """Of a plain LoRA.

        Raises:
            UnsupportedError: there is more to it than the factors of linear layers.
        """
        adapter.require_plain("merging while the weights stream by")
        self._adapter = adapter
        self._rows_left = {name: pair.b.shape[0] for name, pair in adapter.pairs.items()}
        self._lock = threading.Lock()  # blocks may be merged by several threads
        self._factors: tuple[str, Float32Array, Float32Array] | None = None  # of the tensor that passes now

    def apply(self, name: str, weights: Float32Array, start: int = 0) -> Float32Array:
        """``weights + scale * B @ A``, in place, for a tensor that the adapter updates; else ``weights`` as they are.

        Args:
            name: of the base's tensor.
            weights: all of its rows, or a block of them, shape (rows, columns).
            start: number of the block's first row.

        Raises:
            InputError: the shapes disagree, or a factor holds NaN.
        """
        pair = self._adapter.pairs.get(name)
        if pair is None:
            return weights
        rows, columns = pair.b.shape[0], pair.a.shape[1]
        if weights.shape[1:] != (columns,) or start + len(weights) > rows:
            raise InputError(_other_shape(self._adapter, name, (start + len(weights), *weights.shape[1:])))
        a, b = self._read(name)
        step = max(1, PIECE_BYTES // (4 * columns))
        for first in range(0, len(weights), step):
            update = b[start + first : start + min(first + step, len(weights))] @ a
            update *= pair.scale
            weights[first : first + step] += update
        with self._lock:
            self._rows_left[name] -= len(weights)
        return weights

    def _read(self, name: str) -> tuple[Float32Array, Float32Array]:
        """Factors A (rank, columns) and B (rows, rank), read once for all blocks of a tensor."""
        held = self._factors
        if held is None or held[0] != name:
            pair = self._adapter.pairs[name]
            held = self._factors = name, pair.a.read(), pair.b.read()
        return held[1:]

    def finish(self) -> None:
        """Raise unless every update was applied to all of its rows, once.

        Raises:
            InputError: names those that were not.
        """
        left = [name for name, rows in self._rows_left.items() if rows]
        if left:
            raise InputError(_unapplied(self._adapter, left))


def refuse_misfit(adapter: Adapter, refs: Mapping[str, TensorRef], tied: bool) -> None:
    """Find out from headers alone whether every update has a tensor of its shape.

    Args:
        adapter: the adapter, plain or not.
        refs: the base's tensors.
        tied: whether the base's head is its embedding.

    Raises:
        InputError: one has none, or changes a head or an embedding that is the other one too.
    """
    missing = set(adapter.pairs) - set(refs)
    if missing:
        raise InputError(_unapplied(adapter, missing))
    ends = [name for name in (*adapter.pairs, *adapter.through_peft) if "lm_head" in name or "embed_tokens" in name]
    saved = adapter.config.get("modules_to_save")
    ends += [str(name) for name in saved if name in ("lm_head", "embed_tokens")] if isinstance(saved, list) else []
    if tied and ends:
        raise InputError(
            f"{adapter.folder}: changes {ends[0]}, and head and embedding are tied here, so that a file has room for "
            "one of them only; train it without lm_head and embed_tokens"
        )
    for name, pair in adapter.pairs.items():
        if refs[name].shape != (pair.b.shape[0], pair.a.shape[1]):
            raise InputError(_other_shape(adapter, name, refs[name].shape))


def _other_shape(adapter: Adapter, name: str, shape: tuple[int, ...]) -> str:
    pair = adapter.pairs[name]
    return (
        f"{adapter.folder}: updates {name} with shape {[pair.b.shape[0], pair.a.shape[1]]}; the base has "
        f"{list(shape)}; pass the base that it was trained on"
    )


def _unapplied(adapter: Adapter, names: Collection[str]) -> str:
    some = ", ".join(sorted(names)[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"{adapter.folder}: updates {some}, which the base does not have; pass the base that it was trained on"
