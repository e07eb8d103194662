"""Rows of a user's own: every shape of the table is read, every other row is refused by file, line and field."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from convert.chat import Message
from convert.errors import InputError
from convert.tokenizer import encoder, load_tokenizer
from convert.training.corpus import Pair
from convert.training.dataset import examples, preferences
from convert.training.rows import read_table

HELLO, ASKED = Message("user", "Hello?"), Message("assistant", "How can I help?")
PAIR = Pair("Where is my parcel?", "On its way.", "track", (HELLO, ASKED))
TALK = [{"role": t.role, "content": t.content} for t in (HELLO, ASKED, Message("user", PAIR.question))]
TEXTS = [turn["content"] for turn in TALK]


def _write(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("row", "pairs"),
    [
        ({"question": "Q?", "answer": "A."}, [Pair("Q?", "A.", "")]),
        ({"instruction": "Q?", "response": "A.", "intent": "x"}, [Pair("Q?", "A.", "x")]),
        ({"context": "Q?", "response": "A."}, [Pair("Q?", "A.", "")]),
        ({"context": TEXTS, "response": "On its way.", "intent": "track"}, [PAIR]),
        ({"context": TALK, "response": "On its way.", "intent": "track"}, [PAIR]),
        (
            {
                "context_1": "Hello?",
                "context_2": "How can I help?",
                "context_10": PAIR.question,
                "response": PAIR.answer,
            },
            [Pair(PAIR.question, PAIR.answer, "", PAIR.history)],
        ),
        (
            {"messages": [*TALK, {"role": "assistant", "content": "On its way."}], "intent": "track"},
            [Pair("Hello?", "How can I help?", "track"), PAIR],
        ),
        (
            {"prompt": TALK, "chosen": "On its way.", "rejected": "It costs 9999.", "intent": "track"},
            [Pair(PAIR.question, PAIR.answer, "track", PAIR.history, "It costs {{Order Number}}.")],
        ),
        (
            {"context": ["order 55555", "Yes?", "where is it"], "response": "Order 55555 is near."},
            [
                Pair(
                    "where is it",
                    "Order {{Order Number}} is near.",
                    "",
                    (Message("user", "order {{Order Number}}"), Message("assistant", "Yes?")),
                )
            ],
        ),
    ],
)
def test_every_shape_is_read_from_jsonl_and_from_csv(
    tmp_path: Path, row: Mapping[str, object], pairs: list[Pair]
) -> None:
    assert list(read_table(_write(tmp_path / "x.jsonl", row)).pairs) == pairs
    with (tmp_path / "x.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerow({k: v if isinstance(v, str) else json.dumps(v) for k, v in row.items()})
    assert list(read_table(tmp_path / "x.csv").pairs) == pairs


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"question": "q"}, "answer or response: no text there .the row has question.; give every row"),
        ({"context": [], "response": "a"}, "context: list .*write a text or a list"),
        ({"context": TALK[:2], "response": "a"}, "context: a reply follows a turn of the assistant"),
        ({"context": "[nope", "response": "a"}, "context: not JSON"),
        ({"context_1": " ", "response": "a"}, "context_1: no text in any"),
        ({"messages": TALK[:1]}, "messages: no reply of the assistant"),
        ({"messages": [TALK[0], 3]}, r"messages\[1\]: 3"),
        (
            {"messages": [TALK[0], {"role": "bot", "content": "a"}]},
            r"messages\[1\].role: 'bot'; write user or assistant",
        ),
        ({"messages": [TALK[0], {"role": "system", "content": "a"}]}, r"messages\[1\].role: 'system'"),
        ({"messages": [TALK[0], {"role": "assistant", "content": ""}]}, r"messages\[1\].content"),
        ({"prompt": "q", "chosen": "a"}, "rejected: no text there"),
        ({"prompt": "q", "chosen": "a", "rejected": " a"}, "rejected: the same text as chosen"),
    ],
)
def test_a_row_of_no_shape_is_refused_with_its_line_and_field(
    tmp_path: Path, row: Mapping[str, object], words: str
) -> None:
    path = _write(tmp_path / "x.jsonl", {"question": "fine", "answer": "too"}, row)
    with pytest.raises(InputError, match=r"x\.jsonl:2: " + words):
        read_table(path)


def test_a_csv_row_is_named_by_the_line_that_it_begins_on(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text('question,answer\n"two\nlines",a\nb,\n')
    with pytest.raises(InputError, match=r"x\.csv:4: answer"):
        read_table(tmp_path / "x.csv")
    (tmp_path / "x.csv").write_text("question,answer\na,b,c\n")
    with pytest.raises(InputError, match=r"x\.csv:2: more cells than the header"):
        read_table(tmp_path / "x.csv")


def test_rows_that_nobody_could_fill_are_counted(tmp_path: Path) -> None:
    read = read_table(
        _write(tmp_path / "x.jsonl", {"question": "q", "answer": "{{Date}}"}, {"question": "q", "answer": "a"})
    )
    assert (len(read.pairs), read.rows, read.left_out) == (1, 2, 1)


def test_a_conversation_is_learnt_reply_by_reply_and_nothing_else_of_it(base: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(base)
    talk = [{"role": "system", "content": "Be kind."}, *TALK, {"role": "assistant", "content": "On its way."}]
    pairs = read_table(_write(tmp_path / "x.jsonl", {"messages": talk})).pairs
    rows = examples(pairs, encoder(tokenizer), tokenizer.bos_token_id, 512)
    learnt = [tokenizer.decode([t for t in row.labels if t != -100]).rstrip() for row in rows]
    assert learnt == ["How can I help?</s>", "On its way.</s>"]
    whole = tokenizer.decode(rows[1].ids)
    assert whole.count("<|system|>") == 1
    assert whole.index("Be kind.") < whole.index("How can I help?") < whole.index("Where is my parcel?")


def test_a_history_that_is_too_long_loses_its_oldest_turns_and_never_the_reply(base: Path) -> None:
    tokenizer = load_tokenizer(base)
    limits = (encoder(tokenizer), tokenizer.bos_token_id)
    (whole,) = examples([PAIR], *limits, 512, "Be kind.")
    (short,) = examples([PAIR], *limits, len(whole) - 1, "Be kind.")
    assert [t for t in short.labels if t != -100] == [t for t in whole.labels if t != -100]
    text = tokenizer.decode(short.ids)
    assert "Be kind." in text
    assert "Hello?" not in text
    assert "How can I help?" not in text


def test_both_replies_of_a_preference_follow_the_same_prompt(base: Path) -> None:
    tokenizer = load_tokenizer(base)
    limits = (encoder(tokenizer), tokenizer.bos_token_id, 512)
    pair = Pair(PAIR.question, PAIR.answer, "", PAIR.history, "No idea, go away.")
    (row,) = preferences([pair], *limits)
    (single,) = examples([pair], *limits)
    assert (*row.prompt, *row.chosen) == single.ids
    assert tokenizer.decode(row.rejected).rstrip() == "No idea, go away.</s>"
