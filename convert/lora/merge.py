"""Merge a LoRA adapter into weights in float32, tensor by tensor: on their way into a GGUF, or into a model folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from convert.checkpoint import INDEX, SINGLE, Float32Array, TensorRef, index_folder, weight_files
from convert.errors import InputError
from convert.files import atomic_folder
from convert.lora.adapter import Adapter
from convert.progress import Progress, silent


class LoraPatch:
    """Adds an adapter's updates to the tensors that pass; knows at the end whether all were added."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self._left = set(adapter.pairs)

    def apply(self, name: str, weights: Float32Array) -> Float32Array:
        """``weights + scale * B @ A``, in place, for a tensor that the adapter updates; else ``weights`` as they are.

        Raises:
            InputError: the shapes disagree, or a factor holds NaN.
        """
        pair = self._adapter.pairs.get(name)
        if pair is None:
            return weights
        _refuse_shape(self._adapter, name, weights.shape)
        update = pair.b.read() @ pair.a.read()  # (rows, rank) @ (rank, columns)
        update *= pair.scale
        update += weights
        self._left.discard(name)
        return update

    def finish(self) -> None:
        """Raise unless every update was applied.

        Raises:
            InputError: names those that were not.
        """
        if self._left:
            raise InputError(_unapplied(self._adapter, self._left))


def refuse_misfit(adapter: Adapter, refs: Mapping[str, TensorRef], tied: bool) -> None:
    """Find out from headers alone whether every update has a tensor of its shape.

    Raises:
        InputError: one has none, or updates a head that is also the embedding.
    """
    missing = set(adapter.pairs) - set(refs)
    if missing:
        raise InputError(_unapplied(adapter, missing))
    if tied and "lm_head.weight" in adapter.pairs:
        raise InputError(
            f"{adapter.folder}: updates lm_head, which is tied to the embedding here; train it without lm_head"
        )
    for name in adapter.pairs:
        _refuse_shape(adapter, name, refs[name].shape)


def write_merged_folder(base: Path, adapter: Adapter, out: Path, progress: Progress = silent) -> Path:
    """Write a model folder with the merged weights in float32, in one file, and the base's other files.

    Memory: one tensor and its update.

    Raises:
        InputError: the adapter does not fit, or a weight is not finite.
    """
    refs = index_folder(base)
    patch = LoraPatch(adapter)
    weights = {path.name for path in weight_files(base)} | {INDEX}
    with atomic_folder(out) as folder:
        for path in sorted(base.iterdir()):
            if path.is_file() and path.name not in weights:
                shutil.copyfile(path, folder / path.name)
        with (folder / SINGLE).open("wb") as file:
            file.write(_header(refs))
            for number, (name, ref) in enumerate(refs.items()):
                progress("merge", number, len(refs))
                patch.apply(name, ref.read()).tofile(file)
        patch.finish()
    progress("merge", len(refs), len(refs))
    return out


def _header(refs: Mapping[str, TensorRef]) -> bytes:
    """A safetensors header for the tensors as float32, in order, padded to 8 bytes."""
    entries: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, ref in refs.items():
        begin, end = end, end + 4 * ref.elements
        entries[name] = {"dtype": "F32", "shape": list(ref.shape), "data_offsets": [begin, end]}
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _refuse_shape(adapter: Adapter, name: str, shape: tuple[int, ...]) -> None:
    pair = adapter.pairs[name]
    update = (pair.b.shape[0], pair.a.shape[1])
    if update != shape:
        raise InputError(
            f"{adapter.folder}: updates {name} with shape {list(update)}; the base has {list(shape)}; "
            "pass the base that it was trained on"
        )


def _unapplied(adapter: Adapter, names: set[str]) -> str:
    some = ", ".join(sorted(names)[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return f"{adapter.folder}: updates {some}, which the base does not have; pass the base that it was trained on"
