"""What quantising is guided by: the importance matrix's texts, whether they suffice, the manifest's record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from convert.build.job import Job, Made
from convert.chat import Encode
from convert.checkpoint.jsonfile import read_json
from convert.errors import InputError
from convert.fidelity.texts import GENERAL, CalibrationTexts, calibration_texts, read_general
from convert.files import write_json
from convert.quantization.collect import CollectOptions, calibration_rows, collect_imatrix
from convert.quantization.imatrix import write_imatrix
from convert.quantization.search import read_types

#: Fewer say little about a model's thousands of columns.
MIN_CALIBRATION_TOKENS = 128


def texts_of(data: Path | None) -> CalibrationTexts:
    """Texts to calibrate on, none of which the check measures with: the training side of ``data``, half the general.

    Raises:
        InputError: the data is missing or malformed.
    """
    if data is not None:
        return calibration_texts(data)
    return CalibrationTexts((), read_general()[::2], ("general: general text of this project",))


def calibration_files(data: Path | None) -> list[Path]:
    """The files behind the texts of the check and of the calibration."""
    if data is None or data.is_file():
        return [GENERAL, *([data] if data else [])]
    return [GENERAL, *sorted((data / "support").glob("*.jsonl"))]


def refuse_tokens(tokens: int) -> None:
    """Raise if so many tokens are too few.

    Raises:
        InputError: they are.
    """
    if tokens < MIN_CALIBRATION_TOKENS:
        raise InputError(
            f"calibration_tokens is {tokens}; expected {MIN_CALIBRATION_TOKENS} or more; raise it, or leave the "
            "importance matrix out with --no-imatrix"
        )


def shortage(data: Path | None, encode: Encode, tokens: int) -> str | None:
    """What to say if the texts hold fewer than ``tokens`` tokens, or none of a customer's; None if they suffice.

    Raises:
        InputError: the data is missing or malformed.
    """
    texts = texts_of(data)
    found = sum(map(len, calibration_rows(texts.mixed(), encode, 1, tokens)))
    if not texts.support:
        return (
            f"no support text is given: the importance matrix is computed from {found} tokens of general text alone; "
            "pass conversations of the model's own trade with --data"
        )
    if found < tokens - 1:  # a last text of one token is left out
        return (
            f"{data}: the importance matrix is to be computed from {tokens} tokens and its training side holds, with "
            f"general text, {found}; pass more with --data, or lower --calibration-tokens"
        )
    return None


def calibrate(job: Job) -> None:
    """Compute the importance matrix of the float GGUF, and write it with what it was computed from.

    Raises:
        InputError: the texts are missing, or a matrix has seen nothing.
    """
    config = job.config
    texts = texts_of(config.data)
    options = CollectOptions(config.calibration_tokens, config.threads)
    found = collect_imatrix(job.float_gguf, texts, options, job.progress)
    write_imatrix(found, job.imatrix)
    write_json(
        job.calibration, {"tokens": found.tokens, "matrices": len(found.entries), "datasets": list(found.datasets)}
    )


def guidance_record(job: Job, made: Made) -> Mapping[str, object]:
    """For the manifest: how it was quantised, with the importance matrix and the types that were used, or null."""
    config = job.config
    matrix = {"sha256": made["imatrix"][job.imatrix.name], **read_json(job.calibration)} if config.calibrated else None
    types = {"sha256": made["types"][job.types.name], **asdict(read_types(job.types))} if config.search_types else None
    return {"quant": config.quant.value, "imatrix": matrix, "types": types}
