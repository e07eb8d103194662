"""Feedback: what of it is learnt, how much of the old is replayed, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convert.chat import Message
from convert.errors import InputError
from convert.training.corpus import Pair
from convert.training.feedback import read_feedback, with_replay
from convert.training.gather import gather
from tests.convert import tiny

ENTRIES: list[dict[str, object]] = [
    {"question": "a", "answer": "Good.", "rating": 5},
    {"question": "b", "answer": "Good too.", "rating": "up", "intent": "x"},
    {"question": "c", "answer": "Wrong.", "corrected": "Right."},
    {
        "question": "d",
        "answer": "Wrong.",
        "rating": 1,
        "corrected": "Right.",
        "history": [{"role": "user", "content": "h"}],
    },
    {"question": "e", "answer": "Bad.", "rating": "down"},
    {"question": "f", "answer": "So so.", "rating": 3.0},
    {"question": "g", "answer": "On {{Date}}.", "rating": 5},
    {"question": "h", "answer": "Same.", "rating": 2, "corrected": "Same."},
]


def _write(folder: Path, *entries: object) -> Path:
    path = folder / "feedback.jsonl"
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    return path


def test_corrections_and_good_answers_are_learnt_and_corrections_are_preferred(tmp_path: Path) -> None:
    found = read_feedback(_write(tmp_path, *ENTRIES))
    assert found.pairs == (
        Pair("a", "Good.", ""),
        Pair("b", "Good too.", "x"),
        Pair("c", "Right.", "", (), "Wrong."),
        Pair("d", "Right.", "", (Message("user", "h"),), "Wrong."),
    )
    assert found.preferences() == found.pairs[2:]
    assert (found.entries, found.unused) == (8, 4)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"question": "q", "answer": "a"}, ":1: rating: neither it nor corrected"),
        ({"question": "q", "answer": "a", "rating": 7}, ":1: rating: 7; write 1 to 5"),
        ({"question": "q", "answer": "a", "rating": True}, ":1: rating: True"),
        ({"question": "q", "answer": "a", "corrected": 3}, ":1: corrected: 3"),
        ({"answer": "a", "rating": 5}, ":1: question: no text"),
        ({"question": "q", "answer": "a", "rating": 1}, "none of 1 entries is well rated or corrected"),
    ],
)
def test_an_entry_that_says_nothing_is_refused(tmp_path: Path, entry: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        read_feedback(_write(tmp_path, entry))


@given(st.integers(1, 30), st.integers(0, 40), st.sampled_from([0.0, 0.25, 0.5, 0.8]), st.integers(0, 3))
def test_old_rows_make_up_their_share(new: int, old: int, share: float, seed: int) -> None:
    fresh, known = [Pair(f"n{i}", "a", "") for i in range(new)], [Pair(f"o{i}", "a", "") for i in range(old)]
    mixed = with_replay(fresh, known, share, seed)
    assert mixed == with_replay(fresh, known, share, seed)
    assert mixed[:new] == fresh
    replayed = mixed[new:]
    assert len(set(replayed)) == len(replayed)
    assert set(replayed) <= set(known)
    assert len(replayed) == old or abs(len(replayed) - share * len(mixed)) <= 1


@pytest.mark.parametrize("share", [-0.1, 1.0])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(InputError, match="expected at least 0 and below 1"):
        with_replay([], [], share, 0)


def test_what_is_held_out_shares_nothing_with_the_feedback(tmp_path: Path) -> None:
    whole = gather(tiny.PAIRS, None, 0.5, "sft", 1)
    told = whole.held_out[0]
    path = _write(tmp_path, {"question": f"something new {told.question}", "answer": "Bad.", "corrected": told.answer})
    found = gather(tiny.PAIRS, path, 0.5, "sft", 1)
    assert told in whole.held_out
    assert told not in found.held_out
    assert len(found.train) == 2
    record = found.origin["feedback"]
    assert isinstance(record, dict)
    assert {name: record[name] for name in ("entries", "unused", "learnt", "replayed")} == {
        "entries": 1,
        "unused": 0,
        "learnt": 1,
        "replayed": 1,
    }


def test_what_fits_no_method_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected --data, --feedback or both"):
        gather(None, None, 0.5, "sft", 1)
    with pytest.raises(InputError, match="nothing that method dpo can learn"):
        gather(tiny.PAIRS, None, 0.5, "dpo", 1)
    with pytest.raises(InputError, match="nothing that method dpo can learn"):
        gather(None, _write(tmp_path, ENTRIES[0]), 0.5, "dpo", 1)
