"""Drafts on a real engine: they are guessed, confirmed, and leave the answer to the model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from runtime.engine.costs import StepCosts
from runtime.engine.face import FinishReason, Sampling
from runtime.engine.llama import Llama, LlamaOptions
from runtime.engine.local import LocalEngine
from runtime.engine.settings import LocalOptions
from tests.engine.closeness import TOLERANCE, parting_margin
from tests.engine.conftest import Ask
from tests.paths import DEMO
from tests.questions import EIGHT


class Eager(StepCosts):
    """Believes that every guess pays, so that what is tested does not depend on this machine's speed."""

    def draft_length(self, rows_without: int, chances: Sequence[float]) -> int:
        return len(chances)


@pytest.fixture(scope="module")
def drafting() -> Iterator[LocalEngine]:
    engine = LocalEngine(DEMO / "model.gguf", LocalOptions(threads=1))
    engine._costs = engine._batcher._costs = Eager()
    yield engine
    engine.close()


def ids(engine: LocalEngine, ask: Ask, question: str, **more: object) -> tuple[int, ...]:
    running = engine.submit(ask(question, **more))
    list(running)
    return running.answer_ids


def test_what_was_said_before_is_guessed_and_the_answer_stays_the_models_own(drafting: LocalEngine, ask: Ask) -> None:
    reference = Llama(DEMO / "model.gguf", LlamaOptions(2048, 1))
    first = {question: ids(drafting, ask, question, max_tokens=300) for question in EIGHT}
    before = drafting.load()
    for question, answer in first.items():
        again = ids(drafting, ask, question, max_tokens=300)
        assert parting_margin(reference, ask(question).prompt, answer, again) < 2 * TOLERANCE
    reference.close()
    after = drafting.load()
    assert after.accepted_tokens - before.accepted_tokens > 100
    assert drafting.audit() == []


def test_no_more_tokens_come_than_were_asked_for(drafting: LocalEngine, ask: Ask) -> None:
    list(drafting.submit(ask(EIGHT[0], max_tokens=300)))
    for count in (1, 2, 3, 7, 20):
        running = drafting.submit(ask(EIGHT[0], max_tokens=count))
        list(running)
        assert running.usage.completion_tokens == count
        assert running.finish_reason is FinishReason.LENGTH


def test_a_stop_text_holds_within_a_guess(drafting: LocalEngine, ask: Ask) -> None:
    whole = "".join(piece.text for piece in drafting.submit(ask(EIGHT[1], max_tokens=60)))
    word = whole.split()[6]
    cut = "".join(piece.text for piece in drafting.submit(ask(EIGHT[1], max_tokens=60, stop=(word,))))
    assert cut == whole[: whole.index(word)]


def test_sampled_answers_take_guesses_too(drafting: LocalEngine, ask: Ask) -> None:
    """A guess is taken only where the chain of samplers draws that very token."""
    before = drafting.load().drafted_tokens
    sampled = {ids(drafting, ask, EIGHT[2], sampling=Sampling(temperature=1.0, seed=seed)) for seed in range(4)}
    assert len(sampled) > 1
    assert drafting.load().drafted_tokens > before
