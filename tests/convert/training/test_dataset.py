"""Pairs from files: fields, splits, and rows whose loss is on the answer alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convert.chat import Message
from convert.errors import InputError
from convert.tokenizer import encoder, load_tokenizer
from convert.training.corpus import ADAPTER_INTENTS, PAIR_FILES, Pair, Split
from convert.training.dataset import examples, read_file, read_split, sample, turns
from tests.convert import tiny
from tests.convert.write_pairs import lines


def test_csv_and_jsonl_hold_the_same_pairs(tmp_path: Path) -> None:
    rows = [("How?", 'So, and "so".\nAnd so.'), ("Where is 12345?", "It is on its way.")]
    jsonl, csv = tmp_path / "x.jsonl", tmp_path / "x.csv"
    jsonl.write_text("\n".join(json.dumps({"question": q, "answer": a}) for q, a in rows), encoding="utf-8")
    quoted = ['"{}","{}"'.format(q, a.replace('"', '""')) for q, a in rows]
    csv.write_text("\ufeffinstruction,response\r\n" + "\r\n".join(quoted), encoding="utf-8")
    assert read_file(csv) == read_file(jsonl)
    assert read_file(csv)[1] == Pair("Where is {{Order Number}}?", "It is on its way.", "")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("x.txt", "", r"expected a folder .* \.csv or \.jsonl file; convert it"),
        (
            "x.csv",
            "a,b\n1,2\n",
            r"x\.csv:2: question or instruction: no text there \(the row has a, b\); give",
        ),
        ("x.jsonl", '{"question": "q", "answer": ""}', r"x\.jsonl:1: answer or response: no text there"),
        ("x.jsonl", '{"question": 3, "answer": "a"}', r"x\.jsonl:1: question or instruction: no text there"),
        ("x.jsonl", "[1]", "x.jsonl:1"),
        ("x.jsonl", "", "no usable row"),
        ("x.jsonl", '{"question": "q", "answer": "It costs {{Amount}}."}', "no usable row"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(tmp_path: Path, name: str, text: str, words: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=words):
        read_file(tmp_path / name)


def test_a_file_is_split_by_template_and_always_alike() -> None:
    split = read_split(tiny.PAIRS)
    assert split == read_split(tiny.PAIRS)
    assert len(split.train) + len(split.held_out) == 40
    ends = [{pair.answer.split()[0] for pair in side} for side in (split.train, split.held_out)]
    assert not ends[0] & ends[1], "the fixture's templates begin with different words"


def test_a_file_with_one_template_cannot_be_split(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text("\n".join(json.dumps({"question": f"q{n}", "answer": "Always the same answer."}) for n in range(9)))
    with pytest.raises(InputError, match="add pairs whose answers differ"):
        read_split(path)


def test_of_a_data_folder_only_what_the_adapter_teaches_is_taken(tmp_path: Path) -> None:
    (tmp_path / "support").mkdir()
    lines = tiny.PAIRS.read_text().splitlines()
    for name, part in zip(PAIR_FILES, (lines[::2], lines[1::2]), strict=True):
        (tmp_path / "support" / name).write_text("\n".join(part))
    try:
        split = read_split(tmp_path)
    except InputError:  # five templates: one side may be empty, which is refused
        return
    assert isinstance(split, Split)
    assert {pair.intent for pair in (*split.train, *split.held_out)} <= ADAPTER_INTENTS


@given(st.integers(0, 9), st.one_of(st.none(), st.integers(0, 12)), st.integers(0, 5))
def test_samples_are_different_pairs_and_the_same_for_a_seed(count: int, limit: int | None, seed: int) -> None:
    pairs = [Pair(f"q{n}", "a", "") for n in range(count)]
    chosen = sample(pairs, limit, seed)
    assert chosen == sample(pairs, limit, seed)
    assert len(set(chosen)) == len(chosen) == (count if limit is None else min(count, limit))


def test_the_loss_is_on_the_answer_and_its_end_alone(base: Path) -> None:
    tokenizer = load_tokenizer(base)
    pair = Pair("Where is it?", "It is here.", "")
    (row,) = examples([pair], encoder(tokenizer), tokenizer.bos_token_id, 512)
    learnt = [token for token, label in zip(row.ids, row.labels, strict=True) if label != -100]
    assert all(label in (-100, token) for token, label in zip(row.ids, row.labels, strict=True))
    assert tokenizer.decode(learnt) == "It is here.</s> \n"
    assert row.ids[0] == tokenizer.bos_token_id
    assert tokenizer.decode(row.ids[1 : -len(learnt)]).rstrip().endswith("<|assistant|>")
    (cut,) = examples([pair], encoder(tokenizer), tokenizer.bos_token_id, 20)
    assert (cut.ids, cut.labels) == (row.ids[:20], row.labels[:20])


def test_a_conversation_without_system_prompt_begins_with_the_customer() -> None:
    assert [turn.role for turn in turns(Pair("q", "a", ""))] == ["system", "user", "assistant"]
    assert [turn.role for turn in turns(Pair("q", "a", ""), "")] == ["user", "assistant"]
    own = Pair("q", "a", "", (Message("system", "mine"), Message("user", "b"), Message("assistant", "c")))
    assert [turn.content for turn in turns(own)] == ["mine", "b", "c", "q", "a"]


def test_the_fixture_is_what_its_script_writes() -> None:
    assert tiny.PAIRS.read_text(encoding="utf-8").splitlines() == lines()
