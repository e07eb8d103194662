"""Commands that export a classifier or an encoder to ONNX."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from convert.commands.command import Command, Result, quiet_transformers
from convert.progress import Progress


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


def guard(args: argparse.Namespace, progress: Progress) -> Result:
    """Export a Detoxify checkpoint."""
    from convert.guard.exported import export_checkpoint

    quiet_transformers()
    tokenizer = args.tokenizer or args.checkpoint.parent
    return asdict(export_checkpoint(args.checkpoint, tokenizer, args.samples, args.out, progress, trusted=args.trusted))


COMMANDS = {
    "guard": Command("Detoxify checkpoint to an ONNX guard", guard, _guard_options),
}
