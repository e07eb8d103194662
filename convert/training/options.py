"""How an adapter is trained, what training starts from and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from convert.chat import SYSTEM_PROMPT
from convert.training.device import Device

#: Method -> peak learning rate that suits it. DPO turns good adapters bad at rates that supervised training needs.
LEARNING_RATES: Mapping[str, float] = {"sft": 2e-4, "dpo": 5e-5}


@dataclass(frozen=True, slots=True)
class FinetuneOptions:
    """How to train.

    Attributes:
        samples: pairs to train on, chosen at random; None takes all.
        epochs: passes over them.
        learning_rate: peak; linear warm-up over a twentieth of the steps, then cosine to zero.
        batch_rows: conversations a step.
        rank: LoRA rank r; of a training that goes on from an adapter, that adapter's.
        alpha: LoRA alpha; the update is scaled by alpha / r. Likewise.
        dropout: on the adapter's input, 0 to 1.
        max_tokens: longest row.
        seed: of the samples, the adapter's initial weights and the order.
        system_prompt: the first turn of every conversation; empty for none.
        checkpoint_steps: steps between checkpoints.
        method: ``sft`` (learn the answers) or ``dpo`` (learn to prefer them to the rejected ones; Rafailov et al. 2023,
            https://arxiv.org/abs/2305.18290).
        beta: of DPO; the larger, the nearer it stays to where it started.
        temperature: of distillation.
        teacher_weight: share of the teacher in the loss, 0 to 1; the rest is the answers'.
    """

    samples: int | None = None
    epochs: int = 1
    learning_rate: float = LEARNING_RATES["sft"]
    batch_rows: int = 8
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    max_tokens: int = 1024
    seed: int = 11
    system_prompt: str = SYSTEM_PROMPT
    checkpoint_steps: int = 50
    method: str = "sft"
    beta: float = 0.1
    temperature: float = 2.0
    teacher_weight: float = 0.5


@dataclass(frozen=True, slots=True)
class Start:
    """What training starts from.

    Attributes:
        parent: adapter folder to go on from; None begins a new adapter.
        teacher: model folder whose logits are learnt too; None for none.
        origin: where the rows come from, for the adapter's record.
    """

    parent: Path | None = None
    teacher: Path | None = None
    origin: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finetuned:
    """The result.

    Attributes:
        adapter: the folder.
        rows: conversations trained on.
        steps: optimizer steps.
        loss: mean training loss of the last steps, nats a token (of DPO: nats a pair).
        device: what trained it.
    """

    adapter: Path
    rows: int
    steps: int
    loss: float
    device: Device
