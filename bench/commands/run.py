"""The commands that measure a server and show what was measured."""

from __future__ import annotations

import argparse
import csv
import os
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from bench import markdown, readme
from bench.bars import Bars
from bench.commands.command import FELL_SHORT, GOOD, KEY_VARIABLE, Command, check_out
from bench.errors import UsageError
from bench.numbers import at_least_two, positive, whole
from bench.plans import FULL, QUICK
from bench.process import DEFAULT_BUNDLE
from bench.replay import read_trace
from bench.report import show_report
from bench.result import Result, read_result, to_json
from bench.run import RunOptions, run
from bench.summary import Summary, summarise
from bench.verdict import Verdict, judge
from bench.wire import Limits
from bench.workload import WorkloadOptions

_FILES = ("out", "csv", "html", "markdown")


def _run_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--url", default="", help=f"a running OpenAI-compatible server; its key is read from {KEY_VARIABLE}")
    add("--bundle", type=Path, help="bundle to serve and measure (models/demo); with --url: the one that runs there")
    add("--pid", type=int, help="with --url: process id of the server on this machine, to watch it")
    add("--quick", action="store_true", help="shorter loops: under 90 s on the demo model")
    add("--replay", type=Path, metavar="TRACE.jsonl", help="the arrivals of a trace instead of the loops")
    add("--slo-ttft", type=positive, default=2.0, metavar="S", help="the promise: p90 of time to first token (2.0 s)")
    add("--customers", type=whole, default=1, metavar="N", help="exit with 1 if fewer can be served at once (1)")
    add("--seed", type=int, default=1, help="of the traffic (1)")
    add("--max-tokens", type=at_least_two, default=64, metavar="N", help="length of every answer in tokens (64)")
    add("--system", default="", metavar="TEXT", help="system prompt to send (none: the server's own)")
    add("--timeout", type=positive, default=60.0, metavar="S", help="longest wait for a piece of an answer (60 s)")
    add("--out", type=Path, metavar="FILE", help="also write the result as JSON; a folder gets result.json")
    _page_options(parser)


def _page_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--csv", type=Path, metavar="FILE", help="also write one row a request")
    add("--html", type=Path, metavar="FILE", help="also write the report with plots, in one file")
    add("--markdown", type=Path, metavar="FILE", help="also write the report as Markdown")
    add("--json", action="store_true", help="print JSON instead of tables")


def _run(options: argparse.Namespace) -> int:
    if options.out is not None and options.out.is_dir():
        options.out = options.out / "result.json"
    chosen = RunOptions(
        plan=QUICK if options.quick else FULL,
        workload=WorkloadOptions(options.seed, options.max_tokens, options.system),
        limits=Limits(progress_s=options.timeout, total_s=5.0 * options.timeout),
        slo_ttft_s=options.slo_ttft,
        url=options.url,
        bundle=options.bundle or (None if options.url else DEFAULT_BUNDLE),
        pid=options.pid,
        api_key=os.environ.get(KEY_VARIABLE, ""),
        replay=read_trace(options.replay) if options.replay else (),
    )
    for name in _FILES:
        check_out(f"--{name}", getattr(options, name))
    with Bars() as bars:
        result = run(chosen, bars.stage)
    summary = summarise(result)
    verdict = judge(result, summary)
    _write(options, result, summary, verdict)
    if options.out:
        options.out.write_text(_json(result, summary, verdict), encoding="utf-8")
    return GOOD if verdict.customers >= options.customers and not result.aborted else FELL_SHORT


def _report_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, nargs="?", metavar="FILE.json", help="result of `run --out`")
    parser.add_argument(
        "--update", action="store_true", help="write bench/RESULTS.md and the README's figures from bench/results"
    )
    _page_options(parser)


def _report(options: argparse.Namespace) -> int:
    if not options.file and not options.update:
        raise UsageError("nothing to report; expected a result FILE, --update, or both")
    for name in _FILES[1:]:
        check_out(f"--{name}", getattr(options, name))
    if options.file:
        result = read_result(options.file)
        summary = summarise(result)
        _write(options, result, summary, judge(result, summary))
    if options.update:
        pages = {
            markdown.PAGE: markdown.results_page(),
            readme.README: readme.with_figures(readme.README.read_text(encoding="utf-8")),
        }
        for path, text in pages.items():
            path.write_text(text, encoding="utf-8")
        sys.stderr.write(f"wrote {' and '.join(map(str, pages))}\n")
    return GOOD


def _write(options: argparse.Namespace, result: Result, summary: Summary, verdict: Verdict) -> None:
    """The terminal's report, and every file that was asked for."""
    if options.json:
        sys.stdout.write(_json(result, summary, verdict))
    else:
        show_report(Console(width=max(Console().width, 120)), result, summary, verdict)
    if options.csv:
        from bench.csvfile import csv_rows

        with options.csv.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(csv_rows(result))
    if options.html:
        from bench.page.document import html_page  # it takes a second to load, and only this file needs it

        options.html.write_text(html_page(result, summary, verdict), encoding="utf-8")
    if options.markdown:
        options.markdown.write_text(markdown.report_markdown(result, summary, verdict), encoding="utf-8")


def _json(result: Result, summary: Summary, verdict: Verdict) -> str:
    return to_json(result, {**asdict(summary), "verdict": asdict(verdict)})


COMMANDS: dict[str, Command] = {
    "run": Command("Measure a server (the default command).", _run, _run_options),
    "report": Command(
        "Show a stored result, or renew bench/RESULTS.md and the README's figures.", _report, _report_options
    ),
}
