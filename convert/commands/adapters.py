"""Commands for an adapter: merge it into a model folder, or write it as a file that the engine switches to."""

from __future__ import annotations

import argparse
from pathlib import Path

from convert.commands.command import Command, Result, base_options, quiet_transformers
from convert.progress import Progress


def _adapter_options(parser: argparse.ArgumentParser) -> None:
    base_options(parser)
    parser.add_argument("--adapter", type=Path, required=True, help="PEFT LoRA adapter folder")


def _merge_options(parser: argparse.ArgumentParser) -> None:
    _adapter_options(parser)
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")


def merge(args: argparse.Namespace, progress: Progress) -> Result:
    """Base and adapter to a model folder."""
    from convert.base import resolve_base
    from convert.lora.adapter import read_adapter
    from convert.lora.merging import write_merged_folder

    base, adapter = resolve_base(args.base, args.revision), read_adapter(args.adapter)
    if adapter.through_peft:
        quiet_transformers()
    folder = write_merged_folder(base, adapter, args.out, progress)
    return {"folder": folder, "updates": len(adapter.pairs), "through_peft": list(adapter.through_peft)}


def _hotswap_options(parser: argparse.ArgumentParser) -> None:
    _adapter_options(parser)
    parser.add_argument("--out", type=Path, required=True, help="GGUF to write; a bundle carries adapter-NAME.gguf")
    parser.add_argument("--precision", choices=["f32", "f16"], default="f32", help="of the factors; default: f32")
    parser.add_argument("--name", default="", help="general.name; default: the adapter folder's name")
    parser.add_argument("--licence", default="", metavar="SPDX", help="general.license, such as Apache-2.0")


def hotswap(args: argparse.Namespace, progress: Progress) -> Result:
    """Adapter to a GGUF of its own."""
    from convert.base import resolve_base
    from convert.gguf.tensors import Precision
    from convert.lora.adapter import read_adapter
    from convert.lora.hotswap import HotswapOptions, base_keys, write_hotswap

    base, adapter = resolve_base(args.base, args.revision), read_adapter(args.adapter)
    options = HotswapOptions(Precision(args.precision), args.name, args.licence)
    path = write_hotswap(base, adapter, args.out, options, progress)
    about = {key: str(value) for key, value in base_keys(base, adapter.config).items()}
    return {"gguf": path, "bytes": path.stat().st_size, "updates": len(adapter.pairs), **about}


COMMANDS = {
    "merge": Command("base + adapter to a model folder in float32", merge, _merge_options),
    "adapter": Command("adapter to a GGUF that the engine switches to while it runs", hotswap, _hotswap_options),
}
