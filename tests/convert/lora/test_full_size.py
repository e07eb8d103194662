"""A model of TinyLlama-1.1B's size with an r=16 adapter, from the Hugging Face folder to Q4_K_M, in under 1 GiB."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.convert.lora import full_size
from tests.convert.lora.measure import Measured, measure

GIB = 1 << 30

CONVERT = [sys.executable, "-m", "convert"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, tokenizer: Path) -> tuple[Path, Path]:
    """The model folder and the adapter's; the vocabulary is the tests' own, padded to 32,000 tokens."""
    folder = tmp_path_factory.mktemp("full")
    return full_size.write_model(folder / "tinyllama", tokenizer), full_size.write_adapter(folder / "adapter")


def commands(base: Path, adapter: Path, folder: Path) -> Sequence[list[str]]:
    """The two steps to a quantised model, and the adapter's own file."""
    joined = ["--base", str(base), "--adapter", str(adapter), "--out"]
    return (
        [*CONVERT, "gguf", *joined, str(folder / "f16.gguf")],
        [*CONVERT, "quantize", str(folder / "f16.gguf"), str(folder / "q4.gguf")],
        [*CONVERT, "adapter", *joined, str(folder / "adapter.gguf")],
    )


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_no_process_on_the_way_to_q4_k_m_holds_a_gibibyte(model: tuple[Path, Path], tmp_path: Path) -> None:
    taken: dict[str, Measured] = {command[3]: measure(command) for command in commands(*model, tmp_path)}
    assert 600e6 < (tmp_path / "q4.gguf").stat().st_size < 700e6
    assert {name: found.peak_rss_bytes for name, found in taken.items() if found.peak_rss_bytes > GIB} == {}
