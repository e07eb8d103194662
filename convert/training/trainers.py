"""TRL's trainers, set up for rows that are tokenised already and in the order in which they are to be learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from convert.fidelity.reference import load_base
from convert.progress import Progress
from convert.training.dataset import Example, Preference
from convert.training.device import Device
from convert.training.distil import DistillingTrainer
from convert.training.options import FinetuneOptions


@dataclass(frozen=True, slots=True)
class Setup:
    """What a trainer needs beside its rows.

    Attributes:
        base: the base's folder.
        parent: adapter folder to go on from, or None.
        teacher: to distil from, or None.
        tokenizer: the base's.
        device: where to train.
        checkpoints: folder for them.
    """

    base: Path
    parent: Path | None
    teacher: PreTrainedModel | None
    tokenizer: PreTrainedTokenizerBase
    device: Device
    checkpoints: Path


class _Reporter(TrainerCallback):  # type: ignore[misc]
    """Passes the trainer's steps on."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: object
    ) -> None:
        """After every optimizer step."""
        self._progress("finetune", state.global_step, state.max_steps)


class _PreparedDPOTrainer(DPOTrainer):  # type: ignore[misc]
    """Takes rows with ``prompt_ids``, ``chosen_ids`` and ``rejected_ids`` as they are."""

    def _prepare_dataset(self, dataset: Dataset, *_: object, **__: object) -> Dataset:
        return dataset


def make_trainer(
    rows: Sequence[Example | Preference], setup: Setup, options: FinetuneOptions, progress: Progress
) -> Trainer:
    """The trainer for ``options.method``; the reference of DPO is where training starts from, base or parent."""
    torch.manual_seed(options.seed)
    model = load_base(setup.base)
    if setup.parent is not None:
        model = PeftModel.from_pretrained(model, setup.parent, is_trainable=True)
        for config in model.peft_config.values():  # an id there sends PEFT to the hub at every checkpoint
            config.base_model_name_or_path = str(setup.base)
    shared: dict[str, object] = {
        "model": model,
        "train_dataset": Dataset.from_list([_columns(row) for row in rows]),
        "processing_class": setup.tokenizer,
        "peft_config": _lora(options) if setup.parent is None else None,
        "callbacks": [_Reporter(progress)],
    }
    settings = _settings(setup, options, len(rows))
    trainer: Trainer
    if options.method == "dpo":
        trainer = _PreparedDPOTrainer(args=DPOConfig(beta=options.beta, **settings), **shared)
    elif setup.teacher is not None:
        trainer = DistillingTrainer(
            teacher=setup.teacher,
            temperature=options.temperature,
            weight=options.teacher_weight,
            args=SFTConfig(packing=False, **settings),
            **shared,
        )
    else:
        trainer = SFTTrainer(args=SFTConfig(packing=False, **settings), **shared)
    trainer.remove_callback(PrinterCallback)
    return trainer


def _columns(row: Example | Preference) -> dict[str, list[int]]:
    if isinstance(row, Example):
        return {"input_ids": list(row.ids), "labels": list(row.labels)}
    return {"prompt_ids": list(row.prompt), "chosen_ids": list(row.chosen), "rejected_ids": list(row.rejected)}


def _lora(options: FinetuneOptions) -> LoraConfig:
    return LoraConfig(
        r=options.rank,
        lora_alpha=options.alpha,
        lora_dropout=options.dropout,
        target_modules="all-linear",
        bias="none",
        task_type="CAUSAL_LM",
    )


def _settings(setup: Setup, options: FinetuneOptions, rows: int) -> Mapping[str, object]:
    """What both methods have in common."""
    steps = -(-rows // options.batch_rows)
    return {
        "output_dir": str(setup.checkpoints),
        "num_train_epochs": 1,  # the schedule holds all epochs
        "per_device_train_batch_size": options.batch_rows,
        "learning_rate": options.learning_rate,
        "lr_scheduler_type": "cosine",
        "warmup_steps": steps // 20,
        "weight_decay": 0.0,
        "max_length": options.max_tokens,
        "gradient_checkpointing": False,
        "bf16": setup.device.bf16,
        "use_cpu": setup.device.kind == "cpu",
        "dataloader_pin_memory": setup.device.kind == "cuda",
        "train_sampling_strategy": "sequential",
        "save_steps": options.checkpoint_steps,
        "save_total_limit": 2,
        "logging_steps": 1,
        "report_to": "none",
        "disable_tqdm": True,
        "seed": options.seed,
        "data_seed": options.seed,
    }
