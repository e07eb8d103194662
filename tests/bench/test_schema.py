"""The schema of results: one for everybody, made from the dataclasses, and what is wrong is named by its path."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from bench.errors import ResultFileError
from bench.result import SCHEMA, Result, to_json
from bench.schema import DIALECT, Schema, schema_of
from tests.bench.samples import loop, record, result, simulated

WHOLE = schema_of(Result, "schema_version", SCHEMA)
CHECKED = Schema(WHOLE, "measure again")


def document() -> Any:
    return json.loads(to_json(result([loop(1, [record(0, 100.0), record(1, 120.5)])]), {"loops": []}))


def test_the_schema_is_a_schema_of_its_draft_and_closed_to_unknown_fields() -> None:
    Draft202012Validator.check_schema(WHOLE)
    assert WHOLE["$schema"] == DIALECT
    objects = [WHOLE, *(found for found in WHOLE["$defs"].values() if "properties" in found)]
    assert len(objects) > 10
    assert all(found["additionalProperties"] is False for found in objects)


def test_every_object_says_what_it_is() -> None:
    for name, found in WHOLE["$defs"].items():
        assert found.get("description"), name


@pytest.mark.parametrize("measured", [result([]), result([], attacks=None, usage=None, aborted="x"), simulated(1)])
def test_what_bench_writes_holds_to_the_schema(measured: Result) -> None:
    CHECKED.check(json.loads(to_json(measured, {"note": 1})), "x")


def spoil_token(raw: Any) -> None:
    raw["loops"][0]["records"][1]["timeline"]["arrivals_ms"][2] = "soon"


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (spoil_token, '$.loops[0].records[1].timeline.arrivals_ms[2] is "soon"; expected a number'),
        (lambda raw: raw["loops"][0]["plan"].pop("chats"), "$.loops[0].plan.chats is missing; expected a whole number"),
        (lambda raw: raw["machine"].update(colour="red"), '$.machine.colour is "red"; expected no field of that name'),
        (lambda raw: raw["machine"].update(cores=1.5), "$.machine.cores is 1.5; expected a whole number"),
        (lambda raw: raw.update(schema_version=0), f"$.schema_version is 0; expected {SCHEMA}"),
        (lambda raw: raw["target"].update(ready_s="1"), '$.target.ready_s is "1"; expected a number or null'),
        (lambda raw: raw.update(summary=[]), "$.summary is []; expected an object"),
        (lambda raw: raw.update(loops={}), "$.loops is {}; expected a list"),
    ],
)
def test_path_value_and_expectation_are_named(spoil: Callable[[Any], object], says: str) -> None:
    raw = document()
    spoil(raw)
    with pytest.raises(ResultFileError) as caught:
        CHECKED.check(raw, "that.json")
    assert str(caught.value) == f"that.json: {says}; measure again"


def test_a_long_value_is_cut() -> None:
    raw = document()
    raw["machine"] = "x" * 5000
    with pytest.raises(ResultFileError) as caught:
        CHECKED.check(raw, "that.json")
    assert len(str(caught.value)) < 300
