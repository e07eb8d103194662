"""Commands that train an adapter and measure it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from convert.commands.command import Command, Result, base_options, quiet_transformers
from convert.errors import InputError
from convert.progress import Progress

if TYPE_CHECKING:
    from convert.base import Base
    from convert.training.gather import Material
    from convert.training.options import Finetuned, FinetuneOptions

#: File in the adapter's folder with the figures before and after its training.
EVALUATION = "evaluation.json"

DATA = "folder of support data, or a .csv or .jsonl (convert/training/rows.py tables the accepted rows)"


def _samples(text: str) -> int | None:
    if text == "all":
        return None
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r}; expected a number above 0 (such as 100), or all")
    return int(text)


def _finetune_options(parser: argparse.ArgumentParser) -> None:
    base_options(parser)
    parser.add_argument("--data", type=Path, help=f"{DATA}; with --feedback it is only replayed")
    parser.add_argument("--out", type=Path, required=True, help="adapter folder to write")
    parser.add_argument("--method", choices=("sft", "dpo"), default="sft", help="default: sft")
    parser.add_argument("--samples", type=_samples, metavar="N|all", help="pairs to train on, e.g. 100; default: all")
    parser.add_argument("--epochs", type=int, default=1, help="passes over them; default: 1")
    parser.add_argument("--learning-rate", type=float, help="peak; default: 2e-4, of dpo 5e-5")
    parser.add_argument("--batch-rows", type=int, default=8, help="conversations a step; default: 8")
    parser.add_argument("--rank", type=int, help="LoRA rank; default: 16")
    parser.add_argument("--alpha", type=int, help="LoRA alpha; default: 32")
    parser.add_argument("--beta", type=float, default=0.1, help="of dpo; default: 0.1")
    parser.add_argument("--seed", type=int, default=11, help="default: 11")
    more = parser.add_argument_group("going on from an earlier adapter")
    more.add_argument("--resume-adapter", type=Path, metavar="DIR", help="adapter to start from; its rank is kept")
    more.add_argument("--feedback", type=Path, metavar="FILE.jsonl", help="exported feedback to learn from")
    more.add_argument("--replay", type=float, default=0.5, help="share of old rows among the new; default: 0.5")
    more.add_argument(
        "--forgetting",
        type=float,
        default=0.1,
        metavar="NATS",
        help="by how much the old data's held-out loss may rise, else exit code 1; default: 0.1",
    )
    teacher = parser.add_argument_group("distillation (sft)")
    teacher.add_argument("--teacher", help="larger model of the same vocabulary: folder or hub id")
    teacher.add_argument("--temperature", type=float, default=2.0, help="default: 2")
    teacher.add_argument("--teacher-weight", type=float, default=0.5, help="its share of the loss; default: 0.5")
    _measure_options(parser)


def _measure_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--eval-samples", type=int, default=100, help="answers to generate and judge; default: 100")
    parser.add_argument("--max-new-tokens", type=int, default=192, help="longest answer; default: 192")


def finetune(args: argparse.Namespace, progress: Progress) -> Result:
    """Train an adapter and measure it on held-out pairs."""
    from convert.base import resolve_base
    from convert.training.finetune import Start, finetune
    from convert.training.gather import gather

    quiet_transformers()
    options = _options(args)
    base = resolve_base(args.base, args.revision)
    teacher = resolve_base(args.teacher).folder if args.teacher else None
    material = gather(args.data, args.feedback, args.replay, args.method, args.seed)
    start = Start(args.resume_adapter, teacher, material.origin)
    done = finetune(base, material.train, args.out, options, progress, start)
    return _report(args, base, material, done, progress)


def _options(args: argparse.Namespace) -> FinetuneOptions:
    from convert.training.options import LEARNING_RATES, FinetuneOptions

    if args.resume_adapter is not None and (args.rank or args.alpha):
        raise InputError("--rank or --alpha with --resume-adapter; an adapter keeps its own: leave them out")
    given = {name: getattr(args, name) for name in ("rank", "alpha") if getattr(args, name)}
    return FinetuneOptions(
        samples=args.samples,
        epochs=args.epochs,
        learning_rate=args.learning_rate or LEARNING_RATES[args.method],
        batch_rows=args.batch_rows,
        seed=args.seed,
        method=args.method,
        beta=args.beta,
        temperature=args.temperature,
        teacher_weight=args.teacher_weight,
        **given,
    )


def _report(args: argparse.Namespace, base: Base, material: Material, done: Finetuned, progress: Progress) -> Result:
    """The training's figures and, where something is held out, those before and after; also kept with the adapter."""
    from dataclasses import replace

    from convert.files import write_json
    from convert.training.metrics import EvaluateOptions, evaluate

    found: Result = {"adapter": done.adapter, "rows": done.rows, "steps": done.steps, "loss": done.loss}
    found |= {"device": done.device.to_dict(), "origin": material.origin}
    if not material.held_out:
        return found
    after = EvaluateOptions(samples=args.eval_samples, max_new_tokens=args.max_new_tokens, seed=args.seed)
    before = evaluate(base.folder, args.resume_adapter, material.held_out, replace(after, samples=0), progress)
    now = evaluate(base.folder, done.adapter, material.held_out, after, progress, material.judging)
    figures = {"before": before.to_dict(), "after": now.to_dict()}
    write_json(done.adapter / EVALUATION, figures)
    found |= figures
    if args.feedback is not None:
        rise = now.loss - before.loss
        found["forgetting"] = {"loss_rise": rise, "bound": args.forgetting}
        found["exit_code"] = int(rise > args.forgetting)
    return found


def _evaluate_options(parser: argparse.ArgumentParser) -> None:
    base_options(parser)
    parser.add_argument("--adapter", action="append", default=[], metavar="[NAME=]DIR", help="compare it; repeatable")
    parser.add_argument("--data", type=Path, required=True, help=DATA)
    parser.add_argument("--samples", type=int, default=100, help="answers to generate; default: 100")
    parser.add_argument("--max-new-tokens", type=int, default=192, help="longest answer; default: 192")
    parser.add_argument("--seed", type=int, default=11, help="default: 11")


def evaluate(args: argparse.Namespace, progress: Progress) -> Result:
    """Measure the base and each adapter on held-out pairs."""
    from convert.base import resolve_base
    from convert.training.dataset import read_source
    from convert.training.metrics import EvaluateOptions, evaluate

    quiet_transformers()
    base = resolve_base(args.base, args.revision).folder
    source = read_source(args.data)
    options = EvaluateOptions(samples=args.samples, max_new_tokens=args.max_new_tokens, seed=args.seed)
    adapters: dict[str, Path | None] = {"base": None}
    for text in args.adapter:
        name, equals, folder = text.partition("=")
        adapters[name if equals else Path(text).name] = Path(folder if equals else text)
    return {
        name: evaluate(base, path, source.split.held_out, options, progress, source.judging).to_dict()
        for name, path in adapters.items()
    }


COMMANDS = {
    "finetune": Command("train a LoRA adapter, or go on from one, and measure it", finetune, _finetune_options),
    "evaluate": Command(
        "held-out loss, BLEU-4, ROUGE-L, intent and placeholder accuracy of a base and its adapters",
        evaluate,
        _evaluate_options,
    ),
}
