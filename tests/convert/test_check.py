"""The check: exact on known distributions, quiet about a good conversion, loud about a wrong one."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from convert.errors import CheckError, InputError
from convert.fidelity.check import CheckOptions, check, token_parity, token_rows
from convert.fidelity.figures import compare, log_softmax
from convert.fidelity.texts import PROBES, CheckTexts, check_texts
from convert.gguf.source import read_source
from convert.gguf.writer import write_gguf
from convert.quantization.quantize import QuantType, quantize
from tests.convert import tiny

OPTIONS = CheckOptions(positions=120, threads=1)


def test_divergence_and_perplexity_of_two_coins() -> None:
    half, fair = np.log(np.array([[0.5, 0.5]] * 2, np.float32)), np.log(np.array([[0.8, 0.2]] * 2, np.float32))
    found = compare([[0, 1]], [half], [fair])
    assert found.mean_kld == pytest.approx(0.5 * math.log(0.5 / 0.8) + 0.5 * math.log(0.5 / 0.2), rel=1e-6)
    assert found.positions == 2
    assert found.reference_perplexity == pytest.approx(2.0)
    assert found.perplexity == pytest.approx(5.0)
    assert found.top1_agreement == 1.0


@given(arrays(np.float32, (3, 5), elements=st.floats(-30, 30, width=32)), st.floats(-50, 50, width=32))
def test_a_model_agrees_with_itself_whatever_is_added_to_its_logits(logits: np.ndarray, shift: float) -> None:
    np.testing.assert_allclose(np.exp(log_softmax(logits)).sum(axis=-1), 1.0, rtol=1e-9)
    found = compare([[0, 1, 2]], [logits], [logits + np.float32(shift)])
    assert found.mean_kld < 1e-9


def test_logits_of_other_shapes_are_no_comparison() -> None:
    with pytest.raises(ValueError, match="shapes"):
        compare([[0, 1]], [np.zeros((2, 3), np.float32)], [np.zeros((2, 4), np.float32)])


def test_rows_hold_as_many_positions_as_were_asked_for() -> None:
    def encode(text: str) -> list[int]:
        return [int(word) for word in text.split()]

    texts = ["5 6 7", "8", "", "9 9 9 9 9 9 9"]
    assert token_rows(texts, encode, 1, CheckOptions(positions=10, row_tokens=6)) == [
        [1, 5, 6, 7],
        [1, 8],
        [1, 9, 9, 9],
    ]
    assert token_rows(texts, encode, 1, CheckOptions(positions=3)) == [[1, 5, 6]]
    with pytest.raises(InputError, match="--data"):
        token_rows([""], encode, 1, OPTIONS)


def test_a_faithful_conversion_passes_and_reports_its_figures(base: Path, f16: Path, q4: Path) -> None:
    report = check(base, None, f16, q4, check_texts(None), OPTIONS)
    report.require()
    assert report.tokens.texts == len(PROBES)
    assert report.general is not None
    assert report.f16.positions == report.support.fidelity.positions == report.general.fidelity.positions == 120
    assert report.f16.mean_kld < 1e-4 < report.support.fidelity.mean_kld
    for loss in (report.support, report.general):
        assert loss.intervals.mean_kld.low <= loss.fidelity.mean_kld <= loss.intervals.mean_kld.high
        assert loss.against is None
    made = report.to_dict()
    assert made["f16_against_transformers"]["top1_agreement"] == report.f16.top1_agreement  # type: ignore[index]
    found = made["quantized_against_f16_general"]
    assert found["perplexity"] == pytest.approx(report.general.fidelity.perplexity, rel=1e-5)  # type: ignore[index]
    assert set(found["intervals_95"]) >= {"mean_kld", "top1_agreement", "perplexity"}  # type: ignore[index]


def test_a_finer_quantisation_is_better_than_the_baseline(base: Path, f16: Path, q4: Path, tmp_path: Path) -> None:
    q8 = quantize(f16, tmp_path / "q8.gguf", QuantType.Q8_0, threads=1).path
    options = CheckOptions(positions=120, threads=1, baseline=q4)
    against = check(base, None, f16, q8, check_texts(None), options).support.against
    assert against is not None
    assert against.relative.high < -0.5
    assert against.difference.high < 0 < against.mean_kld < against.baseline_mean_kld


def test_another_models_gguf_falls_short(base: Path, tokenizer: Path, q4: Path, tmp_path: Path) -> None:
    other = tiny.write_base(tmp_path / "other", tokenizer, seed=3, echo=1.0)
    path = write_gguf(read_source(other), tmp_path / "other.gguf")
    report = check(base, None, path, q4, check_texts(None), OPTIONS)
    assert len(report.failures()) == 2
    with pytest.raises(CheckError, match=r"top-1 agreement 0\.\d+; expected at least 0\.995.*mean KLD"):
        report.require()


def test_a_forgotten_adapter_falls_short(base: Path, adapter: Path, f16: Path, q4: Path) -> None:
    report = check(base, adapter, f16, q4, check_texts(None), OPTIONS)
    assert report.failures()


def test_another_tokenizer_falls_short(base: Path, f16: Path, q4: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    shutil.copytree(base, folder)
    model = (folder / "tokenizer.model").read_bytes()
    (folder / "tokenizer.model").write_bytes(model.replace(b"refund", b"rufend"))
    texts = CheckTexts(("I want a refund of it.",), ("I want a refund", "and nothing else"))
    report = check(folder, None, f16, q4, texts, OPTIONS)
    assert report.tokens.differing == ("I want a refund",)
    assert "'I want a refund'" in report.failures()[0]


def test_parity_counts_every_line_and_keeps_the_first_ten() -> None:
    found = token_parity(lambda text: [1], lambda text: [len(text)], (["a"] * 3 + ["ab"] * 12))
    assert found.texts == 15
    assert found.differing == ("ab",) * 10


def test_texts_of_a_file_are_its_held_out_side_and_the_probes() -> None:
    texts = check_texts(tiny.PAIRS)
    assert texts.lines[: len(PROBES)] == PROBES
    assert len(texts.conversations) == len(texts.lines) - len(PROBES) > 0
    assert all(text.startswith("<|system|>\n") and text.endswith("</s>\n") for text in texts.conversations)
