"""Killed at any moment, a build goes on from there; nothing half-written is taken for whole; the bytes are the same."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest

from convert.__main__ import main
from models.bundle import open_bundle, sha256_of
from tests.convert.build.stages import STAGES
from tests.convert.building import Build, Configure
from tests.paths import ROOT

CHILD = "convert.quantization.child"


def start(build: Build) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "convert", "run", str(build.config)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def kill(child: subprocess.Popen[str]) -> None:
    child.send_signal(signal.SIGKILL)
    child.communicate()


def quantiser(run: subprocess.Popen[str]) -> psutil.Process:
    """The quantising child, as soon as it is there."""
    while run.poll() is None:
        for child in psutil.Process(run.pid).children():
            if CHILD in child.cmdline():
                return child
        time.sleep(0.002)
    raise AssertionError("the run ended without a quantising child")


def whole_files(build: Build) -> dict[str, str]:
    """sha256 of everything that stands under a name of its own, work folder and bundle; not what is being written."""
    found = {}
    for folder in (build.work, build.out):
        for path in folder.rglob("*") if folder.exists() else ():
            partial = any(part.endswith(".partial") for part in path.parts)
            if path.is_file() and not partial and path.name != ".lock":
                found[str(path.relative_to(build.config.parent))] = sha256_of(path)
    return found


def test_killed_after_a_stage_it_goes_on_from_there(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    build, straight = configure("killed"), configure("straight")
    child = start(build)
    record = build.work / "quantize.record.json"
    while not record.is_file() and child.poll() is None:
        time.sleep(0.005)
    kill(child)
    assert not build.out.exists()
    assert build.run(capsys)["skipped"][:4] == STAGES[:4]
    straight.run(capsys)
    assert build.bytes() == straight.bytes()


def test_killed_while_calibrating_it_does_that_again(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    build, straight = configure("killed"), configure("straight")
    child = start(build)
    while not (build.work / "gguf.record.json").is_file() and child.poll() is None:
        time.sleep(0.005)
    kill(child)
    assert not (build.work / "imatrix.record.json").exists()
    assert build.run(capsys)["done"] == STAGES[2:]
    straight.run(capsys)
    assert build.bytes() == straight.bytes()


def test_a_killed_quantiser_is_told_and_the_next_run_does_it_again(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    build = configure()
    run = start(build)
    quantiser(run).kill()
    _, said = run.communicate()
    assert run.returncode == 1
    assert "quantising failed with exit code -9" in said
    assert not (build.work / "model.gguf").exists()
    assert not list(build.config.parent.rglob("*.partial"))
    assert build.run(capsys)["done"] == ["quantize", "check", "pack"]


def test_an_orphaned_quantiser_dies_with_its_parent(configure: Configure, capsys: pytest.CaptureFixture[str]) -> None:
    build = configure()
    run = start(build)
    child = quantiser(run)
    kill(run)
    psutil.wait_procs([child], timeout=10)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert not (build.work / "model.gguf").exists()
    assert build.run(capsys)["done"] == ["quantize", "check", "pack"]
    assert not list(build.config.parent.rglob("*.partial"))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_killed_at_twenty_random_moments_it_ends_in_the_same_bytes(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every other kill meets what the ones before it left behind; the others meet a build from scratch."""
    straight, timed = configure("straight"), configure("timed")
    straight.run(capsys)
    expected = whole_files(straight)
    begun = time.monotonic()
    assert start(timed).wait() == 0
    whole_s = time.monotonic() - begun
    rng = random.Random(5)
    stopped_in: list[str] = []
    build = configure("killed-0")
    for number in range(20):
        if number and number % 2 == 0:
            build = configure(f"killed-{number // 2}")
        child = start(build)
        time.sleep(rng.uniform(0.05, 1.0) * whole_s)
        kill(child)
        time.sleep(0.2)  # the kernel's time to end an orphan
        found = whole_files(build)
        assert {name: expected[name] for name in found} == found
        if build.out.exists():
            open_bundle(build.out)
        stopped_in.append(",".join(stage for stage in STAGES if f"work/{stage}.record.json" in found) or "nothing")
        if number % 2:
            build.run(capsys)
            assert build.bytes() == straight.bytes()
            assert whole_files(build) == expected
            assert not list(build.config.parent.rglob("*.partial"))
    assert len(set(stopped_in)) >= 3, stopped_in  # the schedule met several stages


def test_a_work_folder_in_use_is_refused_and_free_again_when_its_process_is_killed(
    configure: Configure, capsys: pytest.CaptureFixture[str]
) -> None:
    build = configure()
    code = (
        "import sys, time; from pathlib import Path; from convert.build.stages import Workshop\n"
        "with Workshop(Path(sys.argv[1])).locked(): print('held', flush=True); time.sleep(600)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(build.work)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert main(["run", str(build.config)]) == 2
    assert "another run is at work in it" in capsys.readouterr().err
    kill(holder)
    assert build.run(capsys)["done"] == STAGES
