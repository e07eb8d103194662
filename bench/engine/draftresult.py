"""The result of a measurement of drafts: decode rates with and without them, and its file."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path

from bench.machine import Machine
from bench.noise import Noise
from bench.resultfile import ResultFile


@dataclass(frozen=True, slots=True)
class DraftRow:
    """Decode rates with drafts against those without, on questions that nobody has asked before.

    Attributes:
        kind: ``templated`` (greedy answers to customers) or ``untemplated`` (sampled far from them).
        limit: the least ratio that is promised.
        ratios: of the mean rates, one for each round.
        rates: mean tokens a second with and without drafts, over all rounds.
        answers: compared.
        identical: of these, equal with and without drafts to the last character,
        identical_anyway: and equal when asked twice without drafts, with other cells in use.
        drafted_tokens: guessed,
        accepted_tokens: and of those, right.
    """

    kind: str
    limit: float
    ratios: tuple[float, ...]
    rates: tuple[float, float]
    answers: int
    identical: int
    identical_anyway: int
    drafted_tokens: int
    accepted_tokens: int

    @property
    def kept(self) -> bool:
        """Whether the median ratio reaches the limit."""
        return statistics.median(self.ratios) >= self.limit


@dataclass(frozen=True, slots=True)
class DraftResult:
    """One measurement: when, where, how quiet it was, of which model, with how many threads (0: our choice)."""

    created_utc: str
    machine: Machine
    noise: Noise
    model_sha256: str
    threads: int
    rows: tuple[DraftRow, ...]


_FILE = ResultFile(DraftResult, "drafts")


def drafts_json(result: DraftResult) -> str:
    """The file's text."""
    return _FILE.to_json(result)


def read_drafts(path: Path) -> DraftResult:
    """A result from a file. Raises ResultFileError, see ``bench.resultfile``."""
    return _FILE.read(path)
