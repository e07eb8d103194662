"""The command line: ``python -m bench run|compare|report|engine|drafts|shape``; without a command it is ``run``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.markdown import Markdown
from tqdm import tqdm

from bench import markdown
from bench.compare import compare
from bench.engine.commands import chosen, drafts_options, engine_options, shape_options
from bench.engine.drafting import drafts_json, drafts_table, measure_drafts
from bench.engine.outcome import rows
from bench.engine.result import to_json as engine_json
from bench.engine.run import measure
from bench.errors import BenchError, UsageError
from bench.loop import Observe
from bench.numbers import at_least_two, positive, share
from bench.process import DEFAULT_BUNDLE
from bench.report import show_comparison, show_report, show_table
from bench.result import Result, read_result, to_json
from bench.run import RunOptions, run
from bench.summary import Summary, summarise
from bench.verdict import Verdict, judge
from bench.wire import Limits
from bench.workload import FULL, QUICK, WorkloadOptions

GOOD, FELL_SHORT = 0, 1
COMMANDS = ("run", "compare", "report", "engine", "drafts", "shape")
KEY_VARIABLE = "TELLERBOX_API_KEY"

_EXIT_CODES = """exit codes:
  0  run: the promise was kept for at least --customers customers; compare: B is not worse than A; engine: every
     promise against the peer was kept; drafts: both ratios reach their limit; report, shape: done
  1  run: the promise was not kept, or the target failed while it was measured; compare: B is worse than A; engine: a
     promise was not kept
  2  bad options, a file or an address that cannot be used, or a server that does not start
