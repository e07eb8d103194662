"""The options of every command, as argparse reads them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.engine.commands import drafts_options, engine_options, shape_options
from bench.numbers import at_least_two, positive, share

KEY_VARIABLE = "TELLERBOX_API_KEY"

#: Carries out a command with its options; the exit code.
Command = Callable[[argparse.Namespace], int]

_EXIT_CODES = """exit codes:
  0  run: the promise was kept for at least --customers customers; compare: B is not worse than A; engine: every
     promise against the peer was kept; drafts: both ratios reach their limit; report, shape: done
  1  run: the promise was not kept, or the target failed while it was measured; compare: B is worse than A; engine: a
     promise was not kept
  2  bad options, a file or an address that cannot be used, or a server that does not start
"""


def parser(commands: Mapping[str, Command]) -> argparse.ArgumentParser:
    """The parser; ``command`` of what it parses is the function of the command that was named.

    Args:
        commands: what carries out each command, by name: run, compare, report, engine, drafts and shape.
    """
    made = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure how many customers a server can serve at once, and how long they wait.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    under = made.add_subparsers(required=True, metavar=f"{{{','.join(commands)}}}")

    def add(name: str, text: str) -> argparse.ArgumentParser:
        one = under.add_parser(
            name, help=text, description=text, epilog=_EXIT_CODES, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        one.set_defaults(command=commands[name])
        return one

    _run_options(add("run", "Measure a server (the default command)."))
    compared = add("compare", "Say whether B is slower than A, beyond chance.")
    compared.add_argument("before", type=Path, metavar="A.json", help="result of `run --out`")
    compared.add_argument("after", type=Path, metavar="B.json", help="another one, of the same traffic")
    compared.add_argument(
        "--fail-over", type=share, default=0.05, metavar="SHARE", help="slower than this is worse (5%%)"
    )
    compared.add_argument("--json", action="store_true", help="print JSON instead of tables")
    engine = add("engine", "Compare the engine with another server's: the same texts, model and machine, in turns.")
    engine_options(engine)
    drafts_options(add("drafts", "Compare decoding with and without drafts, on a model with templated answers."))
    shape_options(add("shape", "Write a GGUF of TinyLlama's or another shape with random weights."))
    report = add("report", "Show a stored result, or renew bench/RESULTS.md.")
    report.add_argument("file", type=Path, nargs="?", metavar="FILE.json", help="result of `run --out`")
    report.add_argument("--update", action="store_true", help="write bench/RESULTS.md from bench/results")
    report.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return made


def _run_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--url", default="", help=f"a running OpenAI-compatible server; its key is read from {KEY_VARIABLE}")
    add("--bundle", type=Path, help="bundle to serve and measure (models/demo); with --url: the one that runs there")
    add("--pid", type=int, help="with --url: process id of the server on this machine, to read its memory")
    add("--quick", action="store_true", help="shorter loops: under 90 s on the demo model")
    add("--slo-ttft", type=positive, default=2.0, metavar="S", help="the promise: p90 of time to first token (2.0 s)")
    add("--customers", type=int, default=1, metavar="N", help="exit with 1 if fewer can be served at once (1)")
    add("--seed", type=int, default=1, help="of the traffic (1)")
    add("--max-tokens", type=at_least_two, default=64, metavar="N", help="length of every answer in tokens (64)")
    add("--system", default="", metavar="TEXT", help="system prompt to send (none: the server's own)")
    add(
        "--timeout",
        type=positive,
        default=60.0,
        metavar="S",
        help="longest wait for the next piece of an answer (60 s)",
    )
    add("--out", type=Path, metavar="FILE", help="also write the result as JSON")
    add("--json", action="store_true", help="print JSON instead of tables")
