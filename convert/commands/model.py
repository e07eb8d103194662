"""Commands from a model folder to its GGUFs, stage by stage."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from convert.commands.command import Command, Result, base_options, quiet_transformers
from convert.gguf.tensors import Precision
from convert.progress import Progress
from convert.quantization.quantize import QuantType


def _merge_options(parser: argparse.ArgumentParser) -> None:
    base_options(parser)
    parser.add_argument("--adapter", type=Path, required=True, help="PEFT LoRA adapter folder")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")


def merge(args: argparse.Namespace, progress: Progress) -> Result:
    """Base and adapter to a model folder."""
    from convert.base import resolve_base
    from convert.lora.adapter import read_adapter, refuse_other_base
    from convert.lora.merge import write_merged_folder

    base, adapter = resolve_base(args.base, args.revision), read_adapter(args.adapter)
    refuse_other_base(adapter, base)
    return {"folder": write_merged_folder(base.folder, adapter, args.out, progress), "updates": len(adapter.pairs)}


def _gguf_options(parser: argparse.ArgumentParser) -> None:
    base_options(parser)
    parser.add_argument("--adapter", type=Path, help="PEFT LoRA adapter folder to merge on the way")
    parser.add_argument("--out", type=Path, required=True, help="GGUF to write")
    parser.add_argument("--precision", choices=list(Precision), default="f16", help="of the matrices; default: f16")
    parser.add_argument("--name", help="general.name; default: from the folder, as llama.cpp's converter does")


def gguf(args: argparse.Namespace, progress: Progress) -> Result:
    """Model folder, and adapter if given, to a float GGUF."""
    from convert.base import resolve_base
    from convert.gguf.source import read_source
    from convert.gguf.writer import write_gguf
    from convert.lora.adapter import read_adapter, refuse_other_base
    from convert.lora.merge import LoraPatch

    base = resolve_base(args.base, args.revision)
    patch = None
    if args.adapter is not None:
        adapter = read_adapter(args.adapter)
        refuse_other_base(adapter, base)
        patch = LoraPatch(adapter)
    source = read_source(base.folder, Precision(args.precision), args.name)
    path = write_gguf(source, args.out, patch, progress)
    return {"gguf": path, "bytes": path.stat().st_size, "tensors": len(source.tensors)}


def _quantize_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, help="float GGUF")
    parser.add_argument("out", type=Path, help="GGUF to write")
    parser.add_argument("--type", choices=list(QuantType), default="Q4_K_M", help="default: Q4_K_M")
    parser.add_argument("--threads", type=int, default=0, help="default: 0, all cores")


def quantize(args: argparse.Namespace, progress: Progress) -> Result:
    """Float GGUF to a quantised one."""
    from convert.quantization.quantize import quantize

    return asdict(quantize(args.source, args.out, QuantType(args.type), args.threads, progress))


def _check_options(parser: argparse.ArgumentParser) -> None:
    base_options(parser)
    parser.add_argument("--adapter", type=Path, help="the adapter that was merged")
    parser.add_argument("--float", type=Path, required=True, help="float GGUF")
    parser.add_argument("--quantized", type=Path, required=True, help="quantised GGUF")
    parser.add_argument("--data", type=Path, help="held-out texts: folder of support data, .csv or .jsonl")
    parser.add_argument("--positions", type=int, default=2000, help="token positions to compare at; default: 2000")
    parser.add_argument("--threads", type=int, default=0, help="default: 0, the physical cores")


def check(args: argparse.Namespace, progress: Progress) -> Result:
    """Compare the GGUFs with transformers; exit code 1 if they fall short."""
    from convert.base import resolve_base
    from convert.fidelity.check import CheckOptions, check
    from convert.fidelity.texts import check_texts

    quiet_transformers()
    base = resolve_base(args.base, args.revision).folder
    options = CheckOptions(positions=args.positions, threads=args.threads)
    report = check(base, args.adapter, args.float, args.quantized, check_texts(args.data), options, progress)
    failures = report.failures()
    return {**report.to_dict(), "ok": not failures, "failures": failures, "exit_code": 1 if failures else 0}


COMMANDS = {
    "merge": Command("base + adapter to a model folder in float32", merge, _merge_options),
    "gguf": Command("model folder (+ adapter) to a float GGUF", gguf, _gguf_options),
    "quantize": Command("float GGUF to a quantised one", quantize, _quantize_options),
    "check": Command("compare the GGUFs with transformers", check, _check_options),
}
