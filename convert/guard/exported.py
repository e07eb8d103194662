"""Export a Detoxify checkpoint with the samples of a file: the command line's way to ``convert.guard.export``."""

from __future__ import annotations

from pathlib import Path

from convert.guard.export import ExportOptions, export_guard
from convert.guard.samples import read_samples
from convert.progress import Progress, silent
from models.manifest import GuardModel


def export_checkpoint(
    checkpoint: Path,
    tokenizer: Path,
    samples: Path | None,
    out: Path,
    progress: Progress = silent,
    *,
    trusted: bool = False,
) -> GuardModel:
    """Export; thresholds are calibrated on the file's samples, or stay at one half without one.

    Raises:
        ConvertError: as ``export_guard`` and ``read_samples``.
    """
    rows = [] if samples is None else read_samples(samples)
    data = () if samples is None else (samples.name,)
    return export_guard(checkpoint, tokenizer, out, rows, ExportOptions(trusted=trusted, data=data), progress)
