"""How well a model answers held-out questions: the loss on the answers, and figures of what it writes itself."""

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
from convert.training.dataset import examples, preferences, sample, turns
from convert.training.device import pick_device
from convert.training.judge import IntentFigures, PlaceholderFigures, judge_intents, judge_placeholders
from convert.training.scoring import BATCH_ROWS, PreferenceFigures, held_out_loss, preference_figures


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """What to measure.

    Attributes:
        samples: answers to generate and compare, 0 for none; the loss is over all pairs.
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
class Written:
    """Figures of generated answers.

    Attributes:
        samples: answers generated, greedily.
        bleu: corpus BLEU-4, 0 to 100.
        bleu_signature: sacrebleu's statement of how it was computed.
        rouge_l: mean ROUGE-L F-measure, 0 to 1.
        intents: whether they are about what was asked; None if the data names fewer than two intents.
        placeholders: whether they name the references' placeholders.
    """

    samples: int
    bleu: float
    bleu_signature: str
    rouge_l: float
    intents: IntentFigures | None
    placeholders: PlaceholderFigures


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures.

    Attributes:
        pairs: pairs that the loss is over.
        loss: mean cross-entropy, nats a token, over the answers' tokens and their end token.
        written: figures of generated answers; None if none was asked for.
        preferences: chosen against rejected answers; None if no pair has a rejected one.
    """

    pairs: int
    loss: float
    written: Written | None
    preferences: PreferenceFigures | None

    def to_dict(self) -> dict[str, object]:
        """For JSON, with the figures of written answers on the same level; what is None is left out."""
        found = asdict(self)
        found |= found.pop("written") or {}
        return {name: value for name, value in found.items() if value is not None}


def evaluate(
    base: Path,
    adapter: Path | None,
    pairs: Sequence[Pair],
    options: EvaluateOptions,
    progress: Progress = silent,
    judging: Sequence[Pair] = (),
) -> Evaluation:
    """Measure one model on held-out pairs.

    Args:
        base: its folder.
        adapter: merged into it in float32; None measures the base.
        pairs: the held-out half.
        options: how much of it.
        progress: told of every batch.
        judging: the training half, which the judge of intents learns from; without it intents are not judged.
    """
    tokenizer = load_tokenizer(base)
    model = load_model(base, adapter).to(pick_device().kind)
    limits = (encoder(tokenizer), tokenizer.bos_token_id, options.max_tokens, options.system_prompt)
    rows = examples(pairs, *limits)
    loss = held_out_loss(model, rows, tokenizer.pad_token_id, progress)
    compared = preferences([pair for pair in pairs if pair.rejected], *limits)
    preferred = preference_figures(model, compared, tokenizer.pad_token_id)
    written = None
    if options.samples > 0:
        chosen = sample(pairs, options.samples, options.seed)
        written = compare(generate(model, tokenizer, chosen, options, progress), chosen, judging)
    return Evaluation(len(rows), loss, written, preferred)


def compare(answers: Sequence[str], asked: Sequence[Pair], judging: Sequence[Pair] = ()) -> Written:
    """Figures of answers, one to each of the pairs asked."""
    references = [pair.answer for pair in asked]
    bleu = sacrebleu.metrics.BLEU()
    score = bleu.corpus_score(list(answers), [references])
    return Written(
        samples=len(answers),
        bleu=float(score.score),
        bleu_signature=str(bleu.get_signature()),
        rouge_l=mean_rouge_l(answers, references),
        intents=judge_intents(judging, asked, answers),
        placeholders=judge_placeholders(answers, references),
    )


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
                input_ids=torch.tensor(rows, device=model.device),
                attention_mask=torch.tensor(mask, device=model.device),
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
