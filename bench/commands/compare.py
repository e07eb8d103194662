"""The command that sets two stored results beside each other."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from bench.commands.command import FELL_SHORT, GOOD, Command
from bench.compare import compare
from bench.numbers import share
from bench.report import show_comparison
from bench.result import read_result


def _compare_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("before", type=Path, metavar="A.json", help="result of `run --out`")
    add("after", type=Path, metavar="B.json", help="another one, of the same traffic")
    add("--fail-over", type=share, default=0.05, metavar="SHARE", help="slower than this is worse (5%%)")
    add("--json", action="store_true", help="print JSON instead of tables")


def _compare(options: argparse.Namespace) -> int:
    comparison = compare(read_result(options.before), read_result(options.after), options.fail_over)
    if options.json:
        sys.stdout.write(json.dumps({**asdict(comparison), "is_worse": comparison.is_worse}) + "\n")
    else:
        show_comparison(Console(width=max(Console().width, 120)), comparison)
    return FELL_SHORT if comparison.is_worse else GOOD


COMMANDS: dict[str, Command] = {
    "compare": Command("Say whether B is slower than A, beyond chance.", _compare, _compare_options),
}
