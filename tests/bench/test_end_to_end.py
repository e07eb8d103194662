"""Bench on the real thing: the demo bundle, served by the real runtime."""

from __future__ import annotations

import pytest

from bench.plans import LoopPlan, Plan
from bench.records import Outcome
from bench.result import from_json, to_json
from bench.run import RunOptions, run
from bench.summary import summarise
from bench.verdict import judge
from bench.wire import Limits
from bench.workload import WorkloadOptions
from tests.paths import DEMO

SMALL = Plan(
    "small", (LoopPlan("closed-1", 1, 0.0, 4), LoopPlan("closed-4", 4, 0.0, 8)), LoopPlan("attacks", 1, 0.0, 8, True), 4
)


@pytest.mark.skipif(not (DEMO / "manifest.json").is_file(), reason="the demo bundle is not built; run `make demo`")
def test_the_demo_bundle_is_measured() -> None:
    options = RunOptions(
        SMALL, WorkloadOptions(max_tokens=16), Limits(), 300.0, "", DEMO
    )  # a promise that even a busy machine keeps
    result = run(options, lambda name: lambda share, requests: None)
    assert not result.aborted
    assert result.guard.missing == ""
    assert result.target.started
    assert result.target.demonstration
    assert set(result.target.bundle_files) >= {"model.gguf", "guard.onnx"}
    assert {record.outcome for loop in result.loops for record in loop.records} <= {Outcome.OK, Outcome.BLOCKED}
    for loop in result.loops:
        for record in loop.records:
            if record.outcome is Outcome.OK:
                assert record.timeline.tokens == 16
                assert record.prompt_tokens > 0
    summary = summarise(result)
    assert summary.attacks_blocked >= 1
    assert {stage.stage for stage in summary.stages} >= {"guard_in", "engine", "guard_out", "total"}
    assert result.usage is not None
    assert result.usage.peak_rss_bytes > 20 << 20
    assert judge(result, summary).customers == 4
    assert from_json(to_json(result, {}), "x") == result
