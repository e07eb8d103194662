"""Tokenizers from vocabulary files, against SentencePiece itself and transformers' own classes; wrong ones refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import sentencepiece
import transformers

from convert.errors import InputError
from convert.guard.tokenizer import BUILDERS, read_tokenizer
from tests.convert.tiny_guard import CORPUS, VOCABULARY, write_tokenizer

TEXTS = (
    *CORPUS[:4],
    "",
    " ",
    "  two  spaces ",
    "Ünïcödé ﬁ １２",
    "tabs\tand\nlines",
    "25, 3,000 x9,",
    "``quoted''",
    "🙂 ok",
)


def test_xlm_roberta_gives_sentencepieces_ids_moved_by_one(tmp_path: Path) -> None:
    file = write_tokenizer(tmp_path, "xlm-roberta")
    words = BUILDERS[file.name](file)
    raw = sentencepiece.SentencePieceProcessor(model_file=str(file))
    for text in TEXTS:
        expected = [number + 1 if number else 3 for number in raw.encode(text)]
        assert words.encode(text).ids == [0, *expected, 2], text


def test_albert_gives_what_transformers_gives(tmp_path: Path) -> None:
    file = write_tokenizer(tmp_path, "albert")
    words = BUILDERS[file.name](file)
    reference = transformers.AlbertTokenizer.from_pretrained(tmp_path)
    raw = sentencepiece.SentencePieceProcessor(model_file=str(file))
    for text in TEXTS:
        assert words.encode(text).ids == reference(text)["input_ids"], text
    plain = "please refund my order the parcel never came"
    assert words.encode(plain).ids[1:-1] == raw.encode(plain)


def test_roberta_gives_what_transformers_gives(tmp_path: Path) -> None:
    file = write_tokenizer(tmp_path, "roberta")
    words = BUILDERS[file.name](file)
    reference = transformers.RobertaTokenizer.from_pretrained(tmp_path)
    for text in TEXTS:
        assert words.encode(text).ids == reference(text)["input_ids"], text


def test_a_tokenizer_that_is_not_the_models_is_refused(tmp_path: Path) -> None:
    file = write_tokenizer(tmp_path / "bert", "bert")
    for rows, complaint in ((len(VOCABULARY) + 200, "embeds"), (len(VOCABULARY) - 1, "embeds")):
        with pytest.raises(InputError, match=complaint):
            read_tokenizer(file, rows)
    with pytest.raises(InputError, match="pads with id 0, the model with 1"):
        read_tokenizer(file, len(VOCABULARY), 1)
    assert read_tokenizer(file, len(VOCABULARY) + 20).get_vocab_size() == len(VOCABULARY)  # rows padded to a multiple


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no tokenizer there.*spiece\.model"):
        read_tokenizer(tmp_path, 100)
    file = write_tokenizer(tmp_path / "roberta", "roberta")
    file.with_name("merges.txt").unlink()
    with pytest.raises(InputError, match=r"merges\.txt: no such file"):
        read_tokenizer(file, 321, 1)
    for name in BUILDERS:
        damaged = tmp_path / name
        damaged.write_bytes(b"\xff\xfe not this")
        (tmp_path / "merges.txt").write_text("x", encoding="utf-8")
        with pytest.raises(InputError, match="copy"):
            read_tokenizer(damaged, 100)
