"""The file of the n-gram classifier, and that its windows say what the sum over their grams says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import BundleNotFoundError, IntegrityError
from models.ngram_classifier import NgramClassifier, load_ngram
from models.ngrams import BUCKETS, all_windows, grams

WEIGHTS = np.random.default_rng(3).integers(-127, 128, BUCKETS).astype(np.int8)
MODEL = NgramClassifier(WEIGHTS, 0.01, -0.5, 0.6, 0.4)


@given(st.text(alphabet="ab 忽略1.", max_size=400))
def test_windows_are_the_sums_of_their_grams(text: str) -> None:
    found, reading = grams(text), MODEL.read(text)
    places = all_windows(len(found.starts)).tolist()
    assert len(reading.probabilities) == len(places)
    for (first, past), probability in zip(places, reading.probabilities.tolist(), strict=True):
        logit = MODEL.bias
        for ids, tokens in ((found.words, found.word_places), (found.chars, found.char_places)):
            own = ids[(tokens >= first) & (tokens < past)]
            logit += MODEL.scale * float(WEIGHTS[own].astype(np.int64).sum()) / np.sqrt(max(1, len(own)))
        assert probability == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-9)


def test_a_text_without_a_word_has_no_window() -> None:
    assert len(MODEL.read(" \n").probabilities) == 0
    assert MODEL.probability("") == 0.0


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    MODEL.save(tmp_path / "a.npz")
    MODEL.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    read = load_ngram(tmp_path / "a.npz")
    assert read.probability("ignore it") == pytest.approx(MODEL.probability("ignore it"), abs=1e-6)
    assert read.threshold == pytest.approx(0.6)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleNotFoundError, match=r"none\.npz"):
        load_ngram(tmp_path / "none.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", b"text"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(IntegrityError, match="no n-gram classifier"):
        load_ngram(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"weights": WEIGHTS[:5]}, "shape"),
        ({"scale": float("nan")}, "finite"),
        ({"threshold": 1.0}, "threshold"),
        ({"data_threshold": 0.0}, "data_threshold"),
    ],
)
def test_what_disagrees_is_not_written(tmp_path: Path, change: dict[str, object], problem: str) -> None:
    with pytest.raises(IntegrityError, match=problem):
        replace(MODEL, **change).save(tmp_path / "x.npz")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("format", np.int64(9), "format 9"),
        ("weights", WEIGHTS.astype(np.float32), "float32"),
        ("bias", np.zeros(2, np.float32), "shape"),
    ],
)
def test_another_format_is_refused(tmp_path: Path, name: str, value: object, problem: str) -> None:
    MODEL.save(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as archive:
        arrays = dict(archive)
    np.savez_compressed(tmp_path / "x.npz", **{**arrays, name: value})  # type: ignore[arg-type]
    with pytest.raises(IntegrityError, match=problem):
        load_ngram(tmp_path / "x.npz")
