"""Train the demonstration base: a Llama of 8.4 M parameters, from scratch, on conversations.

Hidden matrices are trained by Muon (https://kellerjordan.github.io/posts/muon/), embeddings, head and norms by AdamW.
A checkpoint is written every CHECKPOINT_STEPS steps; a rerun goes on from it.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tqdm import tqdm
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from convert.chat import render
from convert.demo.documents import epoch
from convert.demo.tokenizer import VOCAB_SIZE
from convert.dtype import fast_dtype
from convert.training.corpus import Pair

log = logging.getLogger(__name__)

CHECKPOINT_STEPS = 50


@dataclass(frozen=True, slots=True)
class PretrainOptions:
    """How long and how fast to train.

    Attributes:
        epochs: passes over the pairs.
        row_tokens: tokens a packed row.
        batch_rows: rows a step.
        adamw_lr: peak learning rate of embeddings, head and norms.
        muon_lr: peak learning rate of the hidden matrices (RMS-matched to AdamW's).
        warmup_steps: steps of linear warm-up; then cosine to a twentieth.
        seed: of weights, order and packing.
    """

    epochs: int = 4
    row_tokens: int = 512
    batch_rows: int = 12
    adamw_lr: float = 3e-3
    muon_lr: float = 6e-3
    warmup_steps: int = 40
    seed: int = 11


def base_config() -> LlamaConfig:
    """TinyLlama's shape at a tenth of its width; every quantised row divides by 256."""
    return LlamaConfig(
        vocab_size=VOCAB_SIZE,
        hidden_size=256,
        intermediate_size=768,
        num_hidden_layers=8,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        tie_word_embeddings=False,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
        dtype="float32",
    )


@dataclass(frozen=True, slots=True)
class PretrainData:
    """Pairs to learn from, and by intent other ways to ask."""

    pairs: Sequence[Pair]
    rephrasings: Mapping[str, Sequence[str]]


def _rows(data: PretrainData, tokenizer: AutoTokenizer, options: PretrainOptions, number: int) -> torch.Tensor:
    """Pack one epoch of conversations into rows (N, row_tokens + 1), int64."""
    rng = random.Random(options.seed * 1000 + number)
    ids: list[int] = []
    for turns in epoch(data.pairs, data.rephrasings, rng):
        ids += [1, *tokenizer(render(turns), add_special_tokens=False)["input_ids"]]
    width = options.row_tokens
    count = (len(ids) - 1) // width
    rows = torch.tensor([ids[i * width : (i + 1) * width + 1] for i in range(count)])
    return rows[torch.randperm(count, generator=torch.Generator().manual_seed(options.seed + number))]


def _batches(data: PretrainData, tokenizer: AutoTokenizer, options: PretrainOptions) -> Iterator[torch.Tensor]:
    for number in range(options.epochs):
        yield from _rows(data, tokenizer, options, number).split(options.batch_rows)  # type: ignore[no-untyped-call]


def _rate(step: int, total: int, warmup: int) -> float:
    if step < warmup:
        return (step + 1) / warmup
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))


def _optimizers(model: LlamaForCausalLM, options: PretrainOptions) -> list[torch.optim.Optimizer]:
    hidden = [p for name, p in model.named_parameters() if p.ndim == 2 and ".layers." in name]
    taken = {id(p) for p in hidden}
    rest = [p for p in model.parameters() if id(p) not in taken]
    return [
        torch.optim.Muon(hidden, lr=options.muon_lr, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(rest, lr=options.adamw_lr, betas=(0.9, 0.95), weight_decay=0.01),
    ]


def pretrain(data: PretrainData, tokenizer_folder: Path, out: Path, options: PretrainOptions) -> Path:
    """Train and save a Hugging Face folder.

    Returns:
        The folder ``out``, with ``model.safetensors``, ``config.json`` and the tokenizer's files.
    """
    torch.manual_seed(options.seed)
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    model = LlamaForCausalLM(base_config())
    optimizers = _optimizers(model, options)
    batches = list(_batches(data, tokenizer, options))
    checkpoint = out.with_suffix(".checkpoint.pt")
    done = 0
    if checkpoint.is_file():
        state = torch.load(checkpoint, weights_only=True)
        model.load_state_dict(state["model"])
        for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        done = int(state["step"])
    dtype = fast_dtype()
    log.info("%d steps, %s, from step %d", len(batches), dtype, done)
    started = time.monotonic()
    peaks = (options.muon_lr, options.adamw_lr)
    for step in tqdm(range(done, len(batches)), desc="pretrain", initial=done, total=len(batches), mininterval=5):
        for optimizer, peak in zip(optimizers, peaks, strict=True):
            optimizer.param_groups[0]["lr"] = peak * _rate(step, len(batches), options.warmup_steps)
        batch = batches[step]
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype is torch.bfloat16):
            logits = model(input_ids=batch[:, :-1], use_cache=False).logits  # (B, T, V)
        loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), batch[:, 1:].flatten())
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if (step + 1) % CHECKPOINT_STEPS == 0:
            tokens = (step + 1 - done) * batch.shape[0] * options.row_tokens
            log.info("step %d loss %.3f, %.0f tokens/s", step + 1, loss.item(), tokens / (time.monotonic() - started))
            saved = {"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers], "step": step + 1}
            torch.save(saved, checkpoint.with_suffix(".tmp"))
            checkpoint.with_suffix(".tmp").replace(checkpoint)
    model.save_pretrained(out)
    for name in ("tokenizer.model", "tokenizer_config.json"):
        (out / name).write_bytes((tokenizer_folder / name).read_bytes())
    checkpoint.unlink(missing_ok=True)
    return out
