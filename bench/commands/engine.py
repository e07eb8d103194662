"""Commands about the engine alone: against another server's, with and without drafts, and models to try it on."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from rich.console import Console
from rich.markdown import Markdown

from bench import markdown
from bench.bars import Bars
from bench.commands.command import FELL_SHORT, GOOD, Command, check_out
from bench.engine.commands import chosen, drafts_options, engine_options, shape_options
from bench.engine.drafting import measure_drafts
from bench.engine.draftresult import drafts_json
from bench.engine.outcome import rows
from bench.engine.result import to_json
from bench.engine.run import measure
from bench.engine.tables import drafts_table
from bench.report import show_table


def _engine(options: argparse.Namespace) -> int:
    wanted = chosen(options)
    check_out("--out", options.out)
    with Bars() as bars:
        result = measure(wanted, bars.stage)
    found = rows(result)
    text = to_json(result, {"rows": [{**asdict(row), "kept": row.kept} for row in found]})
    if options.json:
        sys.stdout.write(text)
    else:
        console = Console()
        Console(width=max(console.width, 140)).print(Markdown(markdown.engine_markdown(result)))
    if options.out:
        options.out.write_text(text, encoding="utf-8")
    return GOOD if all(row.kept for row in found) else FELL_SHORT


def _drafts(options: argparse.Namespace) -> int:
    check_out("--out", options.out)
    with Bars() as bars:
        observe = bars.stage("drafts")
        result = measure_drafts(options.model, options.rounds, options.threads, lambda share: observe(share, 0))
    if options.json:
        sys.stdout.write(drafts_json(result))
    else:
        show_table(Console(), drafts_table(result))
    if options.out:
        options.out.write_text(drafts_json(result), encoding="utf-8")
    return GOOD if all(row.kept for row in result.rows) else FELL_SHORT


def _shape(options: argparse.Namespace) -> int:
    from bench.shape import Shape, write_shape  # gguf takes a second to import, and only this command needs it

    check_out("--out", options.out)
    names = ("layers", "width", "hidden", "heads", "kv_heads", "vocabulary", "context_tokens")
    shape = Shape(**{name: getattr(options, name) for name in names})
    with Bars() as bars:
        observe = bars.stage("write the model")
        write_shape(shape, options.tokenizer, options.out, options.seed, lambda done, total: observe(done / total, 0))
    return GOOD


COMMANDS: dict[str, Command] = {
    "engine": Command(
        "Compare the engine with another server's: the same texts, model and machine, in turns.",
        _engine,
        engine_options,
    ),
    "drafts": Command(
        "Compare decoding with and without drafts, on a model with templated answers.", _drafts, drafts_options
    ),
    "shape": Command("Write a GGUF of TinyLlama's or another shape with random weights.", _shape, shape_options),
}
