"""Calibration texts and an importance matrix of the tiny model; made once a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from convert.fidelity.texts import CalibrationTexts, calibration_texts
from convert.quantization.collect import CollectOptions, collect_imatrix
from convert.quantization.imatrix import Imatrix, write_imatrix
from tests.convert import tiny


@pytest.fixture(scope="session")
def texts() -> CalibrationTexts:
    return calibration_texts(tiny.PAIRS)


@pytest.fixture(scope="session")
def imatrix(f16: Path, texts: CalibrationTexts) -> Imatrix:
    return collect_imatrix(f16, texts, CollectOptions(tokens=700, threads=1))


@pytest.fixture(scope="session")
def imatrix_file(tmp_path_factory: pytest.TempPathFactory, imatrix: Imatrix) -> Path:
    return write_imatrix(imatrix, tmp_path_factory.mktemp("imatrix") / "imatrix.gguf")
