"""The command line: check texts, measure the guards, attack a running server, verify the audit log."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO, TypeAlias

from tqdm import tqdm

from guards import commands
from guards.errors import GuardFault
from guards.evaluation.jsonl import read_texts
from guards.leak.canary import canary
from guards.policy import CHOICES, DEFAULT_POLICY
from guards.redteam.play import Mode
from guards.verdict import Action, Verdict
from models.errors import BundleError

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

GOOD, FELL_SHORT, BAD_USAGE = 0, 1, 2

_MISTAKES = (GuardFault, BundleError, OSError, UnicodeDecodeError, ValueError, subprocess.SubprocessError)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    options = _parser().parse_args(argv)
    try:
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    except _MISTAKES as error:
        print(f"guards: {error}", file=sys.stderr)
        return BAD_USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m guards",
        description="Judge texts as the server does, and measure how well that works.",
        epilog="Exit codes: 0 good; 1 the text is blocked, or a figure falls short; 2 bad usage or bad input.",
    )
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_check(subparsers)
    _add_scan(subparsers)
    _add_eval(subparsers)
    _add_suites(subparsers)
    _add_redteam(subparsers)
    _add_audit(subparsers)
    _add_canary(subparsers)
    return parser


def _guarded() -> argparse.ArgumentParser:
    """The options of every command that judges texts."""
    shared = argparse.ArgumentParser(add_help=False, parents=[_bundled()])
    shared.add_argument("--policy", type=Path, default=DEFAULT_POLICY, help="policy file (default: %(default)s)")
    shared.add_argument(
        "--guard",
        choices=sorted(CHOICES),
        help="this guard only, and the encoding check; without classifiers no bundle is needed",
    )
    shared.add_argument(
        "--allow-degraded", action="store_true", help="go on without the classifiers if one is missing or damaged"
    )
    return shared


def _bundled() -> argparse.ArgumentParser:
    """The option of every command that reads classifiers."""
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--bundle",
        type=Path,
        default=Path(os.environ.get("TELLERBOX_BUNDLE", "models/demo")),
        help="bundle folder with the classifiers (default: $TELLERBOX_BUNDLE, else models/demo)",
    )
    return shared


def _add(subparsers: Subparsers, name: str, run: Callable[[argparse.Namespace], commands.Printed], text: str,
         *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:  # fmt: skip
    """A command that prints figures."""
    command = subparsers.add_parser(name, parents=parents, help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.add_argument("--json", action="store_true", help="print the figures as JSON")
    command.set_defaults(command=_printing(run))
    return command


def _printing(run: Callable[[argparse.Namespace], commands.Printed]) -> Callable[[argparse.Namespace], int]:
    """The command that prints what ``run`` has to say."""

    def printed(options: argparse.Namespace) -> int:
        found = run(options)
        if found.text:
            print(found.text)
        return GOOD if found.good else FELL_SHORT

    return printed


def _add_check(subparsers: Subparsers) -> None:
    check = subparsers.add_parser(
        "check",
        parents=[_guarded()],
        help="print the verdict on a text",
        description="Print verdicts as JSON, one a line.",
    )
    texts = check.add_mutually_exclusive_group(required=True)
    texts.add_argument("text", nargs="?", help="the text; exit code 1 if it is blocked")
    texts.add_argument(
        "--jsonl", metavar="FILE", help='read one {"text": ...} a line, print one verdict a line, in order; - is stdin'
    )
    check.add_argument("--output", action="store_true", help="judge as an answer (default: as a customer's message)")
    check.set_defaults(command=_check)


def _add_scan(subparsers: Subparsers) -> None:
    text = "find instructions to the assistant in texts that are data: knowledge pages, mails, documents"
    description = "Print one finding a line as JSON; exit code 1 if one is an attack."
    scan = subparsers.add_parser("scan", parents=[_bundled()], help=text, description=description)
    scan.add_argument("files", type=Path, nargs="+", metavar="FILE", help="a text in UTF-8")
    scan.set_defaults(command=_printing(commands.scan))


def _add_eval(subparsers: Subparsers) -> None:
    text = "measure recall, false positives, AUC and latency of the input guards on labelled texts"
    command = _add(subparsers, "eval", commands.measure, text, _guarded())
    command.add_argument(
        "file", type=Path, metavar="FILE.jsonl", help='"text", "label" (1: should be caught), optionally "source"'
    )
    command.add_argument("--each", action="store_true", help="also each guard by itself, which judges every text twice")
    command.add_argument("--min-recall", type=float, metavar="SHARE", help="exit code 1 below this recall")
    command.add_argument("--max-fpr", type=float, metavar="SHARE", help="exit code 1 above this false-positive rate")
    command.add_argument("--min-auc", type=float, metavar="AREA", help="exit code 1 below this area under the curve")


def _add_suites(subparsers: Subparsers) -> None:
    text = "measure how attacks fare that are disguised: full-width, look-alike, spaced, encoded letters and the like"
    command = _add(subparsers, "disguises", commands.disguises, text, _guarded())
    command.add_argument("file", type=Path, metavar="FILE.jsonl", help='attacks: "text", "label" 1')
    command.add_argument(
        "--max-fall", type=float, default=5.0, metavar="POINTS", help="exit code 1 if recall falls by more (5)"
    )
    text = "measure how personal data is found: in a labelled file, or in generated numbers"
    command = _add(subparsers, "pii", commands.personal_data, text, _guarded())
    command.add_argument(
        "file", type=Path, nargs="?", metavar="FILE.jsonl", help='"text", "spans" of "type", "start", "end"'
    )
    text = "measure how invented facts are found: in a labelled file, or in generated answers"
    command = _add(subparsers, "facts", commands.invented_facts, text)
    command.add_argument("file", type=Path, nargs="?", metavar="FILE.jsonl", help='"answer", "trusted", "invented"')
    command.add_argument("--pairs", type=int, default=2000, help="generated answers, honest and invented (2000)")
    command.add_argument("--seed", type=int, default=1, help="of the generated answers (1)")
    text = "measure how unsafe requests are found, by kind"
    command = _add(subparsers, "unsafe", commands.unsafe_requests, text)
    command.add_argument("file", type=Path, metavar="FILE.jsonl", help='"text", "label", "lang", "kind", "half"')
    _add(subparsers, "speed", commands.speed, "measure the time per text on one thread, and memory", _guarded())


def _add_redteam(subparsers: Subparsers) -> None:
    text = "play a file of attacks against a running server; $TELLERBOX_API_KEY holds its key"
    command = _add(subparsers, "redteam", commands.red_team, text)
    command.add_argument(
        "file",
        type=Path,
        metavar="FILE.jsonl",
        help='"text" or "turns"; optionally "label" (0: harmless), "kind", "must_not" patterns, "canary"',
    )
    command.add_argument("--url", default="http://127.0.0.1:8080", help="of the server (%(default)s)")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="for report.md, report.json, journal")
    command.add_argument(
        "--mode", action="append", choices=[mode.value for mode in Mode], help="how to ask; twice for both (default)"
    )
    command.add_argument("--concurrency", type=int, default=1, help="conversations at once (1)")
    command.add_argument(
        "--protected", type=Path, action="append", default=[], metavar="FILE", help="a text that must not leak"
    )


def _add_audit(subparsers: Subparsers) -> None:
    text = "find changed, missing or forged lines in an audit log"
    command = _add(subparsers, "audit-verify", commands.audit_verify, text)
    command.add_argument("folder", type=Path, metavar="DIR", help="the log's folder")
    command.add_argument("--key", type=Path, metavar="FILE", help="its key (default: the folder's name + .key)")
    command.add_argument("--anchor", metavar="NUMBER:MAC", help="the end of the chain at a moment, noted elsewhere")


def _add_canary(subparsers: Subparsers) -> None:
    text = "print a new canary: a word to put into a system prompt, which blocks every answer that says it"
    subparsers.add_parser("canary", help=text, description=text).set_defaults(command=_canary)


def _canary(_: argparse.Namespace) -> int:
    print(canary())
    return GOOD


def _check(options: argparse.Namespace) -> int:
    guard = commands.loaded_guard(options)

    def verdict_on(text: str) -> Verdict:
        return guard.check_output(text) if options.output else guard.check_input(text)

    if options.jsonl is None:
        verdict = verdict_on(options.text)
        print(verdict.to_json())
        return FELL_SHORT if verdict.action is Action.BLOCK else GOOD
    with _lines(options.jsonl) as lines:
        for text in tqdm(read_texts(lines, options.jsonl), unit="text", delay=commands.BAR_AFTER_S):
            print(verdict_on(text).to_json(), flush=True)
    return GOOD


@contextmanager
def _lines(file: str) -> Iterator[TextIO]:
    """The lines of a file, or of standard input for ``-``."""
    if file == "-":
        sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
        yield sys.stdin
        return
    with Path(file).open(encoding="utf-8") as stream:
        yield stream


if __name__ == "__main__":
    sys.exit(main())
