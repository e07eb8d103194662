"""The weight files of a model folder, one or many: their tensors by name, and one digest for all."""

from __future__ import annotations

import hashlib
from pathlib import Path

from convert.checkpoint.jsonfile import COPY_AGAIN, read_json
from convert.checkpoint.safetensors import index_file
from convert.checkpoint.weights import TensorRef
from convert.errors import InputError
from models.bundle import sha256_of

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files of a model folder, sorted by name.

    Raises:
        InputError: there are none, or the index names one that is missing.
    """
    if (folder / INDEX).is_file():
        names = read_json(folder / INDEX).get("weight_map")
        if not isinstance(names, dict) or not names:
            raise InputError(f"{folder / INDEX}: has no weight_map; {COPY_AGAIN}")
        return tuple(folder / name for name in sorted({str(name) for name in names.values()}))
    if not (folder / SINGLE).is_file():
        raise InputError(
            f"{folder}: holds neither {SINGLE} nor {INDEX}; expected safetensors weights; save the model with "
            "`save_pretrained(folder, safe_serialization=True)`"
        )
    return (folder / SINGLE,)


def index_folder(folder: Path, *, integers: bool = False) -> dict[str, TensorRef]:
    """References to all tensors of a model folder: file by file, by name within a file.

    Args:
        folder: the model folder.
        integers: whether the reader can unpack tensors of INTEGERS.

    Raises:
        InputError: a file is missing or damaged, or the index and the files disagree about a tensor.
    """
    files = weight_files(folder)
    refs: dict[str, TensorRef] = {}
    for path in files:
        refs.update(index_file(path, integers=integers))
    if (folder / INDEX).is_file():
        named = read_json(folder / INDEX)["weight_map"]
        assert isinstance(named, dict)  # weight_files has seen it
        wrong = sorted(set(named) ^ set(refs))
        if wrong:
            raise InputError(f"{folder / INDEX}: index and files disagree about {', '.join(wrong[:3])}; {COPY_AGAIN}")
    return refs


def weights_sha256(folder: Path) -> str:
    """One digest for all weight files: the file's own sha256, or that of ``sha256  name`` lines of several."""
    files = weight_files(folder)
    if len(files) == 1:
        return sha256_of(files[0])
    lines = "".join(f"{sha256_of(path)}  {path.name}\n" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()
