"""``convert demo``: everything in models/demo, made from public data, one finished step after the other.

Each step leaves its result in the work folder, whole or not at all, so a rerun goes on with the first that is missing.
Order and seeds are fixed; the last bits of trained weights still depend on the processor and the thread count.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from convert.base import resolve_base
from convert.build.config import RunConfig
from convert.build.run import RunResult, run
from convert.chat import Message, render
from convert.demo.attempts import attempts_of
from convert.demo.documents import out_of_scope_pairs
from convert.demo.guard import GuardOptions, train_guard
from convert.demo.guard_data import DATA_NAMES, calibration_samples
from convert.demo.injection import INJECTION, train_injection
from convert.demo.injection_data import DATA_NAMES as ATTEMPT_NAMES
from convert.demo.injection_data import Mix as InjectionMix
from convert.demo.injection_data import read_texts
from convert.demo.intents import INTENTS, train_intents
from convert.demo.pretrain import PretrainData, PretrainOptions, pretrain
from convert.demo.tokenizer import train_tokenizer
from convert.guard.calibration import Limits
from convert.guard.export import ExportOptions, export_guard
from convert.progress import Progress, silent
from convert.training.corpus import ADAPTER_INTENTS, Split, read_pairs, read_rephrasings, split_by_template
from convert.training.dataset import read_split
from convert.training.finetune import FinetuneOptions, finetune
from convert.training.metrics import EvaluateOptions, evaluate
from models.bundle import GUARD_TOKENIZER

log = logging.getLogger(__name__)

DESCRIPTION = (
    "A demonstration model, not TinyLlama: a Llama of 8 million parameters trained from scratch on public "
    "customer-service texts, English only, with an adapter for refunds and cancellations merged in. It shows that the "
    "pipeline works; its answers are templates. Use a converted TinyLlama-1.1B-Chat or larger for customers."
)

#: Angry customers are the kind of legitimate texts that is hardest to tell; three in a hundred of them may be refused.
LIMITS = Limits(legitimate=0.015, kind=0.03)

#: Out-of-scope questions among the base's training texts.
STRANGE = 150

#: One pass over a hundred samples: the least that an adapter can be trained with.
SMALL = FinetuneOptions(samples=100, epochs=1, learning_rate=1e-3)
FULL = FinetuneOptions(epochs=3, learning_rate=1e-3)


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """Where things are.

    Attributes:
        data: folder with ``support/``, ``toxicity/`` and ``injection/``.
        encoder: folder of all-MiniLM-L6-v2, see ``convert.demo.encoder``.
        out: the bundle folder to write.
        work: folder of intermediate results.
    """

    data: Path
    encoder: Path
    out: Path
    work: Path


def make_demo(options: DemoOptions, progress: Progress = silent) -> RunResult:
    """Make what is missing, then the bundle.

    Raises:
        InputError: a file of the data or of the encoder is missing or malformed.
        CheckError: the result fell short of its tolerances.
    """
    data, work = options.data, options.work
    work.mkdir(parents=True, exist_ok=True)
    split = split_by_template(read_pairs(data))
    _once(work / "tokenizer", lambda out: _tokenizer(split, out))
    _once(work / "base", lambda out: _base(split, data, work / "tokenizer", out))
    taught = read_split(data)
    base = resolve_base(str(work / "base"))
    for name, settings in (("adapter-100", SMALL), ("adapter", FULL)):
        train = partial(finetune, base, taught.train, options=settings, progress=progress)
        _once(work / name, train)
    _once(work / "evaluation.json", lambda out: _evaluation(taught, work, out, progress))
    _once(work / "guard", lambda out: _guard(data, options.encoder, work / "guard-training", out, progress))
    _once(work / INTENTS, lambda _: train_intents(data, work, progress=progress))
    _once(work / INJECTION, lambda _: train_injection(data, work, progress=progress))
    config = RunConfig(
        base=str(work / "base"),
        adapter=work / "adapter",
        out=options.out,
        licences=Path(__file__).with_name("licences.toml"),
        guard=work / "guard",
        base_id="tellerbox-demo-base",
        revision="convert/demo",
        description=DESCRIPTION,
        demonstration=True,
        data=data,
        evaluation=work / "evaluation.json",
        extras=(work / INTENTS, work / INJECTION),
        work=work / "run",
    )
    return run(config, progress)


def _once(result: Path, make: Callable[[Path], object]) -> None:
    if result.exists():
        log.info("%s is there", result)
        return
    log.info("making %s", result)
    make(result)


def _tokenizer(split: Split, out: Path) -> None:
    turns = ([Message("user", pair.question), Message("assistant", pair.answer)] for pair in split.train)
    train_tokenizer((render(messages, eos="\n") for messages in turns), out)


def _base(split: Split, data: Path, tokenizer: Path, out: Path) -> None:
    pairs = [pair for pair in split.train if pair.intent not in ADAPTER_INTENTS]
    pairs += out_of_scope_pairs(data, STRANGE, PretrainOptions().seed)
    pretrain(PretrainData(pairs, read_rephrasings(data, split.held_out)), tokenizer, out, PretrainOptions())


def _evaluation(taught: Split, work: Path, out: Path, progress: Progress) -> None:
    """Base, small and full adapter on the same held-out requests."""
    adapters = {"base": None, "adapter of 100 samples, 1 epoch": work / "adapter-100", "full adapter": work / "adapter"}
    found = {
        name: evaluate(work / "base", adapter, taught.held_out, EvaluateOptions(), progress).to_dict()
        for name, adapter in adapters.items()
    }
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def _guard(data: Path, encoder: Path, training: Path, out: Path, progress: Progress) -> None:
    options = GuardOptions()
    attempts = attempts_of(read_texts(data, InjectionMix()))
    checkpoint = train_guard(data, encoder, training, options, progress, attempts)
    samples = calibration_samples(data, options.mix, attempts)
    export = ExportOptions(data=(*DATA_NAMES, *ATTEMPT_NAMES), limits=LIMITS)
    export_guard(checkpoint, training / GUARD_TOKENIZER, out, samples, export, progress)
