"""What the model's answers leave behind for the questions after them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from models.manifest import read_manifest
from runtime.assistant.answering import Answering, AnsweringOptions
from runtime.assistant.prompt import PromptBuilder
from runtime.assistant.turn import AnswerOptions, Message, Role
from runtime.engine.local import LocalEngine
from runtime.engine.settings import LocalOptions
from tests.paths import DEMO


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    engine = LocalEngine(DEMO / "model.gguf", LocalOptions(threads=1))
    yield engine
    engine.close()


def idle(engine: LocalEngine) -> None:
    """Wait until nothing is computed any more."""
    give_up_s = time.monotonic() + 30.0
    before = -1
    while (now := engine.load().prefill_tokens) != before:
        assert time.monotonic() < give_up_s
        before = now
        time.sleep(0.2)


@pytest.mark.parametrize("max_tokens", [12, 200], ids=["an answer cut short", "a whole answer"])
def test_what_comes_before_the_next_question_is_computed_while_the_customer_reads(
    engine: LocalEngine, max_tokens: int
) -> None:
    chat = read_manifest(DEMO).chat
    prompts = PromptBuilder(engine, chat.template, chat.system_prompt)
    answering = Answering(engine, prompts, AnsweringOptions(cached_answers=0))
    said = [Message(Role.USER, f"Where is my parcel with {max_tokens} tea cups?")]
    options = AnswerOptions(max_tokens=max_tokens)
    first, _ = answering.answer(said, "", options, "a", cached=False)
    said.append(Message(Role.ASSISTANT, "".join(first)))
    idle(engine)
    begun = prompts.beginning(said)
    said.append(Message(Role.USER, "And when will it come?"))
    assert prompts.build(said, 12).ids[: len(begun)] == begun
    second, _ = answering.answer(said, "", options, "a", cached=False)
    assert "".join(second)
    assert second.usage.cached_tokens >= len(begun)
