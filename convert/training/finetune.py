"""LoRA fine-tuning on question/answer pairs with TRL and PEFT; the loss is on the assistant's tokens only.

Rows are tokenised here, by the chat template and tokenizer that the box uses, and not by the trainer.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import (
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from trl import SFTConfig, SFTTrainer

from convert.base import Base
from convert.chat import SYSTEM_PROMPT
from convert.checkpoint import read_json
from convert.dtype import fast_dtype
from convert.errors import InputError
from convert.fidelity.reference import load_base
from convert.files import atomic_folder, atomic_output
from convert.lora.adapter import CONFIG, TRAINING
from convert.progress import Progress, silent
from convert.tokenizer import encoder, load_tokenizer
from convert.training.corpus import Pair
from convert.training.dataset import Example, examples, sample

#: Batches among which rows are sorted by length; more save padding, fewer mix better.
POOL_BATCHES = 16


@dataclass(frozen=True, slots=True)
class FinetuneOptions:
    """How to train.

    Attributes:
        samples: pairs to train on, chosen at random; None takes all.
        epochs: passes over them.
        learning_rate: peak; linear warm-up over a twentieth of the steps, then cosine to zero.
        batch_rows: conversations a step.
        rank: LoRA rank r.
        alpha: LoRA alpha; the update is scaled by alpha / r.
        dropout: on the adapter's input, 0 to 1.
        max_tokens: longest row.
        seed: of the samples, the adapter's initial weights and the order.
        system_prompt: the first turn of every conversation; empty for none.
        checkpoint_steps: steps between checkpoints.
    """

    samples: int | None = None
    epochs: int = 1
    learning_rate: float = 2e-4
    batch_rows: int = 8
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.05
    max_tokens: int = 1024
    seed: int = 11
    system_prompt: str = SYSTEM_PROMPT
    checkpoint_steps: int = 50


@dataclass(frozen=True, slots=True)
class Finetuned:
    """The result.

    Attributes:
        adapter: the folder.
        rows: conversations trained on.
        steps: optimizer steps.
        loss: mean training loss of the last steps, nats a token.
    """

    adapter: Path
    rows: int
    steps: int
    loss: float


class _Reporter(TrainerCallback):  # type: ignore[misc]
    """Passes the trainer's steps on."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """After every optimizer step."""
        self._progress("finetune", state.global_step, state.max_steps)


