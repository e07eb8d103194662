"""Checkpoints and files that the conversion tests share; built once a run, never changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from convert.gguf.source import read_source
from convert.gguf.writer import write_gguf
from convert.quantization.quantize import quantize
from tests.convert import tiny


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tokenizer")
    tiny.write_tokenizer(folder)
    return folder


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory, tokenizer: Path) -> Path:
    return tiny.write_base(tmp_path_factory.mktemp("models") / "tiny", tokenizer, echo=1.0)


@pytest.fixture(scope="session")
def adapter(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Path:
    return tiny.write_adapter(base, tmp_path_factory.mktemp("adapters") / "plain")


@pytest.fixture(scope="session")
def f16(tmp_path_factory: pytest.TempPathFactory, base: Path) -> Path:
    return write_gguf(read_source(base), tmp_path_factory.mktemp("gguf") / "f16.gguf")


@pytest.fixture(scope="session")
def q4(tmp_path_factory: pytest.TempPathFactory, f16: Path) -> Path:
    return quantize(f16, tmp_path_factory.mktemp("gguf") / "q4.gguf", threads=1).path


@pytest.fixture(scope="session")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_guard(tmp_path_factory.mktemp("guards") / "guard")


@pytest.fixture(scope="session")
def licences(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_licences(tmp_path_factory.mktemp("licences") / "licences.json")
