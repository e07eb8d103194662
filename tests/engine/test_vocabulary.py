"""A vocabulary without its model: the local engine's ids, and text that gives the same ids again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.engine.local import LocalEngine
from runtime.engine.vocabulary import VocabularyFile
from runtime.errors import StartError
from tests.paths import DEMO

PARTS = (" ", "  ", "\n", "</s>", "<s>", "<|user|>", "包", "é", "👍", "a", "word ", "12.5 ", "\u2060", "\t")


@pytest.fixture(scope="module")
def vocabulary() -> Iterator[VocabularyFile]:
    vocabulary = VocabularyFile(DEMO / "model.gguf")
    yield vocabulary
    vocabulary.close()


def test_it_is_the_local_engine_s(vocabulary: VocabularyFile, engine: LocalEngine) -> None:
    text = "<|system|>\nHi.</s>\n<|user|>\nWhere is my parcel, 包裹?</s>\n<|assistant|>\n"
    assert vocabulary.encode(text) == engine.encode(text)
    assert vocabulary.bos == engine.bos
    assert vocabulary.end_tokens == {2}


@given(parts=st.lists(st.sampled_from(PARTS), max_size=20))
def test_decoded_text_encodes_to_the_same_ids(vocabulary: VocabularyFile, parts: list[str]) -> None:
    text = "".join(parts)
    ids = vocabulary.encode(text)
    decoded = vocabulary.decode(vocabulary.bos + ids)
    assert vocabulary.encode(decoded) == ids
    assert "<s>" in text or decoded == text


def test_text_within_a_text_gets_no_space_in_front(vocabulary: VocabularyFile) -> None:
    alone, within = vocabulary.encode("Sorry"), vocabulary.encode_after("\n", "Sorry")
    assert b"".join(map(vocabulary.piece, alone)) == b" Sorry"
    assert b"".join(map(vocabulary.piece, within)) == b"Sorry"
    assert vocabulary.encode_after("\n", "") == ()


def test_a_grammar_parses_or_not(vocabulary: VocabularyFile) -> None:
    assert vocabulary.parses('root ::= "a" | "b"')
    assert not vocabulary.parses("root ::= (")


def test_a_file_that_is_no_model_is_refused() -> None:
    with pytest.raises(StartError, match=r"manifest\.json"):
        VocabularyFile(DEMO / "manifest.json")
