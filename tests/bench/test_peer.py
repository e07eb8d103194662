"""The same command measures llama.cpp's own server, and a comparison sets it beside this project's."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.compare import compare
from bench.plans import LoopPlan, Plan
from bench.records import Outcome
from bench.result import read_result, to_json
from bench.run import RunOptions, run
from bench.summary import summarise
from bench.wire import Limits
from bench.workload import WorkloadOptions
from tests.engine.remote.upstreams import KEY, LLAMA_SERVER, llama_server
from tests.paths import DEMO

SMALL = Plan("small", (LoopPlan("closed-1", 1, 0.0, 12),), LoopPlan("attacks", 1, 0.0, 4, True), 2)


def measured(path: Path, url: str) -> Path:
    """The result of a small run, written and checked as a file; an empty URL starts the demo bundle."""
    options = RunOptions(
        SMALL, WorkloadOptions(max_tokens=16), Limits(), 300.0, url, None if url else DEMO, api_key=KEY if url else ""
    )
    result = run(options, lambda name: lambda share, requests: None)
    path.write_text(to_json(result, {}), encoding="utf-8")
    return path


@pytest.mark.skipif(not LLAMA_SERVER, reason="TELLERBOX_LLAMA_SERVER names no binary")
@pytest.mark.skipif(not (DEMO / "manifest.json").is_file(), reason="the demo bundle is not built; run `make demo`")
def test_llama_server_is_measured_and_compared_with_ours(tmp_path: Path) -> None:
    with llama_server(tmp_path / "log") as url:
        peer = read_result(measured(tmp_path / "peer.json", url))
    ours = read_result(measured(tmp_path / "ours.json", ""))
    assert not peer.aborted
    assert {record.outcome for record in peer.loops[0].records} == {Outcome.OK}
    assert all(record.timeline.tokens == 16 for record in peer.loops[0].records)
    assert peer.guard.missing != ""  # it has no /api/query, and the result says so
    assert summarise(peer).loops[0].answered == 12
    comparison = compare(peer, ours, 0.05)
    assert all(change.is_paired for change in comparison.changes)
    assert {change.figure for change in comparison.changes} >= {"TTFT p50", "E2E p50", "time per token, all chats"}
    assert any("another OpenAI-compatible server" in note for note in comparison.notes)
