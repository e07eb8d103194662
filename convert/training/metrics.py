"""How well a model answers held-out questions: loss on the answers' tokens, BLEU-4 and ROUGE-L of what it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import sacrebleu
import torch
from rouge_score.rouge_scorer import RougeScorer
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from convert.chat import SYSTEM_PROMPT, render
from convert.fidelity.reference import load_model
from convert.progress import Progress, silent
from convert.tokenizer import encoder, load_tokenizer
from convert.training.corpus import Pair
from convert.training.dataset import Example, examples, sample, turns

BATCH_ROWS = 16


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """What to measure.

    Attributes:
        samples: answers to generate and compare; the loss is over all pairs.
        max_new_tokens: longest answer.
        max_tokens: longest row of the loss.
        seed: of the choice of samples.
        system_prompt: the first turn of every conversation; empty for none.
    """

    samples: int = 100
    max_new_tokens: int = 192
    max_tokens: int = 1024
    seed: int = 11
    system_prompt: str = SYSTEM_PROMPT


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures.

    Attributes:
        pairs: pairs that the loss is over.
        loss: mean cross-entropy, nats a token, over the answers' tokens and their end token.
        samples: answers generated, greedily.
        bleu: corpus BLEU-4, 0 to 100.
        bleu_signature: sacrebleu's statement of how it was computed.
        rouge_l: mean ROUGE-L F-measure, 0 to 1.
    """

    pairs: int
    loss: float
    samples: int
    bleu: float
    bleu_signature: str
    rouge_l: float

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


def evaluate(
    base: Path, adapter: Path | None, pairs: Sequence[Pair], options: EvaluateOptions, progress: Progress = silent
) -> Evaluation:
    """Measure one model on held-out pairs."""
    tokenizer = load_tokenizer(base)
    model = load_model(base, adapter)
    rows = examples(pairs, encoder(tokenizer), tokenizer.bos_token_id, options.max_tokens, options.system_prompt)
    loss = held_out_loss(model, rows, tokenizer.pad_token_id, progress)
    chosen = sample(pairs, options.samples, options.seed)
    answers = generate(model, tokenizer, chosen, options, progress)
    bleu = sacrebleu.metrics.BLEU()
    score = bleu.corpus_score(answers, [[pair.answer for pair in chosen]])
    return Evaluation(
        pairs=len(rows),
        loss=loss,
        samples=len(chosen),
        bleu=float(score.score),
        bleu_signature=str(bleu.get_signature()),
        rouge_l=mean_rouge_l(answers, [pair.answer for pair in chosen]),
    )


def held_out_loss(model: PreTrainedModel, rows: Sequence[Example], pad: int, progress: Progress = silent) -> float:
    """Mean cross-entropy (nats a token) over the labelled tokens."""
    total, count = 0.0, 0
    ordered = sorted(rows, key=lambda row: len(row.ids))
    with torch.inference_mode():
        for start in range(0, len(ordered), BATCH_ROWS):
            part = ordered[start : start + BATCH_ROWS]
            width = max(len(row.ids) for row in part)
            ids = torch.tensor([[*row.ids, *[pad] * (width - len(row.ids))] for row in part])  # (B, T)
            labels = torch.tensor([[*row.labels, *[-100] * (width - len(row.ids))] for row in part])
            logits = model(input_ids=ids, use_cache=False).logits[:, :-1]  # right padding is never looked back at
            total += torch.nn.functional.cross_entropy(
                logits.flatten(0, 1), labels[:, 1:].flatten(), ignore_index=-100, reduction="sum"
            ).item()
            count += int((labels[:, 1:] != -100).sum())
            progress("loss", start + len(part), len(ordered))
    return total / max(1, count)


def generate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[Pair],
    options: EvaluateOptions,
    progress: Progress = silent,
) -> list[str]:
    """Greedy answers to the pairs' questions, in their order."""
    encode = encoder(tokenizer)
    prompts = [
        [tokenizer.bos_token_id, *encode(render(turns(pair, options.system_prompt)[:-1], generate=True))]
        for pair in pairs
    ]
    order = sorted(range(len(pairs)), key=lambda index: len(prompts[index]))
    answers = [""] * len(pairs)
    with torch.inference_mode():
        for start in range(0, len(order), BATCH_ROWS):
            part = order[start : start + BATCH_ROWS]
            width = max(len(prompts[index]) for index in part)
            pads = [width - len(prompts[index]) for index in part]
            rows = [[tokenizer.pad_token_id] * n + prompts[index] for n, index in zip(pads, part, strict=True)]
            mask = [[0] * n + [1] * (width - n) for n in pads]
            made = model.generate(
                input_ids=torch.tensor(rows),
                attention_mask=torch.tensor(mask),
                do_sample=False,
                max_new_tokens=options.max_new_tokens,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
            )
            for index, row in zip(part, made[:, width:].tolist(), strict=True):
                answers[index] = tokenizer.decode(row, skip_special_tokens=True).strip()
            progress("answers", start + len(part), len(order))
    return answers


def mean_rouge_l(answers: Sequence[str], references: Sequence[str]) -> float:
    """Mean ROUGE-L F-measure (rouge_score, no stemming), 0 to 1; 0 of nothing."""
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    scores = [scorer.score(ref, answer)["rougeL"].fmeasure for answer, ref in zip(answers, references, strict=True)]
    return float(sum(scores)) / max(1, len(scores))
