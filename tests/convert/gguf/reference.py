"""The converter that the pinned llama-cpp-python carries, unpacked from its own source distribution."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from importlib import metadata
from pathlib import Path

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


def convert(reference: Path, folder: Path, precision: str, out: Path) -> Path:
    """Run it as its own process, with its own gguf-py."""
    script = reference / "convert_hf_to_gguf.py"
    command = [sys.executable, str(script), str(folder), "--outtype", precision, "--outfile", str(out)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return out
