"""Commands from a model folder to its GGUFs, stage by stage."""

from __future__ import annotations

import argparse
from pathlib import Path

from convert.commands.command import Command, Result, base_options, quiet_transformers
from convert.gguf.tensors import Precision
from convert.progress import Progress


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
    from convert.lora.adapter import read_adapter
    from convert.lora.merging import merging

    base = resolve_base(args.base, args.revision)
    adapter = None if args.adapter is None else read_adapter(args.adapter)
    if adapter is not None and adapter.through_peft:
        quiet_transformers()
    scratch = args.out.with_name(f".{args.out.name}.merged")
    with merging(base, adapter, scratch, progress) as (folder, patch):
        source = read_source(folder, Precision(args.precision), args.name)
        path = write_gguf(source, args.out, patch, progress)
    said = {"warnings": source.warnings} if source.warnings else {}
    return {"gguf": path, "bytes": path.stat().st_size, "tensors": len(source.tensors), **said}


COMMANDS = {
    "gguf": Command("model folder (+ adapter) to a float GGUF", gguf, _gguf_options),
}
