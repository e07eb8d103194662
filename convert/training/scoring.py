"""How likely a model finds given replies: the loss on their tokens, and how far it prefers one to another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedModel

from convert.progress import Progress, silent
from convert.training.dataset import Example, Preference

BATCH_ROWS = 16


@dataclass(frozen=True, slots=True)
class PreferenceFigures:
    """Chosen against rejected answers.

    Attributes:
        pairs: compared.
        preferred: share of them where the chosen answer is the more likely one, 0 to 1.
        margin: mean of log P(chosen) - log P(rejected), nats.
    """

    pairs: int
    preferred: float
    margin: float


def row_losses(
    model: PreTrainedModel, rows: Sequence[Example], pad: int, progress: Progress = silent
) -> list[tuple[float, int]]:
    """Of each row, the summed cross-entropy (nats) of its labelled tokens and their number, in order."""
    found = [(0.0, 0)] * len(rows)
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    with torch.inference_mode():
        for start in range(0, len(order), BATCH_ROWS):
            part = order[start : start + BATCH_ROWS]
            width = max(len(rows[index]) for index in part)
            fill = [width - len(rows[index]) for index in part]
            ids = [[*rows[index].ids, *[pad] * n] for n, index in zip(fill, part, strict=True)]  # (B, T)
            wanted = [[*rows[index].labels, *[-100] * n] for n, index in zip(fill, part, strict=True)]
            labels = torch.tensor(wanted, device=model.device)[:, 1:]
            given = torch.tensor(ids, device=model.device)
            logits = model(input_ids=given, use_cache=False).logits[:, :-1]  # right padding is never looked back at
            losses = torch.nn.functional.cross_entropy(
                logits.flatten(0, 1).float(), labels.flatten(), ignore_index=-100, reduction="none"
            ).view(labels.shape)
            counts = (labels != -100).sum(1)
            for index, total, count in zip(part, losses.double().sum(1).tolist(), counts.tolist(), strict=True):
                found[index] = (total, count)
            progress("loss", start + len(part), len(order))
    return found


def held_out_loss(model: PreTrainedModel, rows: Sequence[Example], pad: int, progress: Progress = silent) -> float:
    """Mean cross-entropy (nats a token) over the labelled tokens."""
    losses = row_losses(model, rows, pad, progress)
    return sum(total for total, _ in losses) / max(1, sum(count for _, count in losses))


def preference_figures(
    model: PreTrainedModel, rows: Sequence[Preference], pad: int, progress: Progress = silent
) -> PreferenceFigures | None:
    """How far the model prefers the chosen answers, or None of nothing."""
    if not rows:
        return None
    both = [_example(row.prompt, row.chosen) for row in rows] + [_example(row.prompt, row.rejected) for row in rows]
    losses = [total for total, _ in row_losses(model, both, pad, progress)]
    margins = [worse - better for better, worse in zip(losses[: len(rows)], losses[len(rows) :], strict=True)]
    return PreferenceFigures(len(rows), sum(margin > 0 for margin in margins) / len(rows), sum(margins) / len(rows))


def _example(prompt: tuple[int, ...], reply: tuple[int, ...]) -> Example:
    return Example((*prompt, *reply), (*[-100] * len(prompt), *reply))
