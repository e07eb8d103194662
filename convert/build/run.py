"""The whole conversion: a look at everything, then each stage once; killed at any moment, it goes on from there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from convert.base import resolve_base
from convert.build.config import RunConfig
from convert.build.job import Job
from convert.build.plan import make_plan
from convert.build.stages import Workshop
from convert.build.steps import steps_of
from convert.checkpoint.jsonfile import read_json
from convert.progress import Progress, silent


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run did.

    Attributes:
        bundle: the verified folder.
        done: stages that were done.
        skipped: stages whose records held.
        checks: what the check found.
        warnings: what was done, though not without loss or doubt.
    """

    bundle: Path
    done: tuple[str, ...]
    skipped: tuple[str, ...]
    checks: Mapping[str, object]
    warnings: tuple[str, ...] = ()


def run(config: RunConfig, progress: Progress = silent) -> RunResult:
    """Build the bundle, or what is left of it; the same configuration gives the same bytes.

    Raises:
        InputError: something would be refused, weights that are not finite too; then nothing has been written. Or
            another run is at work.
        QuantizeError: llama.cpp failed.
        CheckError: the result fell short; ``check.json`` in the work folder has the figures.
    """
    base = resolve_base(config.base, config.revision)
    plan = make_plan(config, lambda: base, thorough=True, progress=progress)
    plan.require()
    job = Job.of(config, base, progress)
    shop = Workshop(job.work)
    made: dict[str, Mapping[str, str]] = {}
    done: dict[str, bool] = {}
    with shop.locked():
        for step in steps_of(config):
            outcome = shop.run(step(job, made))
            made[outcome.name], done[outcome.name] = outcome.outputs, outcome.done
    return RunResult(
        bundle=config.out,
        done=tuple(name for name in done if done[name]),
        skipped=tuple(name for name in done if not done[name]),
        checks=read_json(job.report),
        warnings=plan.warnings,
    )
