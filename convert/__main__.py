"""The command line of the conversion stage: ``python -m convert COMMAND --help``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from convert.bars import Bars
from convert.commands import adapters, build, classifier, demo, model, package, quantization, training
from convert.commands.command import Command, Result
from convert.errors import ConvertError
from models.errors import BundleError

COMMANDS: dict[str, Command] = {
    **build.COMMANDS,
    **package.COMMANDS,
    **training.COMMANDS,
    **adapters.COMMANDS,
    **model.COMMANDS,
    **quantization.COMMANDS,
    **classifier.COMMANDS,
    **demo.COMMANDS,
}


def _print(result: Result, as_json: bool) -> None:
    if as_json:
        print(json.dumps(result, indent=1, ensure_ascii=False, default=str))
        return
    for key, value in result.items():
        lines = [str(item) for item in value] if isinstance(value, list | tuple) else [_plain(value)]
        print(f"{key}: {lines[0] if len(lines) == 1 else ''}")
        for line in lines if len(lines) > 1 else []:
            print(f"  {line}")


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict) else str(value)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 good, 1 the result fell short, 2 bad usage or input."""
    parser = argparse.ArgumentParser(prog="python -m convert", description="Build bundles from models and adapters.")
    subparsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        sub = subparsers.add_parser(name, help=command.help, description=command.help)
        command.options(sub)
        sub.add_argument("--json", action="store_true", help="print the result as JSON")
    args = parser.parse_args(argv)
    bars = Bars()
    try:
        result = COMMANDS[args.command].handler(args, bars)
    except (ConvertError, BundleError) as error:
        bars.close()
        print(f"convert {args.command}: {error}", file=sys.stderr)
        return error.exit_code if isinstance(error, ConvertError) else 2
    except OSError as error:  # a full disk, a folder that may not be written to
        bars.close()
        print(f"convert {args.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        bars.close()
        print(f"convert {args.command}: stopped; the same command goes on where it was", file=sys.stderr)
        return 130
    bars.close()
    code = result.pop("exit_code", 0)
    _print(result, args.json)
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
