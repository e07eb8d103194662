"""A merged model folder: the base's files, with other weights in float32 in one safetensors file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from convert.checkpoint.folder import INDEX, SINGLE, index_folder, weight_files
from convert.checkpoint.weights import TensorRef
from convert.files import atomic_folder
from convert.gguf.writer import WeightPatch
from convert.progress import Progress, silent


def write_folder(base: Path, out: Path, patch: WeightPatch, progress: Progress = silent) -> Path:
    """Write a model folder whose weights are the base's with a patch applied.

    The small files are copied, ``tokenizer.model`` too, which transformers 5 leaves out when it saves a model. Memory:
    one tensor and its update, besides what the patch itself holds.

    Raises:
        InputError: the patch does not fit the base, or a weight is not finite.
    """
    refs = index_folder(base)
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
