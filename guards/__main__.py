"""The command line: check texts, and measure the guards on labelled ones."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from guards.errors import GuardFault
from guards.evaluation.evaluate import Evaluation, Rates, evaluate, judge
from guards.evaluation.jsonl import read_labelled, read_texts
from guards.guard import Guard
from guards.policy import CHOICES, DEFAULT_POLICY, load_policy
from guards.verdict import Action, Verdict
from models.bundle import open_bundle
from models.errors import BundleError

GOOD, FELL_SHORT, BAD_USAGE = 0, 1, 2
_BAR_AFTER_S = 2.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    options = _parser().parse_args(argv)
    try:
        command: Callable[[argparse.Namespace], int] = options.command
        return command(options)
    except (GuardFault, BundleError, OSError, UnicodeDecodeError, ValueError) as error:
        print(f"guards: {error}", file=sys.stderr)
        return BAD_USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m guards",
        description="Judge texts as the server does, and measure how well that works.",
        epilog="Exit codes: 0 good; 1 the text is blocked, or a figure falls short; 2 bad usage or bad input.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--bundle",
        type=Path,
        default=Path(os.environ.get("TELLERBOX_BUNDLE", "models/demo")),
        help="bundle folder with the classifier (default: $TELLERBOX_BUNDLE, else models/demo)",
    )
    shared.add_argument("--policy", type=Path, default=DEFAULT_POLICY, help="policy file (default: %(default)s)")
    shared.add_argument(
        "--guard",
        choices=sorted(CHOICES),
        help="this guard only, and the encoding check; without toxicity no bundle is needed",
    )
    shared.add_argument(
        "--allow-degraded", action="store_true", help="go on without the classifier if it is missing or damaged"
    )

    check = commands.add_parser(
        "check", parents=[shared], help="print the verdict on a text", description="Print verdicts as JSON, one a line."
    )
    texts = check.add_mutually_exclusive_group(required=True)
    texts.add_argument("text", nargs="?", help="the text; exit code 1 if it is blocked")
    texts.add_argument(
        "--jsonl", metavar="FILE", help='read one {"text": ...} a line, print one verdict a line, in order; - is stdin'
    )
    check.add_argument("--output", action="store_true", help="judge as an answer (default: as a customer's message)")
    check.set_defaults(command=_check)

    measure = commands.add_parser(
        "eval",
        parents=[shared],
        help="measure on labelled texts",
        description="Recall, false-positive rate, AUC and latency of the input guards over a JSON Lines file with "
        '"text", "label" (1: should be caught) and optionally "source".',
    )
    measure.add_argument("file", type=Path, metavar="FILE.jsonl", help="the labelled texts")
    measure.add_argument("--json", action="store_true", help="print the figures as JSON")
    measure.add_argument("--min-recall", type=float, metavar="SHARE", help="exit code 1 below this recall")
    measure.add_argument("--max-fpr", type=float, metavar="SHARE", help="exit code 1 above this false-positive rate")
    measure.add_argument("--min-auc", type=float, metavar="AREA", help="exit code 1 below this area under the curve")
    measure.set_defaults(command=_eval)
    return parser


def _guard(options: argparse.Namespace) -> Guard:
    policy = load_policy(options.policy)
    if options.guard:
        policy = policy.only(options.guard)
    if not policy.wants("toxicity"):
        return Guard(policy)
    return Guard.load(open_bundle(options.bundle), policy, allow_degraded=options.allow_degraded)


def _check(options: argparse.Namespace) -> int:
    guard = _guard(options)

    def verdict_on(text: str) -> Verdict:
        return guard.check_output(text) if options.output else guard.check_input(text)

    if options.jsonl is None:
        verdict = verdict_on(options.text)
        print(_line(verdict))
        return FELL_SHORT if verdict.action is Action.BLOCK else GOOD
    with _lines(options.jsonl) as lines:
        for text in tqdm(read_texts(lines, options.jsonl), unit="text", delay=_BAR_AFTER_S):
            print(_line(verdict_on(text)), flush=True)
    return GOOD


def _eval(options: argparse.Namespace) -> int:
    guard = _guard(options)
    with _lines(str(options.file)) as lines:
        rows = list(read_labelled(lines, str(options.file)))
    outcomes = (judge(guard, row) for row in tqdm(rows, unit="text", delay=_BAR_AFTER_S))
    figures = evaluate(guard, outcomes)
    print(json.dumps(figures.to_dict(), ensure_ascii=False) if options.json else _report(figures))
    return FELL_SHORT if _falls_short(figures, options) else GOOD


def _falls_short(figures: Evaluation, options: argparse.Namespace) -> bool:
    """Whether a figure is beyond a limit that was given; one that cannot be computed is."""
    recall, fpr, area = figures.total.recall, figures.total.false_positive_rate, figures.auc
    return (
        (options.min_recall is not None and (recall is None or recall < options.min_recall))
        or (options.max_fpr is not None and (fpr is None or fpr > options.max_fpr))
        or (options.min_auc is not None and (area is None or area < options.min_auc))
    )


def _report(figures: Evaluation) -> str:
    lines = [
        f"texts                {figures.total.attacks} to catch, {figures.total.harmless} harmless",
        f"recall               {_share(figures.total.recall)}",
        f"false-positive rate  {_share(figures.total.false_positive_rate)}",
        f"AUC                  {'-' if figures.auc is None else f'{figures.auc:.4f}'}",
        f"latency              p50 {figures.latency_p50_ms:.2f} ms, p95 {figures.latency_p95_ms:.2f} ms",
        f"guards               {figures.mode}, policy {figures.policy_version}",
    ]
    lines += [f"  {source:<24} {_rates(rates)}" for source, rates in figures.sources.items()]
    lines += [f"  {rule:<32} {count}" for rule, count in figures.rules.items()]
    return "\n".join(lines)


def _rates(rates: Rates) -> str:
    return (
        f"recall {_share(rates.recall)} of {rates.attacks}, "
        f"false positives {_share(rates.false_positive_rate)} of {rates.harmless}"
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def _line(verdict: Verdict) -> str:
    return json.dumps(verdict.to_dict(), ensure_ascii=False)


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
