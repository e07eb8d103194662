"""The command line: ``python -m bench run|compare|report|engine|drafts|shape``; without a command it is ``run``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from bench import markdown
from bench.bars import Bars
from bench.compare import compare
from bench.engine.commands import chosen
from bench.engine.drafting import measure_drafts
from bench.engine.draftresult import drafts_json
from bench.engine.outcome import rows
from bench.engine.result import to_json as engine_json
from bench.engine.run import measure
from bench.engine.tables import drafts_table
from bench.errors import BenchError, UsageError
from bench.options import KEY_VARIABLE, Command, parser
from bench.process import DEFAULT_BUNDLE
from bench.report import show_comparison, show_report, show_table
from bench.result import Result, read_result, to_json
from bench.run import RunOptions, run
from bench.summary import Summary, summarise
from bench.verdict import Verdict, judge
from bench.wire import Limits
from bench.workload import FULL, QUICK, WorkloadOptions

GOOD, FELL_SHORT = 0, 1


def main(arguments: Sequence[str]) -> int:
    """Run a command; the exit code."""
    given = list(arguments)
    if not given or (given[0] not in _COMMANDS and given[0] not in ("-h", "--help")):
        given.insert(0, "run")
    options = parser(_COMMANDS).parse_args(given)
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
    with Bars() as bars:
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
    with Bars() as bars:
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
    with Bars() as bars:
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
    with Bars() as bars:
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


_COMMANDS: dict[str, Command] = {
    "run": _run,
    "compare": _compare,
    "report": _report,
    "engine": _engine,
    "drafts": _drafts,
    "shape": _shape,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
