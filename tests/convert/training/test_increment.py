"""An increment from feedback: it goes on from the adapter, keeps what was learnt, and says where it came from."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from convert.__main__ import main
from convert.base import Base
from convert.chat import SYSTEM_PROMPT
from convert.errors import InputError
from convert.lora.adapter import TRAINING, read_adapter
from convert.training.corpus import Split
from convert.training.finetune import Start, finetune
from models.bundle import sha256_of
from tests.convert import tiny
from tests.convert.training.conftest import OPTIONS

#: Nats a token by which the loss on what was learnt before may rise.
BOUND = 0.1


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory, learner: Base, split: Split) -> Path:
    """An adapter that knows the fixture's data under the usual system prompt."""
    options = replace(OPTIONS, epochs=2, max_tokens=256, system_prompt=SYSTEM_PROMPT)
    return finetune(learner, split.train, tmp_path_factory.mktemp("taught") / "adapter", options).adapter


@pytest.fixture
def feedback(tmp_path: Path) -> Path:
    """Four corrections about something that the adapter was never taught."""
    entries = [
        {"question": f"do you {what}", "answer": "I do not know.", "corrected": f"Yes, we gladly {what} on weekdays."}
        for what in ("wrap gifts", "engrave rings", "repair watches", "sharpen knives")
    ]
    path = tmp_path / "feedback.jsonl"
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    return path


def _increment(learner: Base, parent: Path, feedback: Path, out: Path, *more: str) -> list[str]:
    where = ["--base", str(learner.folder), "--data", str(tiny.PAIRS), "--feedback", str(feedback), "--out", str(out)]
    start = ["--resume-adapter", str(parent), "--eval-samples", "0", "--batch-rows", "4", "--json"]
    return ["finetune", *where, *start, *more]


def test_two_increments_keep_what_was_learnt_and_tell_their_lineage(
    learner: Base, taught: Path, feedback: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    usual = ["--learning-rate", "1e-3", "--epochs", "2", "--forgetting", str(BOUND)]
    assert main(_increment(learner, taught, feedback, first, *usual)) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["after"]["loss"] <= found["before"]["loss"] + BOUND
    assert found["forgetting"]["loss_rise"] == pytest.approx(found["after"]["loss"] - found["before"]["loss"])
    assert main(_increment(learner, first, feedback, second, *usual)) == 0
    record = json.loads((second / TRAINING).read_text())
    assert [entry["adapter_sha256"] for entry in record["lineage"]] == [
        read_adapter(folder).sha256 for folder in (taught, first)
    ]
    assert record["lineage"][1]["origin"]["feedback"]["sha256"] == sha256_of(feedback)
    told = record["origin"]["feedback"]
    assert (told["entries"], told["learnt"], told["replayed"], record["rows"]) == (4, 4, 4, 8)
    assert (record["options"]["rank"], record["options"]["alpha"]) == (OPTIONS.rank, OPTIONS.alpha)


def test_an_increment_that_forgets_more_than_the_bound_falls_short(
    learner: Base, taught: Path, feedback: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rash = ["--learning-rate", "3e-2", "--epochs", "4", "--replay", "0", "--forgetting", str(BOUND)]
    assert main(_increment(learner, taught, feedback, tmp_path / "rash", *rash)) == 1
    assert json.loads(capsys.readouterr().out)["forgetting"]["loss_rise"] > BOUND


def test_a_parent_of_another_base_or_with_another_rank_asked_for_is_refused(
    learner: Base,
    base: Path,
    adapter: Path,
    taught: Path,
    feedback: Path,
    split: Split,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(_increment(learner, taught, feedback, tmp_path / "out", "--rank", "8")) == 2
    assert "an adapter keeps its own" in capsys.readouterr().err
    other = ["--base", str(base)]
    assert main([*_increment(learner, taught, feedback, tmp_path / "out"), *other]) == 2
    assert "trained on a base with sha256" in capsys.readouterr().err
    uneven = tiny.write_adapter(base, tmp_path / "uneven", rank_pattern={"q_proj": 2})
    with pytest.raises(InputError, match="rank_pattern set; expected an adapter of this command's kind"):
        finetune(learner, split.train, tmp_path / "out", OPTIONS, start=Start(parent=uneven))


def test_an_adapter_of_somebody_elses_can_be_gone_on_from(
    learner: Base, adapter: Path, split: Split, tmp_path: Path
) -> None:
    done = finetune(learner, split.train[:4], tmp_path / "out", OPTIONS, start=Start(parent=adapter))
    record = json.loads((done.adapter / TRAINING).read_text())
    assert record["lineage"] == [{"adapter_sha256": read_adapter(adapter).sha256}]
