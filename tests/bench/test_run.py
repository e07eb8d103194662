"""Whole runs and the command line, against small real servers."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from bench.__main__ import main
from bench.errors import ProtocolError, UsageError
from bench.loop import Observe
from bench.plans import LoopPlan, Plan
from bench.result import Result, from_json, to_json
from bench.run import RunOptions, run
from bench.summary import summarise
from bench.wire import Limits
from bench.workload import WorkloadOptions
from tests.bench.samples import simulated
from tests.bench.targets import HEAD, Behaviour, Exchange, ending, reply, streams, target

TINY = Plan(
    "tiny", (LoopPlan("closed-1", 1, 0.0, 4), LoopPlan("closed-2", 2, 0.0, 16)), LoopPlan("attacks", 1, 0.0, 8, True), 3
)
STAGES = {"guard_in": 5.0, "engine": 50.0, "guard_out": 2.0, "total": 57.0}


def options(url: str) -> RunOptions:
    return RunOptions(TINY, WorkloadOptions(max_tokens=3), Limits(2.0, 1.0, 2.0), 2.0, url, None, pid=os.getpid())


def silent_stage(name: str) -> Observe:
    return lambda share, requests: None


def desk(exchange: Exchange) -> None:
    """A server with ``/api/query`` that blocks what asks it to ignore or forget."""
    if exchange.path == "/api/query":
        answer = {
            "answer": "x",
            "timing_ms": STAGES,
            "cached": False,
            "sources": ["model:m"],
            "guard": {"action": "allow"},
        }
        exchange.send(reply("200 OK", answer))
    elif "gnore" in str(exchange.body["messages"]) or "Forget" in str(exchange.body["messages"]):
        exchange.send(HEAD)
        exchange.piece("No.")
        exchange.send(ending(0, "content_filter"))
    else:
        streams(3)(exchange)


def measured(behaviour: Behaviour) -> Result:
    with target(behaviour) as server:
        return run(options(str(server.address)), silent_stage)


def test_a_whole_run() -> None:
    result = measured(desk)
    assert [loop.plan.chats for loop in result.loops] == [1, 2]
    assert result.target.model == "test-model"
    assert (result.target.is_local, result.target.started, result.target.bundle_files) == (True, False, {})
    assert result.first_ttft_ms > 0.0
    assert result.usage is not None
    assert all(loop.cpu_s is not None for loop in result.loops)
    assert [query.stages_ms for query in result.guard.queries] == [STAGES] * 3
    summary = summarise(result)
    assert (summary.attacks, summary.attacks_blocked) == (8, 2)
    assert not result.aborted
    assert from_json(to_json(result, {}), "x") == result


def test_a_server_that_is_not_ours_has_no_stages() -> None:
    def behave(exchange: Exchange) -> None:
        if exchange.path == "/api/query":
            exchange.send(reply("404 Not Found", {}))
        else:
            streams(3)(exchange)

    result = measured(behave)
    assert result.guard.queries == ()
    assert "not this project's server" in result.guard.missing


def test_a_server_that_dies_midway_leaves_a_report() -> None:
    def behave(exchange: Exchange) -> None:
        if exchange.number < 7:
            streams(3)(exchange)

    result = measured(behave)
    assert "closed-2: 3 failures in a row" in result.aborted
    assert [loop.plan.chats for loop in result.loops] == [1, 2]
    assert result.attacks is None
    assert summarise(result).loops[0].answered == 4


def test_what_cannot_be_measured_is_refused_at_once() -> None:
    with pytest.raises(ProtocolError, match="not JSON"):
        measured(lambda exchange: exchange.send(HEAD + b"data: garbage\n\n"))
    with pytest.raises(UsageError, match="neither a URL nor a bundle"):
        run(options(""), silent_stage)
    with pytest.raises(UsageError, match="no such bundle folder"):
        run(replace(options(""), bundle=Path("/nowhere")), silent_stage)


def dead_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--url", f"http://127.0.0.1:{dead_port()}"], 2, "is the server running"),
        (["--url", "nonsense"], 2, "expected something like"),
        (["run", "--bundle", "/nowhere"], 2, "no such bundle folder"),
        (["run", "--out", "/dev/null/x.json"], 2, "cannot be made"),
        (["report"], 2, "nothing to report"),
        (["report", "/nowhere.json"], 2, "cannot be read"),
        (["compare", "/nowhere.json", "/nowhere.json"], 2, "cannot be read"),
    ],
)
def test_bad_input(arguments: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == code
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["--slo-ttft", "0"], ["--max-tokens", "1"], ["compare", "a", "b", "--fail-over", "x"]]
)
def test_bad_options(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "expected" in capsys.readouterr().err


def garbage(exchange: Exchange) -> None:
    exchange.send(HEAD + b"\xff\xfe\n\n" * 3)


def trickle(exchange: Exchange) -> None:
    while True:
        exchange.send(b"H")


@pytest.mark.parametrize(("behaviour", "says"), [(garbage, "no end mark"), (trickle, "127.0.0.1")])
def test_a_target_that_talks_nonsense(behaviour: Behaviour, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    with target(behaviour) as server:
        assert main(["--url", str(server.address), "--timeout", "0.5"]) == 1
    assert says in capsys.readouterr().err


def test_run_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("bench.commands.run.FULL", TINY)
    out = tmp_path / "new" / "x.json"
    with target(desk) as server:
        url = str(server.address)
        assert main(["--url", url, "--json", "--out", str(out)]) == 0
        assert json.loads(capsys.readouterr().out)["summary"]["verdict"]["customers"] == 2
        assert from_json(out.read_text(), "x").traffic.plan == "tiny"
        assert main(["--url", url, "--customers", "3"]) == 1
        assert "Serves 2 customers at once" in capsys.readouterr().out
        assert main(["run", "--url", url, "--slo-ttft", "0.001"]) == 1
        assert "Does not serve even one" in capsys.readouterr().out


def test_run_command_on_a_server_that_dies(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("bench.commands.run.FULL", TINY)
    with target(lambda exchange: streams(3)(exchange) if exchange.number < 7 else None) as server:
        assert main(["--url", str(server.address)]) == 1
    assert "The run ended early: closed-2: 3 failures in a row" in " ".join(capsys.readouterr().out.split())


def test_report_and_compare_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = tmp_path / "a.json", tmp_path / "b.json"
    before.write_text(to_json(simulated(1), {}))
    after.write_text(to_json(simulated(2, slowdown=1.3), {}))
    assert main(["report", str(before)]) == 0
    assert "Serves 4 customers" in capsys.readouterr().out
    assert main(["report", str(before), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["summary"]["verdict"]["customers"] == 4
    assert main(["compare", str(before), str(after)]) == 1
    assert main(["compare", str(after), str(before)]) == 0
    assert main(["compare", str(before), str(after), "--fail-over", "50%", "--json"]) == 0
    out = capsys.readouterr().out
    assert json.loads(out[out.rindex('{"fail_over"') :])["is_worse"] is False


def test_help_names_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["--help"], ["run", "--help"], ["compare", "--help"], ["report", "--help"]):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 0
        assert "exit codes:" in capsys.readouterr().out
