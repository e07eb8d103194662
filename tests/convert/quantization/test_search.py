"""Sensitivity and the type search: measured on the running model, kept within the stock mixture's bytes."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from convert.errors import InputError
from convert.fidelity.texts import CalibrationTexts
from convert.quantization.imatrix import Imatrix
from convert.quantization.quantize import Guidance, quantize
from convert.quantization.rounding import RoundedModel
from convert.quantization.search import (
    CANDIDATES,
    PROBE,
    SearchOptions,
    TypePlan,
    read_types,
    search_types,
    write_types,
)
from convert.quantization.sensitivity import groups_of, stored_bytes, weighted_errors

ROWS = ([1, 300, 301, 17, 40], [1, 9, 12, 350])


@pytest.fixture(scope="module")
def plan(f16: Path, imatrix: Imatrix, texts: CalibrationTexts) -> TypePlan:
    steps: list[tuple[str, int, int]] = []
    options = SearchOptions(tokens=200, groups=20, threads=1)
    found = search_types(f16, imatrix, texts, options, lambda *step: steps.append(step))
    assert {stage for stage, _, _ in steps} == {"sensitivity", "types"}
    assert all(last[1] == last[2] for last in {step[0]: step for step in steps}.values())
    return found


def test_the_search_keeps_within_the_bytes_of_the_stock_mixture(plan: TypePlan, f16: Path, q4: Path) -> None:
    stock = {tensor.name: tensor for tensor in gguf.GGUFReader(q4).tensors if tensor.tensor_type.name != "F32"}
    assert plan.types.keys() == stock.keys()
    assert plan.budget_bytes == sum(stored_bytes(t, t.tensor_type.name) for t in stock.values())
    assert plan.bytes <= plan.budget_bytes
    assert plan.predicted_kld < plan.mixture_predicted_kld
    assert set(plan.types.values()) <= set(CANDIDATES)


def test_the_file_has_the_types_of_the_plan_and_no_more_bytes_than_stock(
    plan: TypePlan, f16: Path, q4: Path, imatrix_file: Path, tmp_path: Path
) -> None:
    guidance = Guidance(imatrix_file, plan.types)
    made = quantize(f16, tmp_path / "searched.gguf", threads=1, guidance=guidance)
    stored = {tensor.name: tensor.tensor_type.name for tensor in gguf.GGUFReader(made.path).tensors}
    assert {name: stored[name] for name in plan.types} == plan.types
    assert made.bytes <= q4.stat().st_size


def test_rounding_a_group_is_felt_and_undone(f16: Path, imatrix: Imatrix) -> None:
    with RoundedModel(f16, imatrix, ROWS, threads=1) as model:
        assert model.divergence((), PROBE) == pytest.approx(0.0, abs=1e-9)
        one = model.divergence(["blk.0.ffn_down.weight"], PROBE)
        both = model.divergence(["blk.0.ffn_down.weight", "output.weight"], PROBE)
        finer = model.divergence(["blk.0.ffn_down.weight"], gguf.GGMLQuantizationType.Q6_K)
        assert model.divergence(["blk.0.ffn_down.weight"], PROBE) == one
        assert model.divergence(["token_embd.weight"], PROBE) > 0
        assert 0 < finer < one < both
        with pytest.raises(InputError, match=r"no_such\.weight: no part of the computation"):
            model.divergence(["no_such.weight"], PROBE)
        assert model.divergence((), PROBE) == pytest.approx(0.0, abs=1e-9)


def test_errors_fall_with_the_bits_and_a_sample_of_rows_speaks_for_all(f16: Path, imatrix: Imatrix) -> None:
    tensor = next(t for t in gguf.GGUFReader(f16).tensors if t.name == "blk.1.ffn_down.weight")
    squares = imatrix.entries[tensor.name].mean_squares
    errors = weighted_errors(tensor, CANDIDATES, squares)
    assert list(errors.values()) == sorted(errors.values(), reverse=True)
    assert errors["Q8_0"] < errors["Q3_K"] / 100
    plain = weighted_errors(tensor, ("Q4_K",), None)["Q4_K"]
    assert weighted_errors(tensor, ("Q4_K",), np.ones(len(squares), np.float32))["Q4_K"] == pytest.approx(
        plain, rel=0.2
    )


def test_groups_are_one_matrix_in_neighbouring_blocks() -> None:
    names = [f"blk.{n}.{kind}.weight" for n in range(12) for kind in ("ffn_up", "attn_q")] + ["output.weight"]
    assert groups_of(names, 5) == [
        ("output.weight",),
        *(
            tuple(f"blk.{n}.{kind}.weight" for n in range(start, start + 6))
            for kind in ("attn_q", "ffn_up")
            for start in (0, 6)
        ),
    ]
    assert len(groups_of(names, 25)) == 25
    assert len(groups_of(names, 1)) == 3
    assert sorted(name for group in groups_of(names, 9) for name in group) == sorted(names)


def test_a_plan_is_read_back_and_what_is_none_is_refused(plan: TypePlan, tmp_path: Path) -> None:
    path = write_types(plan, tmp_path / "types.json")
    assert read_types(path) == plan
    path.write_text('{"types": {}}', encoding="utf-8")
    with pytest.raises(InputError, match="no plan of types"):
        read_types(path)
