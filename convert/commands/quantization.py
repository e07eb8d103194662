"""Commands from a float GGUF to a quantised one, and to what was lost on the way."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from convert.commands.command import Command, Result, base_options, quiet_transformers
from convert.progress import Progress
from convert.quantization.quantize import Guidance, QuantType


def _texts_options(parser: argparse.ArgumentParser, *, required: bool, what: str) -> None:
    parser.add_argument("--data", type=Path, required=required, help=f"{what}: folder of support data, .csv or .jsonl")
    parser.add_argument("--general", type=Path, help="general text: .jsonl (text) or plain; default: the project's own")
    parser.add_argument("--threads", type=int, default=0, help="default: 0, the physical cores")


def _imatrix_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, help="float GGUF")
    parser.add_argument("out", type=Path, help="importance matrix to write, such as imatrix.gguf")
    parser.add_argument("--tokens", type=int, default=20000, help="to read; default: 20000")
    _texts_options(parser, required=True, what="support text, of which the training side is read")


def imatrix(args: argparse.Namespace, progress: Progress) -> Result:
    """Collect an importance matrix from support and general text."""
    from convert.fidelity.texts import calibration_texts
    from convert.quantization.collect import CollectOptions, collect_imatrix
    from convert.quantization.imatrix import write_imatrix

    texts = calibration_texts(args.data, general=args.general)
    found = collect_imatrix(args.source, texts, CollectOptions(args.tokens, args.threads), progress)
    path = write_imatrix(found, args.out)
    return {"imatrix": path, "matrices": len(found.entries), "tokens": found.tokens, "datasets": found.datasets}


def _types_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, help="float GGUF")
    parser.add_argument("out", type=Path, help="plan of types to write, such as types.json")
    parser.add_argument("--imatrix", type=Path, required=True, help="importance matrix of this model")
    parser.add_argument("--type", choices=list(QuantType), default="Q4_K_M", help="whose bytes to keep within")
    parser.add_argument("--tokens", type=int, default=1024, help="a measurement reads; default: 1024")
    parser.add_argument("--groups", type=int, default=64, help="of tensors to measure, at most; default: 64")
    _texts_options(parser, required=True, what="support text, of which the training side is read")


def types(args: argparse.Namespace, progress: Progress) -> Result:
    """Search a type for every tensor under the bytes of a stock mixture."""
    from convert.fidelity.texts import calibration_texts
    from convert.quantization.imatrix import read_imatrix
    from convert.quantization.search import SearchOptions, search_types, write_types

    matrix = read_imatrix(args.imatrix)
    texts = calibration_texts(args.data, general=args.general)
    options = SearchOptions(QuantType(args.type), args.tokens, args.groups, args.threads)
    plan = search_types(args.source, matrix, texts, options, progress)
    return {"types": write_types(plan, args.out), **{k: v for k, v in asdict(plan).items() if k != "types"}}


def _quantize_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", type=Path, help="float GGUF")
    parser.add_argument("out", type=Path, help="GGUF to write")
    parser.add_argument("--type", choices=list(QuantType), default="Q4_K_M", help="default: Q4_K_M")
    parser.add_argument("--imatrix", type=Path, help="importance matrix of `convert imatrix` or llama-imatrix")
    parser.add_argument("--types", type=Path, help="plan of `convert types`; tensors outside it follow --type")
    parser.add_argument("--threads", type=int, default=0, help="default: 0, all cores")


def quantize(args: argparse.Namespace, progress: Progress) -> Result:
    """Float GGUF to a quantised one."""
    from convert.quantization.quantize import quantize
    from convert.quantization.search import read_types

    guidance = Guidance(args.imatrix, read_types(args.types).types if args.types else {})
    return asdict(quantize(args.source, args.out, QuantType(args.type), args.threads, progress, guidance=guidance))


def _check_options(parser: argparse.ArgumentParser) -> None:
    base_options(parser)
    parser.add_argument("--adapter", type=Path, help="the adapter that was merged")
    parser.add_argument("--float", type=Path, required=True, help="float GGUF")
    parser.add_argument("--quantized", type=Path, required=True, help="quantised GGUF")
    parser.add_argument("--baseline", type=Path, help="another quantised GGUF, to take the difference from")
    parser.add_argument("--positions", type=int, default=2000, help="token positions to compare at; default: 2000")
    _texts_options(parser, required=False, what="held-out texts")


def check(args: argparse.Namespace, progress: Progress) -> Result:
    """Compare the GGUFs with transformers; exit code 1 if they fall short."""
    from convert.base import resolve_base
    from convert.fidelity.check import CheckOptions, check
    from convert.fidelity.texts import check_texts

    quiet_transformers()
    base = resolve_base(args.base, args.revision).folder
    options = CheckOptions(positions=args.positions, threads=args.threads, baseline=args.baseline)
    texts = check_texts(args.data, general=args.general)
    report = check(base, args.adapter, args.float, args.quantized, texts, options, progress)
    failures = report.failures()
    return {**report.to_dict(), "ok": not failures, "failures": failures, "exit_code": 1 if failures else 0}


COMMANDS = {
    "imatrix": Command("importance matrix of a float GGUF, from support and general text", imatrix, _imatrix_options),
    "types": Command("search a type for every tensor under the bytes of a stock mixture", types, _types_options),
    "quantize": Command("float GGUF to a quantised one", quantize, _quantize_options),
    "check": Command("compare the GGUFs with transformers and each other", check, _check_options),
}
