"""Training a LoRA adapter, from the base or from an earlier adapter, with TRL and PEFT; the loss is on replies only.

Rows are tokenised here, by the chat template and tokenizer that the box uses, and not by the trainer.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Sequence, Sized
from dataclasses import asdict, replace
from pathlib import Path
from typing import TypeVar

from transformers import PreTrainedTokenizerBase

from convert.base import Base
from convert.checkpoint.folder import weights_sha256
from convert.checkpoint.jsonfile import read_json
from convert.errors import InputError
from convert.files import atomic_folder, atomic_output
from convert.lora.adapter import CONFIG, TRAINING, read_adapter
from convert.progress import Progress, silent
from convert.tokenizer import encoder, load_tokenizer
from convert.training.corpus import Pair
from convert.training.dataset import Example, Preference, examples, preferences, sample
from convert.training.device import pick_device
from convert.training.distil import load_teacher
from convert.training.lineage import check_parent, lineage
from convert.training.options import LEARNING_RATES, Finetuned, FinetuneOptions, Start
from convert.training.trainers import Setup, make_trainer

__all__ = ["FinetuneOptions", "Finetuned", "Start", "finetune", "schedule"]

#: Batches among which rows are sorted by length; more save padding, fewer mix better.
POOL_BATCHES = 16

RowT = TypeVar("RowT", bound=Sized)


def finetune(
    base: Base,
    pairs: Sequence[Pair],
    out: Path,
    options: FinetuneOptions,
    progress: Progress = silent,
    start: Start | None = None,
) -> Finetuned:
    """Train an adapter for ``base`` and save it in PEFT's format with a TRAINING file.

    Checkpoints lie beside ``out`` in ``<out>.checkpoints`` and are removed at the end; the same call goes on from them,
    also after the process was killed.

    Raises:
        InputError: the base has no weights or no tokenizer, the options do not fit together, the parent is of another
            base, the teacher of another vocabulary, or there is nothing to train on.
    """
    start = start or Start()
    _refuse(pairs, options, start)
    parent = read_adapter(start.parent) if start.parent is not None else None
    if parent is not None:
        rank, alpha = check_parent(parent, base)
        options = replace(options, rank=rank, alpha=alpha)
    ancestors = lineage(parent)
    tokenizer = load_tokenizer(base.folder)
    teacher = load_teacher(start.teacher, tokenizer) if start.teacher is not None else None
    rows = _rows(sample(pairs, options.samples, options.seed), tokenizer, options)
    ordered = schedule(rows, options)
    identity: dict[str, object] = {
        "base_sha256": base.sha256,
        "data_sha256": hashlib.sha256(json.dumps([asdict(row) for row in ordered]).encode()).hexdigest(),
        "options": asdict(options),
        "parent_sha256": parent.sha256 if parent is not None else None,
        "teacher_sha256": weights_sha256(start.teacher) if start.teacher is not None else None,
    }
    device = pick_device()
    checkpoints = out.with_name(out.name + ".checkpoints")
    resume = _resume_from(checkpoints, identity)
    setup = Setup(base.folder, start.parent, teacher, tokenizer, device, checkpoints)
    trainer = make_trainer(ordered, setup, options, progress)
    trainer.train(resume_from_checkpoint=str(resume) if resume else None)
    losses = [float(entry["loss"]) for entry in trainer.state.log_history if "loss" in entry]
    loss = sum(losses[-10:]) / max(1, len(losses[-10:]))
    steps = trainer.state.global_step
    record = {**identity, "method": options.method, "rows": len(rows), "steps": steps, "loss": loss}
    record |= {"device": device.to_dict(), "lineage": ancestors, "origin": dict(start.origin)}
    with atomic_folder(out) as folder:  # DPO's trainer holds a frozen copy of the parent, which is not saved
        trainer.model.save_pretrained(folder, selected_adapters=["default"], save_embedding_layers=False)
        _tidy(folder, base)
        (folder / TRAINING).write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    shutil.rmtree(checkpoints, ignore_errors=True)
    return Finetuned(out, len(rows), steps, loss, device)


def schedule(rows: Sequence[RowT], options: FinetuneOptions) -> list[RowT]:
    """The rows of all epochs in the order of training: shuffled, rows of like length in one batch, batches shuffled.

    It is fixed here and not left to the trainer's sampler, so that a stopped training goes on in the same order.
    """
    rng = random.Random(options.seed)
    ordered: list[RowT] = []
    for _ in range(options.epochs):
        shuffled = rng.sample(rows, len(rows))
        for start in range(0, len(rows), POOL_BATCHES * options.batch_rows):
            pool = sorted(shuffled[start : start + POOL_BATCHES * options.batch_rows], key=len)
            batches = [pool[at : at + options.batch_rows] for at in range(0, len(pool), options.batch_rows)]
            rng.shuffle(batches)
            ordered += [row for batch in batches for row in batch]
    return ordered


def _refuse(pairs: Sequence[Pair], options: FinetuneOptions, start: Start) -> None:
    if not pairs:
        raise InputError("no pairs to train on; expected at least one")
    if options.method not in LEARNING_RATES:
        raise InputError(f"method {options.method!r}; expected one of {', '.join(LEARNING_RATES)}")
    if options.method == "dpo":
        without = sum(not pair.rejected for pair in pairs)
        if without:
            raise InputError(f"{without} of {len(pairs)} pairs have no rejected answer; DPO needs one; use method sft")
        if start.teacher is not None:
            raise InputError("a teacher with DPO; distillation goes with method sft only: leave one of them out")
    if options.temperature <= 0 or not 0.0 <= options.teacher_weight <= 1.0:
        raise InputError(
            f"temperature {options.temperature:g} and teacher weight {options.teacher_weight:g}; "
            "expected a temperature above 0 and a weight from 0 to 1"
        )


def _rows(
    pairs: Sequence[Pair], tokenizer: PreTrainedTokenizerBase, options: FinetuneOptions
) -> list[Example | Preference]:
    """Token rows; those whose prompt alone fills ``max_tokens`` teach nothing and are left out.

    Raises:
        InputError: all are.
    """
    encode, bos = encoder(tokenizer), tokenizer.bos_token_id
    if bos is None:
        raise InputError("the base's tokenizer has no beginning-of-sequence token; expected one of Llama's kind")
    limits = (encode, bos, options.max_tokens, options.system_prompt)
    found: list[Example | Preference]
    if options.method == "dpo":
        found = [row for row in preferences(pairs, *limits) if row.chosen and row.rejected]
    else:
        found = [row for row in examples(pairs, *limits) if any(label != -100 for label in row.labels)]
    if not found:
        raise InputError(f"no pair's prompt is shorter than {options.max_tokens} tokens; raise max_tokens")
    return found


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
