"""A tiny base that learns, and an adapter that was trained on half of the fixture's pairs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from convert.base import Base, resolve_base
from convert.training.corpus import Pair, Split
from convert.training.dataset import read_split
from convert.training.finetune import FinetuneOptions, finetune
from tests.convert import tiny

OPTIONS = FinetuneOptions(
    epochs=3, learning_rate=1e-2, batch_rows=4, rank=4, alpha=8, max_tokens=160, system_prompt="", checkpoint_steps=2
)


@pytest.fixture(scope="session")
def learner(tmp_path_factory: pytest.TempPathFactory, tokenizer: Path) -> Base:
    return resolve_base(str(tiny.write_base(tmp_path_factory.mktemp("learner") / "learner", tokenizer)))


@pytest.fixture(scope="session")
def split() -> Split:
    return read_split(tiny.PAIRS)


@pytest.fixture(scope="session")
def pairs(split: Split) -> Sequence[Pair]:
    return split.train[:12]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, learner: Base, pairs: Sequence[Pair]) -> Path:
    return finetune(learner, pairs, tmp_path_factory.mktemp("trained") / "adapter", OPTIONS).adapter
