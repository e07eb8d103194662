"""Sizes out of a GGUF file, and what is said of a file that has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.engine.facts import read_facts
from runtime.errors import StartError
from tests.paths import DEMO


def test_the_demo_models_sizes_are_read_from_its_file() -> None:
    facts = read_facts(DEMO / "model.gguf")
    assert facts.file_bytes == (DEMO / "model.gguf").stat().st_size
    assert (facts.width, facts.hidden, facts.vocabulary, facts.context_tokens) == (256, 768, 4096, 2048)
    assert facts.cell_bytes == 8 * 2 * (64 + 64) * 2


def test_a_file_that_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.gguf").write_bytes(b"GGUF but not really")
    with pytest.raises(StartError, match="expected a GGUF model"):
        read_facts(tmp_path / "model.gguf")
