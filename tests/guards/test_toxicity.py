"""The classifier: probabilities, padding, windows and everything that may be wrong with its files."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guards.errors import GuardUnavailableError
from guards.toxicity import BUCKETS, ToxicityDetector, ToxicityModel, bucket
from guards.views.normal import normalised
from models.bundle import Bundle
from tests.bundles import BundleParts, build_bundle
from tests.guards.tiny_classifier import THRESHOLDS, classifier_onnx, tokenizer_json


@pytest.fixture(scope="module")
def model(bundle: Bundle) -> ToxicityModel:
    return ToxicityModel.load(bundle)


def sigmoid(logit: float) -> float:
    return float(1.0 / (1.0 + np.exp(-logit)))


def test_probabilities_are_sigmoids_of_the_logits(model: ToxicityModel) -> None:
    probabilities, extents = model.probabilities("you idiot")
    assert probabilities.shape == (1, len(THRESHOLDS))
    np.testing.assert_allclose(probabilities[0], [sigmoid(6.0), sigmoid(-6.0), sigmoid(-6.0)], rtol=1e-5)
    assert extents == [(0, 9)]


@pytest.mark.parametrize("words", [1, 13, 14, 15, 30, 62, 125, 126, 127, 128, 200, 500])
def test_length_and_padding_change_nothing(model: ToxicityModel, words: int) -> None:
    """The last word fires alone, at every bucket's border and in every window."""
    probabilities, extents = model.probabilities("word " * (words - 1) + "idiot")
    assert probabilities.max(axis=0)[0] == pytest.approx(sigmoid(6.0), rel=1e-5)
    assert len(extents) == (1 if words <= 126 else 1 + -(-(words - 126) // 94))


@given(st.integers(0, 900))
def test_every_word_of_a_long_text_stands_in_a_window(model: ToxicityModel, place: int) -> None:
    words = ["word"] * 900
    words[place:place] = ["idiot"]
    text = " ".join(words)
    report = ToxicityDetector(model, {"toxicity": 0.5}).scan(normalised(text))
    (hit,) = report.hits
    assert "idiot" in text[hit.start : hit.end]
    assert hit.end - hit.start <= 126 * 6


def test_windows_overlap(model: ToxicityModel) -> None:
    _, extents = model.probabilities("word " * 300)
    assert all(later[0] < earlier[1] for earlier, later in pairwise(extents))


def test_only_labels_with_thresholds_act(model: ToxicityModel) -> None:
    report = ToxicityDetector(model, {"threat": 0.7}).scan(normalised("damn, I will kill you"))
    assert [hit.rule for hit in report.hits] == ["toxicity.threat"]
    assert set(report.scores) == set(THRESHOLDS)
    assert report.scores["obscene"] == pytest.approx(sigmoid(6.0), rel=1e-5)


def test_thresholds_hold_to_the_point(model: ToxicityModel) -> None:
    score = model.probabilities("hurt")[0][0, 2]
    view = normalised("hurt")
    assert ToxicityDetector(model, {"threat": float(score)}).scan(view).hits
    assert not ToxicityDetector(model, {"threat": float(np.nextafter(score, 1.0))}).scan(view).hits


@pytest.mark.parametrize("text", ["", " \n", "\u200b"])
def test_nothing_to_judge(model: ToxicityModel, text: str) -> None:
    assert ToxicityDetector(model, THRESHOLDS).scan(normalised(text)).hits == ()


def test_a_model_with_token_types_gets_zeros(tmp_path: Path) -> None:
    parts = BundleParts(classifier_onnx(token_types=True), tokenizer_json(), THRESHOLDS)
    model = ToxicityModel.load(build_bundle(tmp_path / "typed", parts))
    assert model.probabilities("you idiot")[0][0, 0] == pytest.approx(sigmoid(6.0), rel=1e-5)


@pytest.mark.parametrize(("length", "size"), [(1, 16), (16, 16), (17, 32), (64, 64), (65, 128), (128, 128)])
def test_buckets(length: int, size: int) -> None:
    assert bucket(length) == size
    assert size in BUCKETS


@pytest.mark.parametrize(
    ("guard", "tokenizer", "problem"),
    [
        (b"not a model", tokenizer_json(), "cannot be loaded"),
        (classifier_onnx(), b"{}", "cannot be loaded"),
        (classifier_onnx(labels=2), tokenizer_json(), "2 outputs; the manifest has 3 labels"),
        (classifier_onnx().replace(b"input_ids", b"input_idx"), tokenizer_json(), "inputs "),
        (classifier_onnx().replace(b"logits", b"output"), tokenizer_json(), "no output named 'logits'"),
    ],
)
def test_a_damaged_classifier_is_refused(tmp_path: Path, guard: bytes, tokenizer: bytes, problem: str) -> None:
    bundle = build_bundle(tmp_path / "bad", BundleParts(guard, tokenizer, THRESHOLDS))
    with pytest.raises(GuardUnavailableError, match=problem) as caught:
        ToxicityModel.load(bundle)
    assert "rebuild the bundle" in caught.value.remedy
