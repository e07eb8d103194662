"""What drafts gain: the same requests with and without them, in turns, on one model in this process."""

from __future__ import annotations

import hashlib
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bench.errors import ResultFileError
from bench.machine import Machine, describe_machine
from bench.noise import Noise, probe
from bench.tables import Table
from bench.workload import load_traffic
from runtime.engine.face import GenerationRequest, Sampling
from runtime.engine.local import LocalEngine
from runtime.engine.settings import LocalOptions

#: Sampling that no earlier answer foretells. Its seed makes both sides draw alike.
UNTEMPLATED = Sampling(temperature=1.6, seed=11)

#: Questions asked before anything is measured, and in a round; tokens of an answer at most.
KNOWN, ASKED, ANSWER_TOKENS = 400, 24, 96

#: What is promised: at least so much faster where answers follow templates, at least so fast where they do not.
TEMPLATED_LIMIT, UNTEMPLATED_LIMIT = 1.2, 0.97


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


def measure_drafts(
    model: Path, rounds: int, threads: int, observe: Callable[[float], None], known: int = KNOWN, asked: int = ASKED
) -> DraftResult:
    """Compare one chat's decode rate, from the first token of each answer to its last.

    Args:
        model: a GGUF file whose answers follow templates, as those of models/demo do.
        rounds: for each kind of answers.
        threads: compute threads; 0 takes the engine's choice.
        observe: told the share that is done.
        known: questions asked before anything is measured.
        asked: new questions of a round.
    """
    created, machine, before = datetime.now(UTC), describe_machine(), probe()
    # One engine for all: the compute threads of several in one process would be in each other's way.
    engine = LocalEngine(model, LocalOptions(threads=threads))
    try:
        questions = _questions()
        for done in range(known):
            _ask(engine, next(questions), Sampling(), drafting=True)
            observe(0.2 * done / known)
        rows = []
        for share, kind, sampling, limit in (
            (0.2, "templated", Sampling(), TEMPLATED_LIMIT),
            (0.6, "untemplated", UNTEMPLATED, UNTEMPLATED_LIMIT),
        ):
            kinds = _Kind(engine, sampling, asked)
            for turn in range(rounds):
                kinds.round(questions, turn)
                observe(share + 0.4 * (turn + 1) / rounds)
            rows.append(kinds.row(kind, limit))
    finally:
        engine.close()
    sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    return DraftResult(
        created.isoformat(timespec="seconds"), machine, Noise(before, probe()), sha256, threads, tuple(rows)
    )


class _Kind:
    """Rounds of one kind of answers."""

    def __init__(self, engine: LocalEngine, sampling: Sampling, asked: int) -> None:
        self._engine = engine
        self._sampling, self._asked = sampling, asked
        self._before = engine.load()
        self._ratios: list[float] = []
        self._rates: list[list[float]] = [[], [], []]
        self._identical = self._identical_anyway = 0

    def round(self, questions: Iterator[str], turn: int) -> None:
        """Ask each question with drafts, without, and without once more, in changing order."""
        first = len(self._rates[0])
        for i in range(self._asked):
            question, texts = next(questions), ["", "", ""]
            for side in (0, 1, 2) if (i + turn) % 2 else (1, 2, 0):
                rate, texts[side] = _ask(self._engine, question, self._sampling, drafting=side == 0)
                self._rates[side].append(rate)
            self._identical += texts[0] == texts[1]
            self._identical_anyway += texts[1] == texts[2]
        with_drafts, without, again = (statistics.fmean(rates[first:]) for rates in self._rates)
        self._ratios.append(with_drafts / statistics.fmean((without, again)))

    def row(self, kind: str, limit: float) -> DraftRow:
        after = self._engine.load()
        return DraftRow(
            kind=kind,
            limit=limit,
            ratios=tuple(self._ratios),
            rates=(statistics.fmean(self._rates[0]), statistics.fmean(self._rates[1] + self._rates[2])),
            answers=len(self._rates[0]),
            identical=self._identical,
            identical_anyway=self._identical_anyway,
            drafted_tokens=after.drafted_tokens - self._before.drafted_tokens,
            accepted_tokens=after.accepted_tokens - self._before.accepted_tokens,
        )


def _questions() -> Iterator[str]:
    traffic, index = load_traffic(), 0
    while True:
        yield traffic.conversation(1, "drafts", index).turns[0]
        index += 1


def _ask(engine: LocalEngine, question: str, sampling: Sampling, *, drafting: bool) -> tuple[float, str]:
    """Tokens a second after the first one, and the text."""
    prompt = engine.bos + engine.encode(f"<|user|>\n{question}</s>\n<|assistant|>\n")
    endless = sampling.temperature > 0
    generation = engine.submit(
        GenerationRequest(prompt, ANSWER_TOKENS, sampling, ignore_eos=endless, drafting=drafting)
    )
    first_s, text = 0.0, ""
    for piece in generation:
        first_s = first_s or time.perf_counter()
        text += piece.text
    usage = generation.usage
    return (usage.completion_tokens - 1) / max(1e-9, (usage.total_ms - usage.ttft_ms) / 1000), text


def drafts_table(result: DraftResult) -> Table:
    """The rows as text."""
    head = ("answers", "tokens/s", "without", "ratio", "limit", "kept", "identical", "without drafts", "accepted")
    rows = tuple(
        (
            row.kind,
            f"{row.rates[0]:.0f}",
            f"{row.rates[1]:.0f}",
            f"{statistics.median(row.ratios):.2f} ({min(row.ratios):.2f}–{max(row.ratios):.2f})",
            f"≥ {row.limit:.2f}",
            "yes" if row.kept else "NO",
            f"{row.identical} of {row.answers}",
            f"{row.identical_anyway} of {row.answers}",
            f"{row.accepted_tokens} of {row.drafted_tokens}",
        )
        for row in result.rows
    )
    noise = "; ".join(result.noise.complaints) or "quiet"
    note = (
        f"{result.created_utc}, {result.machine.cpu}, {result.threads or 'auto'} threads, "
        f"model {result.model_sha256[:12]}, "
        f"{noise}. Ratio: median over the rounds (least–largest). Identical: answers equal with and without drafts; "
        "beside it, asked twice without drafts, with other cells in use: the rest is rounding, at near ties."
    )
    return Table("Drafts", head, rows, note)


_ADAPTER = TypeAdapter(DraftResult)


def drafts_json(result: DraftResult) -> str:
    """The file's text."""
    return json.dumps(_ADAPTER.dump_python(result, mode="json"), ensure_ascii=False) + "\n"


def read_drafts(path: Path) -> DraftResult:
    """A result from a file.

    Raises:
        ResultFileError: it is none.
    """
    try:
        return _ADAPTER.validate_json(path.read_text(encoding="utf-8"), strict=True)
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise ResultFileError(f"{path} is no file of `python -m bench drafts --out` ({error})") from error
