"""The converter that the pinned llama-cpp-python carries, unpacked from its own source distribution."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from importlib import metadata
from pathlib import Path

import gguf
import numpy as np
import pytest

from tests.paths import ROOT

CACHE = ROOT / ".cache" / "reference"


def find_reference() -> Path:
    """``llama.cpp`` with ``convert_hf_to_gguf.py``, its gguf-py and the vocabularies in ``models``; skips without."""
    version = metadata.version("llama-cpp-python")
    name = f"llama_cpp_python-{version}"
    folder = CACHE / name / "vendor" / "llama.cpp"
    if not (folder / "convert_hf_to_gguf.py").is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        if not (CACHE / f"{name}.tar.gz").is_file():
            options = ["--no-deps", "--no-binary", ":all:", "--dest", str(CACHE), f"llama-cpp-python=={version}"]
            got = subprocess.run([sys.executable, "-m", "pip", "download", *options], capture_output=True, text=True)
            if got.returncode != 0:
                pytest.skip(f"no sdist of llama-cpp-python {version}: {got.stderr.strip().splitlines()[-1]}")
        with tarfile.open(CACHE / f"{name}.tar.gz") as archive:
            archive.extractall(CACHE, filter="data")
    return folder


def run(reference: Path, *arguments: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run it as its own process; nothing in the environment may take its own gguf-py from it.

    Args:
        reference: the llama.cpp folder.
        arguments: of the script.
        options: of Python.
    """
    env = {name: value for name, value in os.environ.items() if name not in ("NO_LOCAL_GGUF", "PYTHONPATH")}
    command = [sys.executable, *options, str(reference / "convert_hf_to_gguf.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=env)


def convert(reference: Path, folder: Path, precision: str, out: Path) -> Path:
    """What the reference writes for a model folder."""
    done = run(reference, str(folder), "--outtype", precision, "--outfile", str(out))
    assert done.returncode == 0, done.stderr[-2000:]
    return out


def difference(ours: Path, theirs: Path) -> str:
    """Empty if every byte is the same; else the first key or tensor that is another, or the first byte."""
    left, right = ours.read_bytes(), theirs.read_bytes()
    if left == right:
        return ""
    readers = gguf.GGUFReader(ours), gguf.GGUFReader(theirs)
    keys = [[(f.name, f.types, f.contents()) for f in reader.fields.values()] for reader in readers]
    tensors = [[(t.name, t.tensor_type, t.shape.tolist(), t.data.tobytes()) for t in r.tensors] for r in readers]
    for table in ("key", "tensor"):
        rows = keys if table == "key" else tensors
        for mine, its in zip(*rows, strict=False):
            if mine != its and not mine[0].startswith("GGUF."):  # the header's counts follow from the rest
                return f"{table} {mine[0]}" if mine[0] == its[0] else f"{table} {mine[0]} in place of {its[0]}"
        if len(rows[0]) != len(rows[1]):
            return f"{len(rows[0])} {table}s in place of {len(rows[1])}"
    size = min(len(left), len(right))
    other = np.flatnonzero(np.frombuffer(left[:size], np.uint8) != np.frombuffer(right[:size], np.uint8))
    return f"byte {other[0] if len(other) else size} of {len(left)}; the reference has {len(right)}"
