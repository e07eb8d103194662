"""The chat format: what the Jinja template renders, and training rows that begin as the box's prompts do."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from convert.chat import ZEPHYR_TEMPLATE, Message, example_ids, render
from convert.tokenizer import encoder, load_tokenizer

ROLES = st.sampled_from(["system", "user", "assistant"])
TURNS = st.lists(st.builds(Message, ROLES, st.text(max_size=20)), min_size=1, max_size=4)


@given(TURNS, st.booleans())
def test_render_is_what_the_template_renders(base: Path, turns: list[Message], generate: bool) -> None:
    tokenizer = _template_tokenizer(base)
    chat = [{"role": turn.role, "content": turn.content} for turn in turns]
    expected = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=generate)
    assert render(turns, generate=generate) == expected


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_a_training_row_begins_with_the_prompt_of_the_box(base: Path, question: str, answer: str) -> None:
    encode = encoder(load_tokenizer_once(base))
    turns = [Message("user", question), Message("assistant", answer)]
    ids, labels = example_ids(turns, encode, 1)
    prompt = [1, *encode(render(turns[:-1], generate=True))]
    assert ids[: len(prompt)] == prompt
    assert labels[: len(prompt)] == [-100] * len(prompt)
    assert labels[len(prompt) :] == ids[len(prompt) :]
    assert len(ids) > len(prompt)


_LOADED: dict[str, object] = {}


def _template_tokenizer(base: Path) -> AutoTokenizer:
    return _LOADED.setdefault("template", AutoTokenizer.from_pretrained(base))  # type: ignore[return-value]


def load_tokenizer_once(base: Path) -> AutoTokenizer:
    return _LOADED.setdefault("training", load_tokenizer(base))  # type: ignore[return-value]


def test_the_base_carries_the_template(base: Path) -> None:
    assert _template_tokenizer(base).chat_template == ZEPHYR_TEMPLATE  # type: ignore[attr-defined]
