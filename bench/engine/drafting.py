"""What drafts gain: the same requests with and without them, in turns, on one model in this process."""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.engine.draftresult import DraftResult, DraftRow
from bench.errors import UsageError
from bench.machine import describe_machine
from bench.noise import Noise, probe
from bench.workload import load_traffic
from runtime.engine.face import GenerationRequest, Sampling
from runtime.engine.local import LocalEngine
from runtime.engine.settings import LocalOptions
from runtime.errors import StartError

#: Sampling that no earlier answer foretells. Its seed makes both sides draw alike.
UNTEMPLATED = Sampling(temperature=1.6, seed=11)

#: Questions asked before anything is measured, and in a round; tokens of an answer at most.
KNOWN, ASKED, ANSWER_TOKENS = 400, 24, 96

#: What is promised: at least so much faster where answers follow templates, at least so fast where they do not.
TEMPLATED_LIMIT, UNTEMPLATED_LIMIT = 1.2, 0.97


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

    Raises:
        UsageError: the engine cannot load the model.
    """
    created, machine, before = datetime.now(UTC), describe_machine(), probe()
    # One engine for all: the compute threads of several in one process would be in each other's way.
    try:
        engine = LocalEngine(model, LocalOptions(threads=threads))
    except StartError as error:
        raise UsageError(str(error)) from error
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
