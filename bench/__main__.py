"""The command line: ``python -m bench COMMAND --help``; without a command it is ``run``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from bench.commands import compare, engine, quality, run
from bench.commands.command import FELL_SHORT, Command
from bench.errors import BenchError

COMMANDS: dict[str, Command] = {**run.COMMANDS, **compare.COMMANDS, **engine.COMMANDS, **quality.COMMANDS}

_EXIT_CODES = """exit codes:
  0  run: the promise was kept for at least --customers customers; compare: B is not worse than A; engine: every
     promise against the peer was kept; drafts: both ratios reach their limit; soak: nothing leaks, drifts or fails;
     plan: the promise is kept; report, shape, quality: done
  1  the same was not so, or the target failed while it was measured
  2  bad options, a file or an address that cannot be used, or a server that does not start
"""


def main(arguments: Sequence[str]) -> int:
    """Run a command; the exit code."""
    given = list(arguments)
    if not given or (given[0] not in COMMANDS and given[0] not in ("-h", "--help")):
        given.insert(0, "run")
    options = _parser().parse_args(given)
    try:
        return COMMANDS[options.command].handler(options)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return FELL_SHORT


def _parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure how many customers a server can serve at once, and how long they wait.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    under = made.add_subparsers(dest="command", required=True, metavar=f"{{{','.join(COMMANDS)}}}")
    for name, command in COMMANDS.items():
        one = under.add_parser(
            name,
            help=command.help,
            description=command.help,
            epilog=_EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.options(one)
    return made


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
