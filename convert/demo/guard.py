"""Train the demonstration's toxicity guard and save it as a Detoxify checkpoint.

The checkpoint has the layout of https://github.com/unitaryai/detoxify: ``state_dict`` of a
``BertForSequenceClassification``, ``config.arch.args`` and ``config.dataset.args.classes``.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import BertConfig, BertForSequenceClassification

from convert.demo.encoder import ENCODER_ID, check_encoder, grow_tokenizer, initial_model
from convert.demo.guard_data import Attempts, GuardData, Mix, build
from convert.demo.resumed import resumed_model
from convert.dtype import fast_dtype
from convert.progress import Progress, silent
from models.bundle import GUARD, GUARD_TOKENIZER

log = logging.getLogger(__name__)

CHECKPOINT = "detoxify.ckpt"


@dataclass(frozen=True, slots=True)
class GuardOptions:
    """How the guard is trained.

    Attributes:
        epochs: passes over the examples.
        batch: examples a step, of similar length.
        lr: peak learning rate of the encoder.
        new_lr: peak learning rate of what starts from nothing: Chinese rows and the classifier.
        warmup: share of the steps spent in linear warm-up; then linear to zero.
        max_tokens: longer texts are cut in training; at run time they are read in windows.
        min_count: a Chinese character in at least so many training examples gets a row.
        checkpoint_steps: steps between two checkpoints.
        threads: processor threads; 0 leaves torch's own choice.
        seed: of order, dropout and new weights.
        mix: proportions of the training data.
    """

    epochs: int = 2
    batch: int = 64
    lr: float = 1.5e-4
    new_lr: float = 2e-3
    warmup: float = 0.06
    max_tokens: int = 96
    min_count: int = 4
    checkpoint_steps: int = 100
    threads: int = 0
    seed: int = 17
    mix: Mix = field(default_factory=Mix)


def train_guard(
    data: Path,
    encoder: Path,
    out: Path,
    options: GuardOptions | None = None,
    progress: Progress = silent,
    attempts: Attempts | None = None,
    start: Path | None = None,
) -> Path:
    """Train and write ``out/detoxify.ckpt`` and ``out/guard-tokenizer.json``; a rerun goes on where it stopped.

    Args:
        data: folder with ``toxicity/`` and ``support/``.
        encoder: folder of the pretrained encoder.
        out: folder for the results and, while training, ``guard.checkpoint.pt``.
        options: how to train; None takes the defaults.
        progress: told after every step.
        attempts: texts of known ``injection``; with them the guard learns that label too.
        start: folder of an exported guard (``guard.onnx``, its tokenizer) to go on from; None begins with the encoder.

    Returns:
        The checkpoint's path.

    Raises:
        InputError: a file of the data or of the encoder is missing or malformed.
    """
    options = options or GuardOptions()
    check_encoder(encoder)
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    out.mkdir(parents=True, exist_ok=True)
    built = build(data, options.mix, attempts)
    examples = built.train
    if start is None:
        tokenizer, rows = grow_tokenizer(encoder / "tokenizer.json", (e.text for e in examples), options.min_count)
        model = initial_model(encoder, rows, len(built.labels))
    else:
        tokenizer = Tokenizer.from_file(str(start / GUARD_TOKENIZER))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        model = resumed_model(start / GUARD, encoder, len(built.labels))
    batches = _batches(built, tokenizer, options)
    log.info("%d examples, %d steps", len(examples), len(batches))
    _fit(model, batches, out / "guard.checkpoint.pt", options, progress)
    model.bert.embeddings.word_embeddings = model.bert.embeddings.word_embeddings.joined()
    model.config.vocab_size = model.bert.embeddings.word_embeddings.num_embeddings
    tokenizer.save(str(out / GUARD_TOKENIZER))
    save_checkpoint(model, built.labels, out / CHECKPOINT)
    (out / "guard.checkpoint.pt").unlink(missing_ok=True)
    return out / CHECKPOINT


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids and attention mask (B, T) int64; targets (B, L) float32 with NaN where nothing is known."""

    ids: torch.Tensor
    mask: torch.Tensor
    targets: torch.Tensor


