"""One subcommand of ``python -m convert``, and what several of them share."""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from convert.progress import Progress

#: What is printed; ``exit_code``, if there, is taken out before.
Result = dict[str, object]

Handler = Callable[[argparse.Namespace, Progress], Result]


@dataclass(frozen=True, slots=True)
class Command:
    """What it does, and the function that adds its options."""

    help: str
    handler: Handler
    options: Callable[[argparse.ArgumentParser], None]


def base_options(parser: argparse.ArgumentParser) -> None:
    """Add what names a base model."""
    parser.add_argument("--base", required=True, help="Hugging Face folder or hub id")
    parser.add_argument("--revision", help="revision of the hub's model")


def quiet_transformers() -> None:
    """Leave the terminal to our own bars."""
    warnings.filterwarnings("ignore", category=FutureWarning)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import datasets
    import transformers

    datasets.disable_progress_bars()
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
