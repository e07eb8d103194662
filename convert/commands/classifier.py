"""Commands that export a classifier or an encoder to ONNX."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from convert.commands.command import Command, Result, quiet_transformers
from convert.progress import Progress


def _guard_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "checkpoint",
        help="Detoxify checkpoint, or a variant to download: original, unbiased, multilingual, original-small, "
        "unbiased-small",
    )
    parser.add_argument(
        "--tokenizer",
        type=Path,
        help="tokenizer.json, or the vocabulary file of the model's family, or a folder with one; "
        "default: beside the checkpoint, or the variant's own from the hub",
    )
    parser.add_argument("--samples", type=Path, help="JSON Lines (text, targets) to calibrate thresholds on")
    parser.add_argument("--out", type=Path, required=True, help="folder to write guard.onnx and its companions to")
    parser.add_argument("--sha256", help="refuse a checkpoint with another digest")
    parser.add_argument("--float32", action="store_true", help="keep the model before int8, guard-float32.onnx, too")
    parser.add_argument(
        "--trusted",
        action="store_true",
        help="unpickle any object in it, which can run code: only for files of known origin",
    )


def guard(args: argparse.Namespace, progress: Progress) -> Result:
    """Export a Detoxify checkpoint; exit code 1 if int8 decides too differently on the samples kept for the test."""
    from convert.guard.exported import export_checkpoint, shortfalls
    from convert.guard.variants import find_source, require_sha256

    quiet_transformers()
    source = find_source(args.checkpoint, args.tokenizer, progress)
    require_sha256(source.checkpoint, args.sha256)
    made = export_checkpoint(
        source.checkpoint,
        source.tokenizer,
        args.samples,
        args.out,
        progress,
        trusted=args.trusted,
        origin=source.origin,
        float32=args.float32,
    )
    short = shortfalls(made)
    return {**asdict(made), **({"shortfalls": short} if short else {}), "exit_code": int(bool(short))}


def _embed_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("encoder", type=Path, help="folder of a sentence encoder, such as all-MiniLM-L6-v2")
    parser.add_argument("--out", type=Path, required=True, help="folder to write embed.onnx and its companions to")
    parser.add_argument("--sentences", type=Path, help="text file, one a line, to measure int8 on; default: our own")


def embed(args: argparse.Namespace, progress: Progress) -> Result:
    """Export a sentence encoder."""
    from convert.embed.export import export_encoder
    from convert.embed.sentences import read_sentences

    quiet_transformers()
    return asdict(export_encoder(args.encoder, args.out, read_sentences(args.sentences), progress))


COMMANDS = {
    "guard": Command("Detoxify checkpoint to an ONNX guard", guard, _guard_options),
    "embed": Command("sentence encoder to ONNX, for search", embed, _embed_options),
}
