"""The commands quality, soak and plan as they are typed: exit codes, JSON, and what is refused."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pytest

from bench.commands.quality import COMMANDS
from bench.errors import UsageError
from bench.process import serve_command
from bench.result import to_json
from tests.bench.targets import reply, target
from tests.bench.test_planning import measured


def typed(name: str, *words: str) -> int:
    """Carry out a command with its options; the exit code."""
    command = COMMANDS[name]
    parser = argparse.ArgumentParser()
    command.options(parser)
    return command.handler(parser.parse_args(list(words)))


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    """A result of a box that serves about seven answers a second."""
    path = tmp_path / "box.json"
    path.write_text(to_json(measured(), {}), encoding="utf-8")
    return path


def test_a_plan_that_keeps_the_promise_is_good_and_one_that_breaks_it_is_not(
    stored: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rate = ("--customers-per-minute", "120", "--slo-ttft", "0.5")
    assert typed("plan", str(stored), *rate, "--boxes", "4", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["site"]["keeps"] is True
    assert found["needed"] <= 4
    assert {"predicted", "measured", "error"} <= set(found["checks"][0])
    assert typed("plan", str(stored), *rate, "--boxes", "4") == 0
    assert "predicted" in capsys.readouterr().out
    assert typed("plan", str(stored), "--customers-per-minute", "100000", "--json") == 1
    assert json.loads(capsys.readouterr().out)["site"]["waiting"]["ttft_s"] is None  # without end


def test_a_leak_ends_with_exit_code_1_and_the_journal_says_so_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = tmp_path / "soak.jsonl"
    with serve_command([sys.executable, "-m", "tests.bench.leaky", "memory"], ready_s=60.0) as server:
        words = ("--url", str(server.address), "--pid", str(server.pid), "--minutes", "0.05", "--think", "0.02")
        assert typed("soak", *words, "--out", str(journal)) == 1
    assert "memory, MB" in capsys.readouterr().out
    assert typed("soak", "--report", str(journal), "--json") == 1
    assert json.loads(capsys.readouterr().out)["is_good"] is False
    with pytest.raises(UsageError, match="exists already"), target(lambda e: e.send(reply("200 OK", {}))) as other:
        typed("soak", "--url", str(other.address), "--minutes", "1", "--out", str(journal))


def test_what_cannot_be_measured_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        typed("quality", "--texts", str(tmp_path / "none.jsonl"))
    with pytest.raises(UsageError, match="manifest"):
        typed("quality", "--bundle", str(tmp_path))
    for words in ((), ("--hours", "1", "--minutes", "2"), ("--hours", "0")):
        with pytest.raises(SystemExit):
            typed("soak", *words)
    with pytest.raises(SystemExit):
        typed("plan", "x.json")
    capsys.readouterr()