def finetune(
    base: Base, pairs: Sequence[Pair], out: Path, options: FinetuneOptions, progress: Progress = silent
) -> Finetuned:
    """Train an adapter for ``base`` and save it in PEFT's format with a TRAINING file.

    Checkpoints lie beside ``out`` in ``<out>.checkpoints`` and are removed at the end; the same call goes on from them.

    Raises:
        InputError: the base has no weights or no tokenizer, or there is nothing to train on.
    """
    if not pairs:
        raise InputError("no pairs to train on; expected at least one")
    tokenizer = load_tokenizer(base.folder)
    chosen = sample(pairs, options.samples, options.seed)
    rows = examples(chosen, encoder(tokenizer), tokenizer.bos_token_id, options.max_tokens, options.system_prompt)
    ordered = schedule(rows, options)
    data = hashlib.sha256(json.dumps([[row.ids, row.labels] for row in ordered]).encode()).hexdigest()
    identity: dict[str, object] = {"base_sha256": base.sha256, "data_sha256": data, "options": asdict(options)}
    checkpoints = out.with_name(out.name + ".checkpoints")
    resume = _resume_from(checkpoints, identity)
    torch.manual_seed(options.seed)
    trainer = SFTTrainer(
        model=load_base(base.folder),
        args=_arguments(checkpoints, options, len(ordered)),
        train_dataset=_dataset(ordered),
        processing_class=tokenizer,
        peft_config=_lora(options),
        callbacks=[_Reporter(progress)],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    losses = [float(entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
    loss = sum(losses[-10:]) / max(1, len(losses[-10:]))
    with atomic_folder(out) as folder:
        trainer.model.save_pretrained(folder)
        _tidy(folder, base)
        record = {**identity, "rows": len(rows), "steps": trainer.state.global_step, "loss": loss}
        (folder / TRAINING).write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    shutil.rmtree(checkpoints, ignore_errors=True)
    return Finetuned(out, len(rows), trainer.state.global_step, loss)


def schedule(rows: Sequence[Example], options: FinetuneOptions) -> list[Example]:
    """The rows of all epochs in the order of training: shuffled, rows of like length in one batch, batches shuffled.

    It is fixed here and not left to the trainer's sampler, so that a stopped training goes on in the same order.
    """
    rng = random.Random(options.seed)
    ordered: list[Example] = []
    for _ in range(options.epochs):
        shuffled = rng.sample(rows, len(rows))
        for start in range(0, len(rows), POOL_BATCHES * options.batch_rows):
            pool = sorted(shuffled[start : start + POOL_BATCHES * options.batch_rows], key=lambda row: len(row.ids))
            batches = [pool[at : at + options.batch_rows] for at in range(0, len(pool), options.batch_rows)]
            rng.shuffle(batches)
            ordered += [row for batch in batches for row in batch]
    return ordered


def _lora(options: FinetuneOptions) -> LoraConfig:
    return LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,
        lora_dropout=options.dropout,
        target_modules="all-linear",
        bias="none",
        task_type="CAUSAL_LM",
    )


def _arguments(checkpoints: Path, options: FinetuneOptions, rows: int) -> SFTConfig:
    steps = -(-rows // options.batch_rows)
    half = fast_dtype() is torch.bfloat16
    return SFTConfig(
        output_dir=str(checkpoints),
        num_train_epochs=1,  # the schedule holds all epochs
        per_device_train_batch_size=options.batch_rows,
        learning_rate=options.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=steps // 20,
        weight_decay=0.0,
        max_length=options.max_tokens,
        completion_only_loss=True,
        packing=False,
        gradient_checkpointing=False,
        bf16=half,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        train_sampling_strategy="sequential",
        save_steps=options.checkpoint_steps,
        save_total_limit=2,
        logging_steps=1,
        report_to="none",
        disable_tqdm=True,
        seed=options.seed,
        data_seed=options.seed,
    )


def _dataset(rows: Sequence[Example]) -> Dataset:
    return Dataset.from_dict(
        {
            "input_ids": [list(row.ids) for row in rows],
            "completion_mask": [[int(label != -100) for label in row.labels] for row in rows],
        }
    )


def _resume_from(checkpoints: Path, identity: dict[str, object]) -> Path | None:
    """The newest whole checkpoint of the same training; those of another are removed.

    ``trainer_state.json`` is the last file that the trainer writes, so a checkpoint that has it is whole.
    """
    mark = checkpoints / "identity.json"
    if mark.is_file() and read_json(mark) == json.loads(json.dumps(identity)):
        whole = [path.parent for path in checkpoints.glob("checkpoint-*/trainer_state.json")]
        return max(whole, key=lambda folder: int(folder.name.rpartition("-")[2]), default=None)
    shutil.rmtree(checkpoints, ignore_errors=True)
    with atomic_output(mark) as partial:
        partial.write_text(json.dumps(identity), encoding="utf-8")
    return None


def _tidy(folder: Path, base: Base) -> None:
    """Make what PEFT saved the same on every machine: the base's id for its path, modules in order, no model card."""
    raw = read_json(folder / CONFIG)
    raw["base_model_name_or_path"] = base.id
    raw["target_modules"] = sorted(map(str, raw["target_modules"]))  # type: ignore[call-overload]
    (folder / CONFIG).write_text(json.dumps(raw, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    (folder / "README.md").unlink(missing_ok=True)
