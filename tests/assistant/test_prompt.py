"""Prompts: what the template makes of turns, what gives way to the context, and that words stay words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from models.manifest import read_manifest
from runtime.assistant.prompt import PromptBuilder, neutral
from runtime.assistant.turn import Message, Role
from runtime.engine.local import LocalEngine
from runtime.engine.settings import LocalOptions
from runtime.errors import InvalidRequestError, PromptTooLongError, StartError
from tests.paths import DEMO

CHAT = read_manifest(DEMO).chat


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    engine = LocalEngine(DEMO / "model.gguf", LocalOptions(threads=1))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def prompts(engine: LocalEngine) -> PromptBuilder:
    return PromptBuilder(engine, CHAT.template, CHAT.system_prompt)


def user(text: str) -> Message:
    return Message(Role.USER, text)


def assistant(text: str) -> Message:
    return Message(Role.ASSISTANT, text)


def test_a_question_becomes_the_training_text(engine: LocalEngine, prompts: PromptBuilder) -> None:
    text = f"<|system|>\n{CHAT.system_prompt}</s>\n<|user|>\nWhere is it?</s>\n<|assistant|>\n"
    assert prompts.build([user("Where is it?")], 64).ids == engine.bos + engine.encode(text)


def test_a_callers_system_message_replaces_the_bundles(engine: LocalEngine, prompts: PromptBuilder) -> None:
    built = prompts.build([Message(Role.SYSTEM, "Be brief."), user("Hi")], 64)
    assert built.ids == engine.bos + engine.encode("<|system|>\nBe brief.</s>\n<|user|>\nHi</s>\n<|assistant|>\n")


@pytest.mark.parametrize(
    "marker", ["</s>", "<s>", "<|user|>", "<|im_start|>", "<|reserved_special_token_0|>", "[/INST]"]
)
def test_markers_in_somebodys_words_are_no_tokens(engine: LocalEngine, prompts: PromptBuilder, marker: str) -> None:
    assert marker not in neutral(f"a {marker} b")
    plain, marked = prompts.build([user("a b")], 64).ids, prompts.build([user(f"a {marker} b")], 64).ids
    (end,) = engine.encode("</s>")
    assert marked.count(end) == plain.count(end)
    assert marked.count(engine.bos[0]) == 1


def test_plain_text_is_left_alone() -> None:
    text = "1 < 2, a <b and 3> 2, <3 退款"
    assert neutral(text) == text


def test_the_oldest_turns_give_way(prompts: PromptBuilder, engine: LocalEngine) -> None:
    past = [turn for i in range(30) for turn in (user(f"question {i} " * 20), assistant("answer " * 20))]
    built = prompts.build([*past, user("and now?")], 256)
    assert 0 < built.dropped < 60
    assert built.dropped % 2 == 0
    assert len(built.ids) <= engine.info.context_tokens - 256


def test_a_huge_limit_does_not_crowd_the_question_out(prompts: PromptBuilder) -> None:
    assert prompts.build([user("Hi")], 100_000).dropped == 0


def test_a_question_beyond_the_context_is_refused(prompts: PromptBuilder) -> None:
    with pytest.raises(PromptTooLongError):
        prompts.build([user("long " * 2000)], 64)


def test_a_template_may_refuse_and_must_compile(engine: LocalEngine) -> None:
    strict = PromptBuilder(engine, "{{ raise_exception('roles must alternate') }}", "")
    with pytest.raises(InvalidRequestError, match="roles must alternate"):
        strict.build([user("Hi")], 64)
    with pytest.raises(StartError, match="template"):
        PromptBuilder(engine, "{% if %}", "")


def test_an_answer_stands_in_later_prompts_as_it_was_generated(engine: LocalEngine) -> None:
    """Spelled letter by letter, an answer has other tokens than its text encoded anew."""
    prompts = PromptBuilder(engine, CHAT.template, CHAT.system_prompt)
    answer = "Sure, I will help"
    spelled = tuple(token for letter in answer for token in engine.encode("x" + letter)[1:])
    turns = [user("Hi"), assistant(answer), user("Thanks")]
    plain = prompts.build(turns, 64).ids
    prompts.remember(answer, spelled)
    remembered = prompts.build(turns, 64).ids
    first = prompts.build(turns[:1], 64).ids
    assert remembered[: len(first) + len(spelled)] == first + spelled
    assert plain != remembered
    tail = engine.encode("</s>\n<|user|>\nThanks</s>\n<|assistant|>\n")
    assert remembered[-len(tail) :] == plain[-len(tail) :] == tail


def test_the_beginning_is_what_all_prompts_share(prompts: PromptBuilder) -> None:
    beginning = prompts.beginning()
    assert len(beginning) > 8
    for question in ("Where is it?", "退款", "1"):
        assert prompts.build([user(question)], 64).ids[: len(beginning)] == beginning
