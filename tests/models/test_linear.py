"""The linear classifier's file: what it says of texts, and what it refuses to be."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import BundleNotFoundError, IntegrityError
from models.linear import BUCKETS, MAX_CHARS, LinearClassifier, features, load_linear, normalise

LABELS = ("cancel", "refund", "other")

#: Where the features of "refund" lie: the word itself, and its 3- to 5-grams with the spaces around it.
REFUND_BUCKETS = [
    *(150, 4151, 5208, 7245, 17755, 18332, 18742, 21652),
    *(22901, 23015, 23396, 25775, 28918, 29564, 31478, 31590),
]


def small(min_confidence: float = 0.0) -> LinearClassifier:
    """A classifier that knows one word for each of its first two labels."""
    weights = np.zeros((BUCKETS, len(LABELS)), np.int8)
    for column, word in enumerate(("cancel", "refund")):
        weights[features(word)[0], column] = 100
    return LinearClassifier(
        LABELS, weights, np.full(3, 0.05, np.float32), np.array([0, 0, 1], np.float32), "other", min_confidence
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "intents.npz"
    small(0.4).save(path)
    return path


def members(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def test_a_saved_classifier_says_the_same(file: Path) -> None:
    loaded = load_linear(file)
    for text in ("please cancel it", "a refund please", "hello", ""):
        assert loaded.scores(text) == pytest.approx(small().scores(text))
    assert loaded.labels == LABELS and loaded.min_confidence == pytest.approx(0.4)


def test_the_same_classifier_gives_the_same_bytes(file: Path, tmp_path: Path) -> None:
    small(0.4).save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == file.read_bytes()


def test_words_decide() -> None:
    assert small().best("I want to CANCEL") == "cancel"
    assert small().best("where is my refund?") == "refund"


def test_an_unsure_class_does_not_claim_a_text() -> None:
    scores = small().scores("please cancel or refund")
    assert abs(scores["cancel"] - scores["refund"]) < 0.05
    assert small(max(scores.values()) + 0.01).best("please cancel or refund") == "other"
    assert small(max(scores.values()) - 0.01).best("please cancel or refund") != "other"


@pytest.mark.parametrize("text", ["", "   ", "?!", "\u200b"])
def test_a_text_without_words_is_claimed_by_none(text: str) -> None:
    biased = small()
    biased.bias[0] = 9
    assert len(features(text)[0]) == 0
    assert biased.best(text) == "other"


@given(st.text(max_size=300))
def test_probabilities_of_any_text_sum_to_one(text: str) -> None:
    scores = small().scores(text)
    assert set(scores) == set(LABELS)
    assert sum(scores.values()) == pytest.approx(1)


@given(st.integers(0, 10**12), st.sampled_from(["cancel order {}", "{} is my invoice", "order #{}, please"]))
def test_a_number_and_its_slot_are_the_same_thing(number: int, template: str) -> None:
    plain, slot = (features(template.format(value)) for value in (number, "{{Order Number}}"))
    assert np.array_equal(plain[0], slot[0]) and np.array_equal(plain[1], slot[1])


def test_amounts_and_full_width_digits_are_numbers() -> None:
    assert (
        normalise("Refund of $1,299.50!")
        == normalise("refund of {{Currency Symbol}}{{Refund Amount}}")
        == "refund of 0"
    )
    assert normalise("order １２３") == "order 0"


def test_buckets_are_the_same_on_every_machine() -> None:
    buckets, values = features("refund")
    assert sorted(buckets.tolist()) == REFUND_BUCKETS
    assert float(values @ values) == pytest.approx(2)  # words and n-grams have length 1 each


def test_a_long_text_costs_no_more_than_its_beginning() -> None:
    assert np.array_equal(features("ab " * 5000)[0], features(("ab " * 5000)[:MAX_CHARS])[0])


def test_two_hundred_characters_take_less_than_a_millisecond() -> None:
    classifier, text, spent = small(), ("I want to cancel order 12345 and get my money back. " * 4)[:200], []
    for _ in range(50):
        start = time.thread_time()
        classifier.scores(text)
        spent.append(time.thread_time() - start)
    assert median(spent) < 1e-3


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleNotFoundError, match="nowhere"):
        load_linear(tmp_path / "nowhere.npz")


@pytest.mark.parametrize("cut", [0, 1, 100, -1])
def test_damage_is_refused(file: Path, cut: int) -> None:
    file.write_bytes(file.read_bytes()[:cut])
    with pytest.raises(IntegrityError, match=r"intents\.npz"):
        load_linear(file)


def test_changed_bytes_are_refused(file: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        info = archive.getinfo("weights.npy")
    content = bytearray(file.read_bytes())
    content[info.header_offset + 60 + info.compress_size // 2] ^= 0xFF
    file.write_bytes(bytes(content))
    with pytest.raises(IntegrityError):
        load_linear(file)


def test_pickles_are_refused(file: Path) -> None:
    changed = {**members(file), "labels": np.array(["a", 3, None], dtype=object)}
    with file.open("wb") as out:
        np.savez_compressed(out, **changed)
    with pytest.raises(IntegrityError, match="linear classifier"):
        load_linear(file)


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("format", np.int64(2), "format 2"),
        ("labels", np.array(["a", "b"]), "weights has the shape"),
        ("labels", np.array(["a", "b", "a"]), "different"),
        ("weights", np.zeros((BUCKETS, 3), np.float32), "weights is float32"),
        ("weights", np.zeros((8, 3), np.int8), "expected \\(32768, 3\\)"),
        ("scales", np.array([1, 1, np.nan], np.float32), "not finite"),
        ("bias", np.zeros(2, np.float32), "bias has the shape"),
        ("min_confidence", np.float32(1.5), "expected 0 to 1"),
        ("min_confidence", np.array([0.1, 0.2], np.float32), "single value"),
        ("fallback", np.int64(3), "fallback is int64"),
    ],
)
def test_arrays_that_disagree_are_refused(file: Path, name: str, value: np.ndarray, complaint: str) -> None:
    changed = {**members(file), name: value}
    with file.open("wb") as out:
        np.savez_compressed(out, **changed)
    with pytest.raises(IntegrityError, match=complaint):
        load_linear(file)


@pytest.mark.parametrize("name", ["weights", "labels", "format", "fallback"])
def test_a_missing_array_is_refused(file: Path, name: str) -> None:
    kept = {key: value for key, value in members(file).items() if key != name}
    with file.open("wb") as out:
        np.savez_compressed(out, **kept)
    with pytest.raises(IntegrityError, match=name):
        load_linear(file)


def test_a_classifier_that_disagrees_with_itself_is_not_written(tmp_path: Path) -> None:
    broken = small(2.0)
    with pytest.raises(IntegrityError, match="min_confidence"):
        broken.save(tmp_path / "intents.npz")
    assert not (tmp_path / "intents.npz").exists()
