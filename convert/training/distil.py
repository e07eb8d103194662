"""Learning from a larger teacher's logits as well as from the answers.

The loss is ``(1 - w) * cross-entropy + w * T^2 * KL(teacher || student)``, both distributions softened by the
temperature T, over the reply's tokens (Hinton et al. 2015, "Distilling the knowledge in a neural network",
https://arxiv.org/abs/1503.02531).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase
from trl import SFTTrainer

from convert.errors import InputError
from convert.fidelity.reference import load_model
from convert.tokenizer import load_tokenizer


def load_teacher(folder: Path, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """The teacher, in float32 and frozen.

    Raises:
        InputError: it does not load, or its tokens are not the student's.
    """
    theirs, ours = load_tokenizer(folder).get_vocab(), tokenizer.get_vocab()
    if theirs != ours:
        other = len(set(theirs.items()) ^ set(ours.items()))
        raise InputError(
            f"{folder}: a teacher with {len(theirs)} tokens, {other} entries other than the base's {len(ours)}; its "
            "logits must be of the same tokens; take a teacher of the base's own family or leave --teacher out"
        )
    return load_model(folder).requires_grad_(False)


def divergence(student: torch.Tensor, teacher: torch.Tensor, temperature: float = 1.0) -> torch.Tensor:
    """KL(teacher || student) of each row, nats.

    Args:
        student: logits, shape (N, V); columns beyond the teacher's are padding and left out, and the reverse.
        teacher: logits, shape (N, V').
        temperature: both are divided by it.

    Returns:
        Shape (N,).
    """
    width = min(student.shape[-1], teacher.shape[-1])
    ours = torch.log_softmax(student[..., :width].float() / temperature, dim=-1)
    theirs = torch.log_softmax(teacher[..., :width].float() / temperature, dim=-1)
    return (theirs.exp() * (theirs - ours)).sum(-1)


class DistillingTrainer(SFTTrainer):  # type: ignore[misc]
    """TRL's trainer with the teacher's part added to its loss."""

    def __init__(self, *, teacher: PreTrainedModel, temperature: float, weight: float, **rest: object) -> None:
        """Take the teacher along to where the student is."""
        super().__init__(**rest)
        self._teacher = teacher.to(self.accelerator.device)
        self._temperature, self._weight = temperature, weight

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: Mapping[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor | tuple[torch.Tensor, object]:
        """Both parts a token of the replies; one pass of the student."""
        given = {name: inputs[name] for name in ("input_ids", "attention_mask")}
        outputs = model(**given, use_cache=False)
        with torch.no_grad():
            wanted = self._teacher(**given, use_cache=False).logits[:, :-1]
        labels = inputs["labels"][:, 1:]
        learnt = labels != -100
        student, teacher, target = outputs.logits[:, :-1][learnt], wanted[learnt], labels[learnt]
        hard = torch.nn.functional.cross_entropy(student.float(), target, reduction="sum")
        soft = self._temperature**2 * divergence(student, teacher, self._temperature).sum()
        count = learnt.sum() if num_items_in_batch is None else torch.as_tensor(num_items_in_batch)
        loss = ((1.0 - self._weight) * hard + self._weight * soft) / count.clamp(min=1).to(hard.device)
        return (loss, outputs) if return_outputs else loss
