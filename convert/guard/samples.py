"""Texts with what is known of them: what a guard's thresholds are calibrated on and its figures are reported on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from convert.errors import InputError
from convert.training.corpus import read_jsonl
from models.errors import ManifestError
from models.fields import Fields


@dataclass(frozen=True, slots=True)
class Sample:
    """A text with what is known of it.

    Attributes:
        text: as a customer or the model writes it.
        targets: label -> 0 to 1; a label that is not there is unknown.
        source: the kind of text, for limits and figures.
        legitimate: whether a service desk must let it pass.
        test: whether it is for the report only; otherwise thresholds are calibrated on it.
    """

    text: str
    targets: Mapping[str, float]
    source: str
    legitimate: bool = False
    test: bool = False


def read_samples(path: Path) -> list[Sample]:
    """Read samples from JSON Lines: the fields of ``Sample``; ``text`` and ``targets`` must be there.

    Raises:
        InputError: the file is missing, or a line is malformed; names the line and the field.
    """
    found = []
    for number, row in enumerate(read_jsonl(path), start=1):
        fields = Fields(row, f"{path}:{number}")
        try:
            targets = fields.child("targets")
            sample = Sample(
                text=fields.get("text", str),
                targets={name: targets.get(name, float) for name in fields.get("targets", dict)},
                source=fields.get("source", str) if fields.has("source") else path.stem,
                legitimate=fields.get("legitimate", bool) if fields.has("legitimate") else False,
                test=fields.get("test", bool) if fields.has("test") else False,
            )
        except ManifestError as error:
            raise InputError(str(error).rpartition(";")[0]) from error
        outside = {name: value for name, value in sample.targets.items() if not 0.0 <= value <= 1.0}
        if outside:
            raise InputError(f"{path}:{number}: targets {outside}; expected 0 to 1")
        found.append(sample)
    return found
