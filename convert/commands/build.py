"""Commands of a whole build: plan, run, pack."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path

from convert.build.config import RunConfig, make_run_config, read_run_config
from convert.commands.command import Command, Result, quiet_transformers
from convert.errors import InputError
from convert.gguf.tensors import Precision
from convert.progress import Progress
from convert.quantization.quantize import QuantType
from models.bundle import Bundle

#: Options of ``run``, ``plan`` and ``pack``: key of the TOML file, type, help.
RUN_OPTIONS: tuple[tuple[str, Callable[[str], object], str], ...] = (
    ("base", str, "Hugging Face folder, or hub id such as TinyLlama/TinyLlama-1.1B-Chat-v1.0"),
    ("adapter", Path, "folder of a PEFT LoRA adapter to merge"),
    ("out", Path, "bundle folder to write, such as models/NAME"),
    ("licences", Path, "TOML or JSON file with training_sets and licences"),
    ("guard", Path, "folder of an exported guard, or bundle to take the guard from"),
    ("guard_checkpoint", Path, "Detoxify checkpoint to export as the guard"),
    ("guard_tokenizer", Path, "its tokenizer.json or vocab.txt; default: beside the checkpoint"),
    ("guard_samples", Path, "JSON Lines (text, targets) to calibrate its thresholds on"),
    ("revision", str, "revision of the hub's model; for a folder, what to call its state"),
    ("base_id", str, "what the manifest calls the base"),
    ("name", str, "the bundle's name; default: the last part of --out"),
    ("description", str, "what the bundle is"),
    ("data", Path, "held-out texts to check with: folder of support data, .csv or .jsonl"),
    ("evaluation", Path, "output file of `convert evaluate` whose figures go into the manifest"),
    ("work", Path, "folder of intermediate files and records; default: .build/NAME"),
    ("system_prompt", str, "the bundle's system prompt"),
    ("precision", str, f"of the float GGUF: {', '.join(Precision)}; default: f16"),
    ("quant", str, f"quantisation: {', '.join(QuantType)}; default: Q4_K_M"),
    (
        "calibration_tokens",
        int,
        "that the importance matrix is computed from, of support text (the training side of --data) and general text; "
        "default: 20000",
    ),
    ("embed", Path, "sentence encoder for search: folder or bundle with embed.onnx, or an encoder's folder to export"),
    ("context_tokens", int, "context to serve with; default: the model's own, at most 2048"),
    ("positions", int, "token positions to compare logits at; default: 2000"),
    ("threads", int, "default: 0, all cores"),
)


def _run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", nargs="?", type=Path, metavar="CONFIG", help="TOML file with these options as keys")
    for key, kind, text in RUN_OPTIONS:
        parser.add_argument("--" + key.replace("_", "-"), dest=key, type=kind, help=text)
    parser.add_argument("--extra", dest="extras", action="append", type=Path, help="further file to carry; repeatable")
    parser.add_argument(
        "--imatrix",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="weight the rounding by an importance matrix; default: yes, but for Q8_0, which does not look at one",
    )
    parser.add_argument(
        "--search-types",
        action="store_true",
        default=None,
        help="search a type for every tensor at the bytes of --quant: loses less, but decodes about 30 %% slower than "
        "the stock mixture on a CPU; default: no",
    )
    parser.add_argument("--demonstration", action="store_true", default=None, help="mark it as a demonstration model")


def run(args: argparse.Namespace, progress: Progress) -> Result:
    """All stages."""
    from convert.build.run import run

    quiet_transformers()
    return asdict(run(_run_config(args), progress))


def plan(args: argparse.Namespace, progress: Progress) -> Result:
    """Look at everything, write nothing; exit code 2 if anything would be refused."""
    from convert.base import resolve_base
    from convert.build.plan import make_plan

    quiet_transformers()
    config = _run_config(args)
    find = partial(resolve_base, config.base, config.revision, download=False)
    plan = make_plan(config, find, thorough=True, progress=progress)
    return {**plan.to_dict(), "ok": not plan.refusals, "exit_code": 2 if plan.refusals else 0}


def _pack_options(parser: argparse.ArgumentParser) -> None:
    _run_options(parser)
    parser.add_argument("--model", type=Path, required=True, help="the quantised GGUF")
    parser.add_argument("--checks", type=Path, required=True, help="JSON file of `convert check --json`")


def pack(args: argparse.Namespace, progress: Progress) -> Result:
    """Finished files to a bundle; an encoder must be exported."""
    from convert.base import resolve_base
    from convert.build.bundle import pack
    from convert.build.encoder import with_encoder
    from convert.build.spec import make_spec
    from convert.checkpoint.jsonfile import read_json

    quiet_transformers()
    config = _run_config(args)
    if config.guard is None:
        raise InputError("pack: no guard; expected --guard FOLDER of an exported one")
    carrying = config if config.embed is None else with_encoder(config, config.embed)
    base = resolve_base(config.base, config.revision)
    return bundle_result(pack(make_spec(carrying, base, args.model, config.guard, read_json(args.checks)), config.out))


def _run_config(args: argparse.Namespace) -> RunConfig:
    """The configuration file, or the options; not both, so that a build has one description."""
    keys = list(RunConfig.__dataclass_fields__)
    given = {key: value for key in keys if (value := getattr(args, key)) is not None}
    if args.config is None:
        return make_run_config(given, source="command line")
    if given:
        raise InputError(
            f"{args.config}: given together with --{next(iter(given))}; expected a file or options, not both"
        )
    return read_run_config(args.config)


def bundle_result(bundle: Bundle) -> Result:
    """What a verified bundle is, for printing."""
    manifest = bundle.manifest
    files = {name: entry.bytes for name, entry in manifest.files.items()}
    return {
        "bundle": bundle.folder,
        "name": manifest.name,
        "base": manifest.base.id,
        "files": files,
        "bytes": sum(files.values()),
        "licences": [f"{licence.covers}: {licence.name} ({licence.spdx})" for licence in manifest.licences],
    }


COMMANDS = {
    "run": Command("all stages: base (and adapter) in, verified bundle out", run, _run_options),
    "plan": Command("sizes, memory, disk and every refusal of a run; writes nothing", plan, _run_options),
    "pack": Command("finished files to a bundle", pack, _pack_options),
}
