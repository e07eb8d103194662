"""Commands beyond speed: how good the answers are, what hours of load do, how many boxes it takes.

What scores texts and trends (sacrebleu, rouge_score, scipy) takes seconds to import: only these commands load it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bench.bars import Bars
from bench.cells import Table
from bench.commands.command import FELL_SHORT, GOOD, KEY_VARIABLE, Command
from bench.errors import UsageError
from bench.numbers import between, positive, share, whole
from bench.planning.plan import MOST_BOXES, PlanOptions, make_plan
from bench.planning.tables import plan_tables
from bench.process import DEFAULT_BUNDLE
from bench.report import show_table
from bench.result import read_result
from bench.soak.limits import Limits
from bench.soak.load import Mix
from bench.wire import Limits as Waits


def _quality_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--bundle", type=Path, help="bundle to read and serve (models/demo); with --url: the one that runs there")
    add("--texts", type=Path, metavar="FILE.jsonl", help="questions and reference answers (those of bench/texts)")
    add("--url", default="", help=f"a running server of this project; its key is read from {KEY_VARIABLE}")
    add("--reference", type=Path, metavar="FILE.gguf", help="the model before it was quantised, for the divergence")
    add("--trusted", type=Path, metavar="FILE", help="text whose facts every answer may state, such as the shop's own")
    add("--timeout", type=positive, default=60.0, metavar="S", help="longest wait for an answer (60 s)")
    add("--json", action="store_true", help="print JSON instead of tables")


def _quality(options: argparse.Namespace) -> int:
    from bench.quality.run import QualityOptions, measure_quality
    from bench.quality.tables import found_tables
    from bench.quality.texts import read_texts

    bundle = options.bundle or (None if options.url else DEFAULT_BUNDLE)
    wanted = QualityOptions(
        texts=read_texts(options.texts),
        bundle=bundle,
        url=options.url,
        reference=options.reference,
        trusted=(_text(options.trusted),) if options.trusted else (),
        limits=Waits(progress_s=options.timeout, total_s=5.0 * options.timeout),
        api_key=os.environ.get(KEY_VARIABLE, ""),
    )
    with Bars() as bars:
        found = measure_quality(wanted, bars.stage)
    everything = found.conduct["all"]
    lines = [
        *(f"intent: {one}" for one in everything.wrong_intents),
        *(f"invented: {one}" for one in everything.invented),
        *(f"should have handed over: {one}" for one in everything.unduly_answered),
    ]
    _show(options.json, asdict(found), found_tables(found), lines)
    return GOOD


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--trusted: {path} cannot be read ({error}); expected a UTF-8 text") from error


def _soak_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    lasting = parser.add_mutually_exclusive_group(required=True)
    lasting.add_argument("--hours", type=positive, metavar="H", help="how long")
    lasting.add_argument("--minutes", type=positive, metavar="M", help="how long, for a short one")
    lasting.add_argument("--report", type=Path, metavar="FILE.jsonl", help="judge a journal, also of a broken soak")
    add("--bundle", type=Path, help="bundle to serve (models/demo)")
    add("--url", default="", help=f"a running OpenAI-compatible server; its key is read from {KEY_VARIABLE}")
    add("--pid", type=int, help="with --url: process id of the server on this machine, to see what it holds")
    add("--customers", type=whole, default=Mix().customers, metavar="N", help=f"at once ({Mix().customers})")
    add("--think", type=positive, default=Mix().think_s, metavar="S", help=f"their mean pause ({Mix().think_s:g} s)")
    add("--max-tokens", type=whole, default=Mix().max_tokens, metavar="N", help=f"of an answer ({Mix().max_tokens})")
    add("--seed", type=int, default=1, help="of the traffic (1)")
    add("--leak-over", type=positive, default=Limits().memory_mb_per_h, metavar="MB", help="tolerated an hour (10)")
    add("--drift-over", type=share, default=Limits().drift, metavar="SHARE", help="slower by this is a drift (20%%)")
    add("--timeout", type=positive, default=60.0, metavar="S", help="longest wait for the next piece (60 s)")
    add("--out", type=Path, metavar="FILE.jsonl", help="the journal, a line a minute (soak-DATE-TIME.jsonl)")
    add("--json", action="store_true", help="print JSON instead of tables")


def _soak(options: argparse.Namespace) -> int:
    from bench.soak.journal import read_journal
    from bench.soak.judge import judge
    from bench.soak.run import SoakOptions, soak
    from bench.soak.tables import soak_tables

    limits = Limits(options.leak_over, options.drift_over)
    if options.report:
        head, windows = read_journal(options.report)
        whole_s = head.seconds - head.window_s
        ended = "" if windows and windows[-1].at_s >= whole_s else f"it lasted less than {head.seconds:g} s"
    else:
        out = options.out or Path(datetime.now(UTC).strftime("soak-%Y%m%d-%H%M%S.jsonl"))
        seconds = 3600.0 * options.hours if options.hours else 60.0 * options.minutes
        mix = Mix(options.customers, options.think, max_tokens=options.max_tokens, seed=options.seed)
        wanted = SoakOptions(
            seconds=seconds,
            out=out,
            mix=mix,
            bundle=options.bundle or (None if options.url else DEFAULT_BUNDLE),
            url=options.url,
            pid=options.pid,
            limits=Waits(progress_s=options.timeout, total_s=5.0 * options.timeout),
            api_key=os.environ.get(KEY_VARIABLE, ""),
        )
        with Bars() as bars:
            windows, ended = soak(wanted, bars.stage(f"soak, journal {out.name}"))
    verdict = judge(windows, limits, ended)
    _show(options.json, asdict(verdict), soak_tables(verdict), (verdict.sentence, *verdict.caveats))
    return GOOD if verdict.is_good else FELL_SHORT


def _plan_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path, metavar="RESULT.json", help="result of `run --out` on one box")
    add("--boxes", type=between(1, MOST_BOXES), default=1, metavar="N", help="that share the customers (1)")
    add("--customers-per-minute", type=positive, required=True, metavar="R", help="of all boxes together")
    add("--slo-ttft", type=positive, default=2.0, metavar="S", help="the promise: p90 of time to first token (2.0 s)")
    add("--questions", type=positive, metavar="Q", help="a customer asks (as in the measured traffic)")
    add("--upstream", type=Path, metavar="RESULT.json", help="result of an engine that would compute for all boxes")
    add("--json", action="store_true", help="print JSON instead of tables")


def _plan(options: argparse.Namespace) -> int:
    wanted = PlanOptions(options.boxes, options.customers_per_minute, options.slo_ttft, options.questions)
    upstream = read_result(options.upstream) if options.upstream else None
    plan = make_plan(read_result(options.file), wanted, upstream)
    document = asdict(plan)
    document["checks"] = [{**asdict(check), "error": check.error} for check in plan.checks]
    _show(options.json, document, plan_tables(plan), (plan.sentence, *plan.caveats))
    return GOOD if plan.is_kept else FELL_SHORT


def _show(
    as_json: bool, document: Mapping[str, object], tables: tuple[Table, ...], lines: tuple[str, ...] | list[str]
) -> None:
    console = Console()
    if as_json:
        console.file.write(json.dumps(_finite(document), ensure_ascii=False, allow_nan=False) + "\n")
        return
    wide = Console(width=max(console.width, 120))
    for table in tables:
        show_table(wide, table)
    for line in lines:
        wide.print(Text(line))


def _finite(value: object) -> object:
    """JSON has no word for infinite: null stands for a wait without end."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value


COMMANDS: dict[str, Command] = {
    "quality": Command(
        "Say how good a bundle's answers are: likelihood, overlap, intents, facts, hand-overs.",
        _quality,
        _quality_options,
    ),
    "soak": Command("Load a server for hours, and say whether it leaks, drifts or fails.", _soak, _soak_options),
    "plan": Command("Say what n boxes or an upstream engine would carry, from a result.", _plan, _plan_options),
}
