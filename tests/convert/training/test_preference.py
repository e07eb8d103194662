"""DPO: the chosen answers gain on the rejected ones, from the base and from an adapter, also after a stop."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file

from convert.base import Base
from convert.errors import InputError
from convert.lora.adapter import TRAINING, read_adapter
from convert.training.corpus import Pair
from convert.training.finetune import Start, finetune
from convert.training.metrics import EvaluateOptions, evaluate
from convert.training.scoring import PreferenceFigures
from tests.convert.training.conftest import OPTIONS

DPO = replace(OPTIONS, method="dpo", epochs=2, learning_rate=5e-3)


@pytest.fixture(scope="module")
def judged(pairs: Sequence[Pair]) -> list[Pair]:
    """Pairs whose rejected answer is that of another one."""
    return [replace(pair, rejected=other.answer) for pair, other in zip(pairs, (*pairs[1:], pairs[0]), strict=True)]


def _figures(base: Base, adapter: Path | None, judged: Sequence[Pair]) -> PreferenceFigures:
    found = evaluate(base.folder, adapter, judged, EvaluateOptions(samples=0, system_prompt="")).preferences
    assert found is not None
    return found


def test_the_chosen_answers_gain_on_the_rejected(learner: Base, judged: list[Pair], tmp_path: Path) -> None:
    done = finetune(learner, judged, tmp_path / "dpo", DPO)
    before, after = _figures(learner, None, judged), _figures(learner, done.adapter, judged)
    assert after.margin > before.margin + 1.0
    assert after.preferred >= before.preferred
    assert len(read_adapter(done.adapter).pairs) == 2 * 7


def test_from_an_adapter_it_goes_on_and_after_a_stop_too(
    learner: Base, judged: list[Pair], trained: Path, tmp_path: Path
) -> None:
    start, steps = Start(parent=trained), list[int]()

    def stop_at_three(stage: str, done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(learner, judged, tmp_path / "stopped", DPO, stop_at_three, start)
    finetune(learner, judged, tmp_path / "stopped", DPO, lambda stage, done, total: steps.append(done), start)
    assert steps == [3, 4, 5, 6]
    whole = finetune(learner, judged, tmp_path / "whole", DPO, start=start).adapter
    first, second = (load_file(folder / "adapter_model.safetensors") for folder in (whole, tmp_path / "stopped"))
    assert set(first) == set(load_file(trained / "adapter_model.safetensors"))
    assert max((first[name] - second[name]).abs().max().item() for name in first) < 1e-4
    assert sorted(path.name for path in whole.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        TRAINING,
    ]
    assert json.loads((whole / TRAINING).read_text())["parent_sha256"] == read_adapter(trained).sha256
    assert _figures(learner, whole, judged).margin > _figures(learner, trained, judged).margin + 1.0


def test_pairs_without_a_rejected_answer_are_refused(learner: Base, judged: list[Pair], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 of 12 pairs have no rejected answer"):
        finetune(learner, [*judged[1:], replace(judged[0], rejected="")], tmp_path / "dpo", DPO)
    with pytest.raises(InputError, match="method 'ppo'; expected one of sft, dpo"):
        finetune(learner, judged, tmp_path / "dpo", replace(DPO, method="ppo"))
    with pytest.raises(InputError, match="distillation goes with method sft only"):
        finetune(learner, judged, tmp_path / "dpo", DPO, start=Start(teacher=learner.folder))
