"""Nothing that a fuzzer writes makes the guards fall over: a short run always, a million cases in the slow suite."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.guards.fuzz import TARGETS
from tests.paths import ROOT

#: A million cases in all.
MANY = {"views": 450_000, "pii": 350_000, "stream": 200_000}


def run(target: str, runs: int) -> None:
    command = [sys.executable, "-m", "tests.guards.fuzz", target, "--runs", str(runs)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_some_cases(target: str) -> None:
    run(target, 2_000)


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("target", sorted(TARGETS))
def test_a_million_cases(target: str) -> None:
    run(target, MANY[target])
