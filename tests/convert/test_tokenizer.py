"""The training tokenizer and llama.cpp split every text alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from convert.chat import Encode, Message, render
from convert.fidelity.texts import PROBES
from convert.quantization.libllama import GgufModel
from convert.tokenizer import encoder, load_tokenizer
from tests.convert import tiny

PIECES = (
    "</s>",
    "<s>",
    "<unk>",
    "<|user|>",
    " ",
    "  ",
    "\n",
    "\t",
    "\u2581",
    "\u00a0",
    "refund",
    "\u4e2d\u6587",
    "\U0001f642",
    "e\u0301",
    "<0x0A>",
)


@pytest.fixture(scope="module")
def llama(f16: Path) -> Iterator[Encode]:
    with GgufModel(f16, vocab_only=True) as model:
        yield model.encode


@pytest.fixture(scope="module")
def training(base: Path) -> Encode:
    return encoder(load_tokenizer(base))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=8).map("".join))
def test_any_text_gets_the_same_ids(llama: Encode, training: Encode, text: str) -> None:
    assert llama(text) == training(text)


@pytest.mark.parametrize("text", PROBES)
def test_the_probes_get_the_same_ids(llama: Encode, training: Encode, text: str) -> None:
    assert llama(text) == training(text)


def test_on_conversations_plain_transformers_agrees_too(base: Path, llama: Encode) -> None:
    plain = encoder(AutoTokenizer.from_pretrained(base, legacy=True))
    for line in tiny.PAIRS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = render([Message("user", row["instruction"]), Message("assistant", row["response"])])
        assert plain(text) == llama(text)
