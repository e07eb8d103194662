"""The roofline: rates that the machine really reaches, bounds by their formulas, parameters as the file holds them."""

from __future__ import annotations

import pytest

from bench.roofline import Roofline, count_parameters, matrix_rate, read_bandwidth
from tests.paths import DEMO


def test_rates_are_those_of_a_computer() -> None:
    assert 1e8 < read_bandwidth(32 << 20) < 1e13
    assert 1e8 < matrix_rate(256) < 1e14


def test_bounds_and_shares() -> None:
    roof = Roofline(10e9, 100e9, 500_000_000, 1_000_000_000, prefill_per_s=25.0, decode_per_s=15.0)
    assert roof.decode_bound_per_s == pytest.approx(20.0)
    assert roof.prefill_bound_per_s == pytest.approx(50.0)
    assert roof.decode_share == pytest.approx(0.75)
    assert roof.prefill_share == pytest.approx(0.5)
    unknown = Roofline(10e9, 100e9, 0, 0, None, None)
    assert (unknown.decode_bound_per_s, unknown.prefill_bound_per_s, unknown.decode_share) == (None, None, None)


@pytest.mark.skipif(not (DEMO / "model.gguf").is_file(), reason="the demo bundle is not built; run `make demo`")
def test_parameters_are_counted() -> None:
    size = (DEMO / "model.gguf").stat().st_size
    assert size / 5 < count_parameters(DEMO / "model.gguf") < 2.5 * size  # 3 to 32 bits each, and the tokenizer beside
