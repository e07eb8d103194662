"""Distillation: the student comes nearer to its teacher, whose vocabulary must be its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from convert.base import Base
from convert.errors import InputError
from convert.fidelity.reference import load_model
from convert.tokenizer import encoder, load_tokenizer
from convert.training.corpus import Pair
from convert.training.dataset import examples
from convert.training.distil import divergence
from convert.training.finetune import Start, finetune
from tests.convert import tiny
from tests.convert.training.conftest import OPTIONS

DISTIL = replace(OPTIONS, epochs=3, teacher_weight=1.0)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory, tokenizer: Path) -> Path:
    """Wider than the student; its logits have columns beyond the vocabulary, as padded heads do."""
    folder = tmp_path_factory.mktemp("teacher") / "teacher"
    return tiny.write_base(folder, tokenizer, seed=5, intermediate_size=768, vocab_size=tiny.VOCAB + 12)


def _distance(base: Base, adapter: Path | None, teacher: Path, pairs: Sequence[Pair]) -> float:
    """Mean KL(teacher || student) over the replies' tokens, nats."""
    tokenizer = load_tokenizer(base.folder)
    student, master = load_model(base.folder, adapter), load_model(teacher)
    found = []
    with torch.inference_mode():
        for row in examples(pairs, encoder(tokenizer), tokenizer.bos_token_id, 160, ""):
            ids = torch.tensor([row.ids])
            learnt = torch.tensor(row.labels)[1:] != -100
            ours, theirs = (model(input_ids=ids).logits[0, :-1][learnt] for model in (student, master))
            found.append(divergence(ours, theirs))
    return torch.cat(found).mean().item()


def test_distillation_lowers_the_divergence_from_the_teacher_and_answers_alone_do_not(
    learner: Base, teacher: Path, pairs: Sequence[Pair], trained: Path, tmp_path: Path
) -> None:
    adapter = finetune(learner, pairs, tmp_path / "student", DISTIL, start=Start(teacher=teacher)).adapter
    before, after = (_distance(learner, path, teacher, pairs) for path in (None, adapter))
    assert after < 0.9 * before
    assert after < _distance(learner, trained, teacher, pairs)


def test_with_no_weight_on_the_teacher_it_is_plain_training(
    learner: Base, teacher: Path, pairs: Sequence[Pair], tmp_path: Path
) -> None:
    options = replace(OPTIONS, epochs=1, teacher_weight=0.0, dropout=0.0)
    with_teacher = finetune(learner, pairs, tmp_path / "a", options, start=Start(teacher=teacher))
    without = finetune(learner, pairs, tmp_path / "b", options)
    assert with_teacher.loss == pytest.approx(without.loss, rel=1e-4)


def test_divergence_of_known_distributions() -> None:
    logits = torch.tensor([[0.0, 0.0], [3.0, 1.0]])
    assert torch.allclose(divergence(logits, logits), torch.zeros(2), atol=1e-6)
    certain = torch.tensor([[50.0, 0.0]])
    assert divergence(torch.zeros(1, 2), certain).item() == pytest.approx(0.6931, abs=1e-3)
    assert divergence(torch.zeros(1, 3), certain).item() == pytest.approx(0.6931, abs=1e-3)
    assert divergence(torch.zeros(0, 2), torch.zeros(0, 2)).shape == (0,)


def test_a_teacher_of_another_vocabulary_is_refused(learner: Base, pairs: Sequence[Pair], tmp_path: Path) -> None:
    from convert.demo.tokenizer import train_tokenizer

    train_tokenizer([pair.answer for pair in pairs] * 3, tmp_path / "vocabulary", 300)
    other = tiny.write_base(tmp_path / "other", tmp_path / "vocabulary", vocab_size=300)
    with pytest.raises(InputError, match=r"a teacher with 300 tokens, .* take a teacher of the base's own family"):
        finetune(learner, pairs, tmp_path / "student", DISTIL, start=Start(teacher=other))
    with pytest.raises(InputError, match="temperature 0 and teacher weight 1"):
        finetune(learner, pairs, tmp_path / "student", replace(DISTIL, temperature=0.0))
