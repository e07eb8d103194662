"""Export a Detoxify checkpoint with the samples of a file: the command line's way to ``convert.guard.export``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from convert.guard.export import ExportOptions, export_guard
from convert.guard.samples import read_samples
from convert.progress import Progress, silent
from models.manifest import GuardModel

#: What int8 may change of a label: decisions that still agree with float32's, and AUC lost.
MIN_SAME_DECISION = 0.99
MAX_AUC_LOST = 0.003


def export_checkpoint(
    checkpoint: Path,
    tokenizer: Path,
    samples: Path | None,
    out: Path,
    progress: Progress = silent,
    *,
    trusted: bool = False,
    origin: str = "",
    float32: bool = False,
) -> GuardModel:
    """Export; thresholds are calibrated on the file's samples, or stay at one half without one.

    Raises:
        ConvertError: as ``export_guard`` and ``read_samples``.
    """
    rows = [] if samples is None else read_samples(samples)
    data = () if samples is None else (samples.name,)
    options = ExportOptions(trusted=trusted, data=data, origin=origin, float32=float32)
    return export_guard(checkpoint, tokenizer, out, rows, options, progress)


def shortfalls(made: GuardModel) -> list[str]:
    """What int8 changed beyond MIN_SAME_DECISION and MAX_AUC_LOST; empty where nothing was compared."""
    compared = made.calibration.get("int8")
    if not isinstance(compared, Mapping):
        return []
    found = []
    for label in made.labels:
        same, lost = compared[label]["same_decision"], compared[label]["auc_lost"]
        if same < MIN_SAME_DECISION:
            found.append(f"{label}: {same:.2%} of int8's decisions are float32's; expected {MIN_SAME_DECISION:.0%}")
        if lost is not None and lost > MAX_AUC_LOST:
            found.append(f"{label}: int8 loses {lost:.4f} of AUC; expected at most {MAX_AUC_LOST}")
    return found
