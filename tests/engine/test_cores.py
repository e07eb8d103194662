"""The engine takes whole cores, and its threads do not hold one just to wait."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil
import pytest

from runtime.engine.cores import SPINS, physical_cores, quiet_openmp, spin_note, threads_note, usable_cores
from tests.paths import DEMO, ROOT


def pairs(cpu: int) -> str:
    """CPUs 0 and 1 share a core, 2 and 3 the next."""
    return f"{cpu // 2 * 2}-{cpu // 2 * 2 + 1}"


def unknown(_cpu: int) -> str:
    return ""


@pytest.mark.parametrize(
    ("allowed", "physical", "quota", "expected"),
    [
        (range(8), 4, None, 4),
        ({0, 1}, 4, None, 1),
        ({0, 2}, 4, None, 2),
        (range(8), 4, 3, 3),
        (range(8), None, None, 4),
        ({5}, 4, 2, 1),
    ],
)
def test_cores_are_the_tightest_of_hyper_threads_affinity_and_quota(
    allowed: set[int], physical: int | None, quota: int | None, expected: int
) -> None:
    assert usable_cores(allowed, pairs, physical, quota) == expected


def test_where_nobody_knows_the_siblings_the_machines_cores_count() -> None:
    assert usable_cores(range(8), unknown, 4, None) == 4
    assert usable_cores(range(8), unknown, None, None) == 8


def test_there_is_always_one_core() -> None:
    assert usable_cores((), unknown, None, None) == 1


def test_this_machine_has_no_more_cores_than_cpus() -> None:
    assert 1 <= physical_cores() <= (psutil.cpu_count() or 1)


@pytest.mark.skipif(sys.platform != "linux", reason="CPU affinity")
def test_affinity_of_this_process_is_respected() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert physical_cores() == 1
    finally:
        os.sched_setaffinity(0, before)


def test_an_operators_choice_of_waiting_is_kept() -> None:
    for chosen in ({"OMP_WAIT_POLICY": "active"}, {"GOMP_SPINCOUNT": "7"}):
        environ = dict(chosen)
        quiet_openmp(environ)
        assert environ == chosen
        assert "as configured" in spin_note(environ)


def test_without_a_choice_threads_spin_only_shortly() -> None:
    environ = {"PATH": "/bin"}
    quiet_openmp(environ)
    assert environ == {"PATH": "/bin", "GOMP_SPINCOUNT": str(SPINS)}
    assert "soon leaves its core" in spin_note(environ)
    assert "keep their cores" in spin_note({})


def test_health_says_where_the_threads_come_from() -> None:
    assert "as configured" in threads_note(3)
    assert threads_note(3).startswith("3 ")
    assert threads_note(0).startswith(f"{physical_cores()} ")


_WAITING = """
import os, sys, time
from runtime.engine.cores import quiet_openmp
quiet_openmp(os.environ)
import llama_cpp
params = llama_cpp.llama_model_default_params()
model = llama_cpp.llama_model_load_from_file(sys.argv[1].encode(), params)
options = llama_cpp.llama_context_default_params()
options.n_ctx, options.n_threads, options.n_threads_batch = 256, 2, 2
context = llama_cpp.llama_init_from_model(model, options)
batch = llama_cpp.llama_batch_get_one((llama_cpp.llama_token * 1)(5), 1)
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
assert llama_cpp.llama_decode(context, batch) == 0
started = time.perf_counter()
for _ in range(2):
    assert llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one((llama_cpp.llama_token * 1)(5), 1)) == 0
print(time.perf_counter() - started)
"""


def seconds_of_two_steps(**chosen: str) -> float:
    """Of two threads on one core, in a fresh process: each step shows what waiting threads take from working ones."""
    command = [sys.executable, "-c", _WAITING, str(DEMO / "model.gguf")]
    done = subprocess.run(
        command, cwd=ROOT, env=unset() | chosen, capture_output=True, text=True, timeout=60, check=True
    )
    return float(done.stdout)


def unset() -> dict[str, str]:
    """The environment without any setting of how threads wait."""
    return {name: text for name, text in os.environ.items() if name not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}


@pytest.mark.skipif(sys.platform != "linux", reason="libgomp and CPU affinity")
def test_a_waiting_thread_leaves_its_core_to_one_that_works() -> None:
    assert seconds_of_two_steps() * 2 < seconds_of_two_steps(GOMP_SPINCOUNT="300000")  # libgomp's own default


_ORDER = """
import importlib, os, sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "llama_cpp":
            print(os.environ.get("GOMP_SPINCOUNT"))
sys.meta_path.insert(0, Watch())
importlib.import_module(sys.argv[1])
"""


@pytest.mark.parametrize("module", ["runtime.__main__", "runtime.engine.local", "runtime.engine.memory"])
def test_whichever_module_comes_first_libgomp_finds_its_setting(module: str) -> None:
    command = [sys.executable, "-c", _ORDER, module]
    done = subprocess.run(command, cwd=ROOT, env=unset(), capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.split() == [str(SPINS)]