def _batches(built: GuardData, tokenizer: Tokenizer, options: GuardOptions) -> list[Batch]:
    """All batches of all epochs: every epoch shuffled anew, and sorted by length within pools of 50 batches."""
    rows = []
    for encoding, example in zip(tokenizer.encode_batch([e.text for e in built.train]), built.train, strict=True):
        ids = encoding.ids
        cut = ids if len(ids) <= options.max_tokens else [*ids[: options.max_tokens - 1], ids[-1]]
        rows.append((cut, example.known(built.labels)))
    made = []
    for epoch in range(options.epochs):
        rng = random.Random(options.seed * 100 + epoch)
        order = rng.sample(range(len(rows)), len(rows))
        pool = options.batch * 50
        epoch_batches = []
        for start in range(0, len(order), pool):
            part = sorted(order[start : start + pool], key=lambda index: len(rows[index][0]))
            epoch_batches += [
                _batch([rows[i] for i in part[at : at + options.batch]]) for at in range(0, len(part), options.batch)
            ]
        rng.shuffle(epoch_batches)
        made += epoch_batches
    return made


def _batch(rows: Sequence[tuple[list[int], tuple[float, ...]]]) -> Batch:
    width = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([row + [0] * (width - len(row)) for row, _ in rows])
    return Batch(
        ids,
        (torch.arange(width) < torch.tensor([[len(row)] for row, _ in rows])).long(),
        torch.tensor([t for _, t in rows]),
    )


def masked_loss(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Mean binary cross-entropy of logits (B, L) over the targets (B, L) that are not NaN; targets may be soft."""
    known = ~targets.isnan()
    losses = functional.binary_cross_entropy_with_logits(logits, targets.nan_to_num(), reduction="none")
    return (losses * known).sum() / known.sum().clamp(min=1)


def _optimizer(model: BertForSequenceClassification, options: GuardOptions) -> torch.optim.Optimizer:
    fresh: list[torch.nn.Parameter] = []
    decayed: list[torch.nn.Parameter] = []
    plain: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if name.startswith("classifier") or name.endswith("word_embeddings.new"):
            fresh.append(parameter)
        else:
            (decayed if parameter.ndim == 2 and "embeddings" not in name else plain).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": decayed, "lr": options.lr, "weight_decay": 0.01},
            {"params": plain, "lr": options.lr, "weight_decay": 0.0},
            {"params": fresh, "lr": options.new_lr, "weight_decay": 0.0},
        ],
        fused=True,
    )


def _fit(
    model: BertForSequenceClassification,
    batches: Sequence[Batch],
    resume: Path,
    options: GuardOptions,
    progress: Progress,
) -> None:
    optimizer = _optimizer(model, options)
    done = 0
    if resume.is_file():
        state = torch.load(resume, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        done = int(state["step"])
    warm = max(1, round(options.warmup * len(batches)))
    peaks = [float(group["lr"]) for group in _optimizer(model, options).param_groups]
    bf16 = fast_dtype() is torch.bfloat16
    model.train()
    smooth = math.nan
    for step in range(done, len(batches)):
        torch.manual_seed(
            options.seed * 1_000_003 + step
        )  # dropout is the same whether or not training was interrupted
        rate = min((step + 1) / warm, (len(batches) - step) / max(1, len(batches) - warm))
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["lr"] = peak * rate
        batch = batches[step]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16):
            logits = model(input_ids=batch.ids, attention_mask=batch.mask).logits
        loss = masked_loss(logits.float(), batch.targets)
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        smooth = loss.item() if math.isnan(smooth) else 0.98 * smooth + 0.02 * loss.item()
        if (step + 1) % options.checkpoint_steps == 0:
            saved = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step + 1}
            torch.save(saved, resume.with_suffix(".tmp"))
            resume.with_suffix(".tmp").replace(resume)
            log.info("step %d of %d, loss %.3f", step + 1, len(batches), smooth)
        progress("train guard", step + 1, len(batches))


def save_checkpoint(model: BertForSequenceClassification, labels: Sequence[str], path: Path) -> None:
    """Write a model as Detoxify does. ``config.arch.shape`` is ours: what no tensor's shape tells."""
    config: BertConfig = model.config
    arch = {
        "type": "BERT",
        "args": {
            "num_classes": len(labels),
            "model_type": ENCODER_ID,
            "model_name": "BertForSequenceClassification",
            "tokenizer_name": "BertTokenizer",
        },
        "shape": {"num_attention_heads": config.num_attention_heads},
    }
    state = {name: tensor.detach().clone().contiguous() for name, tensor in model.state_dict().items()}
    made = {"name": "Tellerbox_demo_guard", "arch": arch, "dataset": {"args": {"classes": list(labels)}}}
    torch.save({"state_dict": state, "config": made}, path)
