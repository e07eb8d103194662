"""Commands that train an adapter and measure it."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from convert.commands.command import Command, Result, base_options, quiet_transformers
from convert.progress import Progress


def _finetune_options(parser: argparse.ArgumentParser) -> None:
    base_options(parser)
    parser.add_argument("--data", type=Path, required=True, help="folder of support data, .csv or .jsonl")
    parser.add_argument("--out", type=Path, required=True, help="adapter folder to write")
    parser.add_argument("--samples", type=int, help="pairs to train on; default: all of them")
    parser.add_argument("--epochs", type=int, default=1, help="passes over them; default: 1")
    parser.add_argument("--learning-rate", type=float, default=2e-4, help="peak; default: 2e-4")
    parser.add_argument("--batch-rows", type=int, default=8, help="conversations a step; default: 8")
    parser.add_argument("--rank", type=int, default=16, help="LoRA rank; default: 16")
    parser.add_argument("--alpha", type=int, default=32, help="LoRA alpha; default: 32")
    parser.add_argument("--seed", type=int, default=11, help="default: 11")


def finetune(args: argparse.Namespace, progress: Progress) -> Result:
    """Train an adapter."""
    from convert.base import resolve_base
    from convert.training.dataset import read_split
    from convert.training.finetune import FinetuneOptions, finetune

    quiet_transformers()
    options = FinetuneOptions(
        samples=args.samples,
        epochs=args.epochs,
        learning_rate=args.learning_rate,
        batch_rows=args.batch_rows,
        rank=args.rank,
        alpha=args.alpha,
        seed=args.seed,
    )
    base = resolve_base(args.base, args.revision)
    return asdict(finetune(base, read_split(args.data).train, args.out, options, progress))


def _evaluate_options(parser: argparse.ArgumentParser) -> None:
    base_options(parser)
    parser.add_argument("--adapter", action="append", default=[], metavar="[NAME=]DIR", help="compare it; repeatable")
    parser.add_argument("--data", type=Path, required=True, help="folder of support data, .csv or .jsonl")
    parser.add_argument("--samples", type=int, default=100, help="answers to generate; default: 100")
    parser.add_argument("--max-new-tokens", type=int, default=192, help="longest answer; default: 192")
    parser.add_argument("--seed", type=int, default=11, help="default: 11")


def evaluate(args: argparse.Namespace, progress: Progress) -> Result:
    """Measure the base and each adapter on held-out pairs."""
    from convert.base import resolve_base
    from convert.training.dataset import read_split
    from convert.training.metrics import EvaluateOptions, evaluate

    quiet_transformers()
    base = resolve_base(args.base, args.revision).folder
    held_out = read_split(args.data).held_out
    options = EvaluateOptions(samples=args.samples, max_new_tokens=args.max_new_tokens, seed=args.seed)
    adapters: dict[str, Path | None] = {"base": None}
    for text in args.adapter:
        name, equals, folder = text.partition("=")
        adapters[name if equals else Path(text).name] = Path(folder if equals else text)
    found = {name: evaluate(base, path, held_out, options, progress).to_dict() for name, path in adapters.items()}
    return dict(found)


COMMANDS = {
    "finetune": Command("train a LoRA adapter on question/answer pairs", finetune, _finetune_options),
    "evaluate": Command("held-out loss, BLEU-4 and ROUGE-L of a base and its adapters", evaluate, _evaluate_options),
}