"""


def main(arguments: Sequence[str]) -> int:
    """Run a command; the exit code."""
    given = list(arguments)
    if not given or (given[0] not in COMMANDS and given[0] not in ("-h", "--help")):
        given.insert(0, "run")
    options = _parser().parse_args(given)
    try:
        code: int = options.command(options)
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return FELL_SHORT
    return code


def _run(options: argparse.Namespace) -> int:
    bundle = options.bundle or (None if options.url else DEFAULT_BUNDLE)
    chosen = RunOptions(
        plan=QUICK if options.quick else FULL,
        workload=WorkloadOptions(options.seed, options.max_tokens, options.system),
        limits=Limits(progress_s=options.timeout, total_s=5.0 * options.timeout),
        slo_ttft_s=options.slo_ttft,
        url=options.url,
        bundle=bundle,
        pid=options.pid,
        api_key=os.environ.get(KEY_VARIABLE, ""),
    )
    _check_out(options.out)
    with _Bars() as bars:
        result = run(chosen, bars.stage)
    summary = summarise(result)
    verdict = judge(result, summary)
    _print(options, result, summary, verdict)
    if options.out:
        options.out.write_text(_json(result, summary, verdict), encoding="utf-8")
    return GOOD if verdict.customers >= options.customers and not result.aborted else FELL_SHORT


def _check_out(out: Path | None) -> None:
    """Now, rather than to find after the measurement that the result cannot be written."""
    if out is None:
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out: the folder {out.parent} cannot be made ({error}); name another one") from error
    if out.is_dir():
        raise UsageError(f"--out: {out} is a folder; name a file in it")


def _engine(options: argparse.Namespace) -> int:
    wanted = chosen(options)
    _check_out(options.out)
    with _Bars() as bars:
        result = measure(wanted, bars.stage)
    found = rows(result)
    text = engine_json(result, {"rows": [{**asdict(row), "kept": row.kept} for row in found]})
    if options.json:
        print(text, end="")
    else:
        console = Console()
        Console(width=max(console.width, 140)).print(Markdown(markdown.engine_markdown(result)))
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    return GOOD if all(row.kept for row in found) else FELL_SHORT


def _drafts(options: argparse.Namespace) -> int:
    _check_out(options.out)
    with _Bars() as bars:
        observe = bars.stage("drafts")
        result = measure_drafts(options.model, options.rounds, options.threads, lambda share: observe(share, 0))
    if options.json:
        print(drafts_json(result), end="")
    else:
        show_table(Console(), drafts_table(result))
    if options.out:
        options.out.write_text(drafts_json(result), encoding="utf-8")
    return GOOD if all(row.kept for row in result.rows) else FELL_SHORT


def _shape(options: argparse.Namespace) -> int:
    from bench.shape import Shape, write_shape  # gguf takes a second to import, and only this command needs it

    _check_out(options.out)
    names = ("layers", "width", "hidden", "heads", "kv_heads", "vocabulary", "context_tokens")
    shape = Shape(**{name: getattr(options, name) for name in names})
    with _Bars() as bars:
        observe = bars.stage("write the model")
        write_shape(shape, options.tokenizer, options.out, options.seed, lambda done, total: observe(done / total, 0))
    return GOOD


def _compare(options: argparse.Namespace) -> int:
    comparison = compare(read_result(options.before), read_result(options.after), options.fail_over)
    if options.json:
        print(json.dumps({**asdict(comparison), "is_worse": comparison.is_worse}))
    else:
        show_comparison(Console(), comparison)
    return FELL_SHORT if comparison.is_worse else GOOD


def _report(options: argparse.Namespace) -> int:
    if not options.file and not options.update:
        raise UsageError("nothing to report; expected a result FILE, --update, or both")
    if options.file:
        result = read_result(options.file)
        summary = summarise(result)
        _print(options, result, summary, judge(result, summary))
    if options.update:
        markdown.PAGE.write_text(markdown.results_page(), encoding="utf-8")
        print(f"wrote {markdown.PAGE}", file=sys.stderr)
    return GOOD


def _print(options: argparse.Namespace, result: Result, summary: Summary, verdict: Verdict) -> None:
    if options.json:
        print(_json(result, summary, verdict), end="")
    else:
        console = Console()
        show_report(Console(width=max(console.width, 120)), result, summary, verdict)


def _json(result: Result, summary: Summary, verdict: Verdict) -> str:
    return to_json(result, {**asdict(summary), "verdict": asdict(verdict)})


class _Bars:
    """One progress bar for each stage, on standard error."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None

    def __enter__(self) -> _Bars:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._end(whole=kind is None)

    def stage(self, name: str) -> Observe:
        """End the last bar and begin another."""
        self._end()
        bar = tqdm(total=1.0, desc=f"{name:<26}", bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed}{postfix}")
        self._bar = bar

        def observe(share: float, requests: int) -> None:
            bar.n = share
            if requests:
                bar.set_postfix_str(f"{requests} requests", refresh=False)
            bar.refresh()

        return observe

    def _end(self, whole: bool = True) -> None:
        if self._bar is not None:
            self._bar.n = 1.0 if whole else self._bar.n
            self._bar.refresh()
            self._bar.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure how many customers a server can serve at once, and how long they wait.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar=f"{{{','.join(COMMANDS)}}}")

    def add(name: str, text: str, command: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        one = commands.add_parser(
            name, help=text, description=text, epilog=_EXIT_CODES, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        one.set_defaults(command=command)
        return one

    _run_options(add("run", "Measure a server (the default command).", _run))
    compared = add("compare", "Say whether B is slower than A, beyond chance.", _compare)
    compared.add_argument("before", type=Path, metavar="A.json", help="result of `run --out`")
    compared.add_argument("after", type=Path, metavar="B.json", help="another one, of the same traffic")
    compared.add_argument(
        "--fail-over", type=share, default=0.05, metavar="SHARE", help="slower than this is worse (5%%)"
    )
    compared.add_argument("--json", action="store_true", help="print JSON instead of tables")
    engine = add(
        "engine", "Compare the engine with another server's: the same texts, model and machine, in turns.", _engine
    )
    engine_options(engine)
    drafts_options(
        add("drafts", "Compare decoding with and without drafts, on a model with templated answers.", _drafts)
    )
    shape_options(add("shape", "Write a GGUF of TinyLlama's or another shape with random weights.", _shape))
    report = add("report", "Show a stored result, or renew bench/RESULTS.md.", _report)
    report.add_argument("file", type=Path, nargs="?", metavar="FILE.json", help="result of `run --out`")
    report.add_argument("--update", action="store_true", help="write bench/RESULTS.md from bench/results")
    report.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
