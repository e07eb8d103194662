"""Fine-tuning and its figures: it learns, only from answers; stopped, it goes on; batches change nothing."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from convert.__main__ import main
from convert.base import Base, resolve_base
from convert.errors import InputError
from convert.fidelity.reference import load_model
from convert.lora.adapter import TRAINING, read_adapter, refuse_other_base
from convert.tokenizer import load_tokenizer
from convert.training.corpus import Pair, Split
from convert.training.dataset import Example, read_file
from convert.training.device import pick_device
from convert.training.finetune import finetune, schedule
from convert.training.metrics import EvaluateOptions, evaluate, generate, mean_rouge_l
from tests.convert import tiny
from tests.convert.training.conftest import OPTIONS


def test_the_adapter_lowers_the_loss_of_what_it_was_taught(learner: Base, pairs: Sequence[Pair], trained: Path) -> None:
    options = EvaluateOptions(samples=2, max_new_tokens=8, system_prompt="")
    before, after = (evaluate(learner.folder, path, pairs, options, judging=pairs) for path in (None, trained))
    assert after.loss < 0.9 * before.loss
    assert after.pairs == len(pairs)
    assert after.written is not None
    assert after.written.samples == 2
    assert "version:" in after.written.bleu_signature
    assert after.written.intents is not None
    assert after.preferences is None


def test_the_adapter_lowers_the_loss_of_what_it_was_never_shown(learner: Base, split: Split, trained: Path) -> None:
    options = EvaluateOptions(samples=0, system_prompt="")
    before, after = (evaluate(learner.folder, path, split.held_out, options) for path in (None, trained))
    assert after.loss < 0.97 * before.loss
    assert after.written is None


def test_the_adapter_is_mergeable_and_bound_to_its_base(learner: Base, base: Path, trained: Path) -> None:
    loaded = read_adapter(trained)
    assert len(loaded.pairs) == 2 * 7
    assert loaded.config["base_model_name_or_path"] == "learner"
    record = json.loads((trained / TRAINING).read_text())
    assert (record["rows"], record["steps"]) == (12, 9)
    refuse_other_base(loaded, learner)
    with pytest.raises(InputError, match="trained on a base with sha256"):
        refuse_other_base(loaded, resolve_base(str(base)))
    assert not list(trained.parent.glob("*.checkpoints"))


def test_stopped_and_started_again_it_ends_where_it_would_have_ended(
    learner: Base, pairs: Sequence[Pair], trained: Path, tmp_path: Path
) -> None:
    steps: list[int] = []

    def stop_at_five(stage: str, done: int, total: int) -> None:
        steps.append(done)
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finetune(learner, pairs, tmp_path / "adapter", OPTIONS, stop_at_five)
    assert not (tmp_path / "adapter").exists()
    half = tmp_path / "adapter.checkpoints" / "checkpoint-99"
    half.mkdir()  # begun and never finished: the trainer's state is its last file
    finetune(learner, pairs, tmp_path / "adapter", OPTIONS, lambda stage, done, total: steps.append(done))
    assert steps == [1, 2, 3, 4, 5, 5, 6, 7, 8, 9]
    first, second = (load_file(folder / "adapter_model.safetensors") for folder in (trained, tmp_path / "adapter"))
    for name, values in first.items():
        torch.testing.assert_close(second[name], values, rtol=1e-3, atol=1e-5)


def test_checkpoints_of_another_training_are_not_gone_on_from(
    learner: Base, pairs: Sequence[Pair], tmp_path: Path
) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    steps: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        finetune(learner, pairs, tmp_path / "adapter", OPTIONS, stop)
    short = replace(OPTIONS, epochs=1)
    with pytest.raises(KeyboardInterrupt):
        finetune(learner, pairs, tmp_path / "adapter", short, stop)
    assert (tmp_path / "adapter.checkpoints" / "checkpoint-2").is_dir()
    finetune(
        learner,
        read_file(tiny.PAIRS)[12:24],
        tmp_path / "adapter",
        short,
        lambda stage, done, total: steps.append(done),
    )
    assert steps == [1, 2, 3]


def test_the_schedule_holds_every_row_once_an_epoch_and_is_the_seeds_alone() -> None:
    rows = [Example((1,) * length, (1,) * length) for length in (3, 9, 1, 7, 5, 2, 8)]
    options = replace(OPTIONS, epochs=3, batch_rows=2)
    ordered = schedule(rows, options)
    assert ordered == schedule(rows, options) != schedule(rows, replace(options, seed=1))
    for epoch in range(3):
        assert sorted(ordered[epoch * 7 : epoch * 7 + 7], key=lambda row: row.ids) == sorted(
            rows, key=lambda row: row.ids
        )


def test_nothing_to_train_on_is_refused(learner: Base, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pairs"):
        finetune(learner, [], tmp_path / "adapter", OPTIONS)


def test_answers_do_not_depend_on_who_else_is_in_the_batch(learner: Base, pairs: Sequence[Pair]) -> None:
    model, tokenizer = load_model(learner.folder), load_tokenizer(learner.folder)
    options = EvaluateOptions(max_new_tokens=6, system_prompt="")
    together = generate(model, tokenizer, pairs[:5], options)
    assert together == [generate(model, tokenizer, [pair], options)[0] for pair in pairs[:5]]


def test_rouge_l_of_known_texts() -> None:
    assert mean_rouge_l(["a b c d"], ["a b c d"]) == 1.0
    assert mean_rouge_l(["x"], ["a b"]) == 0.0
    assert mean_rouge_l(["a c", "x"], ["a b c d", "x"]) == pytest.approx((2 / 3 + 1.0) / 2)
    assert mean_rouge_l([], []) == 0.0


def test_killed_outright_it_goes_on_from_its_last_checkpoint(
    learner: Base, pairs: Sequence[Pair], trained: Path, tmp_path: Path
) -> None:
    def kill_at_five(stage: str, done: int, total: int) -> None:
        if done == 5:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        finetune(learner, pairs, tmp_path / "adapter", OPTIONS, kill_at_five)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert not (tmp_path / "adapter").exists()
    steps: list[int] = []
    finetune(learner, pairs, tmp_path / "adapter", OPTIONS, lambda stage, done, total: steps.append(done))
    assert steps == [5, 6, 7, 8, 9]
    first, second = (load_file(folder / "adapter_model.safetensors") for folder in (trained, tmp_path / "adapter"))
    for name, values in first.items():
        torch.testing.assert_close(second[name], values, rtol=1e-3, atol=1e-5)


def test_the_command_line_trains_measures_and_compares(
    learner: Base, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shared = ["--base", str(learner.folder), "--data", str(tiny.PAIRS), "--json", "--max-new-tokens", "4"]
    train = ["--samples", "2", "--batch-rows", "2", "--eval-samples", "1"]
    assert main(["finetune", *shared, "--out", str(tmp_path / "a"), *train]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["rows"], done["device"]["kind"]) == (2, pick_device().kind)
    assert json.loads((tmp_path / "a" / "evaluation.json").read_text()) == {k: done[k] for k in ("before", "after")}
    config = json.loads((tmp_path / "a" / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"]) == (16, 32)
    assert main(["evaluate", *shared, "--adapter", f"two samples={tmp_path / 'a'}", "--samples", "1"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["base", "two samples"]
    assert found["base"]["loss"] == pytest.approx(done["before"]["loss"])
    assert found["two samples"]["loss"] == pytest.approx(done["after"]["loss"])
    assert {"bleu", "bleu_signature", "rouge_l", "intents", "placeholders"} <= set(done["after"])
    assert main(["finetune", *shared[:2], "--data", str(tmp_path), "--out", str(tmp_path / "b")]) == 2
    assert "bitext_v1_pairs.jsonl" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["finetune", *shared, "--out", str(tmp_path / "b"), "--samples", "0"])
