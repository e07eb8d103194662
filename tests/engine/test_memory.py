"""What the plan says before loading is what the process holds afterwards."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from runtime.engine.cgroup import cpu_quota, free_bytes
from runtime.engine.facts import ModelFacts, read_facts
from runtime.engine.memory import (
    AUTO_KV_BYTES,
    MIB,
    Demand,
    Room,
    auto_cells,
    estimate,
    machine_room,
    plan,
)
from runtime.errors import StartError
from tests.paths import DEMO, ROOT

#: What the header of a TinyLlama in Q4_K_M says.
TINYLLAMA = ModelFacts(
    file_bytes=667_800_000, width=2048, hidden=5632, kv_values=22 * 4 * 128, vocabulary=32_000, context_tokens=2048
)
DEMAND = Demand(cells=8192, sequences=128, step_tokens=128)
AMPLE = Room(resident_bytes=100 * MIB, free_bytes=16_000 * MIB)

#: Plans, loads as the engine does, uses every row, and prints what was planned and what the process then holds.
_MEASURE = """
import ctypes, json, sys
from pathlib import Path
import llama_cpp, psutil
from runtime.engine.facts import read_facts
from runtime.engine.library import start_library
from runtime.engine.memory import Demand, machine_room, plan
start_library()
cells, rows = int(sys.argv[2]), int(sys.argv[3])
facts = read_facts(Path(sys.argv[1]))
planned = plan(facts, Demand(cells, rows, rows), machine_room())
of_model = llama_cpp.llama_model_default_params()
of_model.load_mode = llama_cpp.LLAMA_LOAD_MODE_NONE
model = llama_cpp.llama_model_load_from_file(sys.argv[1].encode(), of_model)
params = llama_cpp.llama_context_default_params()
params.n_ctx, params.n_batch, params.n_ubatch, params.n_seq_max = cells, rows, rows, rows
params.kv_unified, params.n_threads, params.n_threads_batch = True, 2, 2
context = llama_cpp.llama_init_from_model(model, params)
batch = llama_cpp.llama_batch_init(rows, 0, 1)
for _ in range(3):
    batch.n_tokens = rows
    for i in range(rows):
        batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.logits[i] = 5, _, 1, 1
        batch.seq_id[i][0] = i
    assert llama_cpp.llama_decode(context, batch) == 0
print(json.dumps({"planned": planned.total_bytes, "held": psutil.Process().memory_info().rss}))
"""


def measure(model: Path, cells: int, rows: int) -> tuple[int, int]:
    """Bytes planned, and bytes then held by a fresh process."""
    command = [sys.executable, "-c", _MEASURE, str(model), str(cells), str(rows)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    figures = json.loads(done.stdout)
    return figures["planned"], figures["held"]


@pytest.mark.parametrize(("cells", "rows"), [(2048, 16), (8192, 128), (32768, 64)])
def test_a_process_holds_what_was_planned(cells: int, rows: int) -> None:
    planned, held = measure(DEMO / "model.gguf", cells, rows)
    assert 0.95 * held <= planned <= 1.15 * held


def test_sizes_are_those_that_libllama_logs() -> None:
    made = estimate(TINYLLAMA, DEMAND, AMPLE)
    assert made.kv_bytes == 176 * MIB
    assert made.compute_bytes / MIB == pytest.approx(15.62 + 17.63, abs=0.02)
    few = estimate(TINYLLAMA, Demand(8192, 16, 64), AMPLE)
    assert few.compute_bytes / MIB == pytest.approx(1.95 + 8.81, abs=0.02)
    wide = estimate(TINYLLAMA, Demand(65536, 64, 512), AMPLE)
    assert wide.compute_bytes / MIB == pytest.approx(7.81 + 113.01, abs=0.1)


def test_cells_are_whole_blocks() -> None:
    assert estimate(TINYLLAMA, Demand(1000, 1, 1), AMPLE).cells == 1024
    assert estimate(TINYLLAMA, Demand(1024, 1, 1), AMPLE).cells == 1024


def test_what_does_not_fit_is_refused_with_numbers_and_a_remedy_that_works() -> None:
    room = Room(resident_bytes=100 * MIB, free_bytes=900 * MIB)
    with pytest.raises(StartError) as refused:
        plan(TINYLLAMA, DEMAND, room)
    text = str(refused.value)
    assert "8,192 cells" in text
    assert "1,000 MiB are available" in text
    fewer = int(text.split("take at most ")[1].split(" cells")[0].replace(",", ""))
    assert plan(TINYLLAMA, Demand(fewer, 128, 128), room).fits
    with pytest.raises(StartError):
        plan(TINYLLAMA, Demand(fewer + 256, 128, 128), room)


def test_a_model_that_is_too_large_is_not_helped_by_fewer_cells() -> None:
    with pytest.raises(StartError, match="no number of cells would do"):
        plan(TINYLLAMA, DEMAND, Room(50 * MIB, 400 * MIB))


def test_spilled_prefixes_count() -> None:
    room = Room(100 * MIB, 1100 * MIB)
    assert plan(TINYLLAMA, DEMAND, room).fits
    with pytest.raises(StartError, match="200 MiB for spilled prefixes"):
        plan(TINYLLAMA, Demand(8192, 128, 128, blob_ram_bytes=200 * MIB), room)


def test_auto_takes_four_contexts_where_they_are_cheap() -> None:
    facts = read_facts(DEMO / "model.gguf")
    assert auto_cells(facts, Demand(2048, 128, 128), AMPLE) == 8192


def test_auto_keeps_to_its_budget() -> None:
    cells = auto_cells(TINYLLAMA, Demand(2048, 128, 128), AMPLE)
    assert cells * TINYLLAMA.cell_bytes <= AUTO_KV_BYTES < (cells + 256) * TINYLLAMA.cell_bytes


def test_auto_takes_less_on_a_small_box_but_never_less_than_a_context_and_a_quarter() -> None:
    ample = auto_cells(TINYLLAMA, Demand(2048, 128, 128), AMPLE)
    small = auto_cells(TINYLLAMA, Demand(2048, 128, 128), Room(100 * MIB, 920 * MIB))
    none = auto_cells(TINYLLAMA, Demand(2048, 128, 128), Room(100 * MIB, 100 * MIB))
    assert 2560 < small < ample
    assert none == 2560
    assert plan(TINYLLAMA, Demand(small, 128, 128), Room(100 * MIB, 920 * MIB)).fits


def test_this_machine_has_some_room() -> None:
    room = machine_room()
    assert room.resident_bytes > 10 * MIB
    assert room.free_bytes > 0


def group(tmp_path: Path, files: dict[str, str]) -> tuple[Path, Path]:
    """A cgroup v2 tree as the kernel shows it: its mount, and the file that names our group, ``/box/app``."""
    (tmp_path / "box" / "app").mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / name).write_text(text + "\n")
    own = tmp_path / "own"
    own.write_text("3:cpu:/elsewhere\n0::/box/app\n")
    return tmp_path, own


def test_a_containers_memory_limit_counts_with_what_can_be_dropped(tmp_path: Path) -> None:
    files = {"memory.max": "1000", "memory.current": "700", "memory.stat": "anon 500\ninactive_file 150"}
    mount, own = group(tmp_path, {f"box/app/{name}": text for name, text in files.items()})
    assert free_bytes(mount, own) == 450


def test_the_tightest_group_above_counts(tmp_path: Path) -> None:
    mount, own = group(
        tmp_path,
        {
            "box/app/memory.max": "max",
            "box/app/memory.current": "10",
            "box/memory.max": "100",
            "box/memory.current": "90",
            "box/app/cpu.max": "max 100000",
            "box/cpu.max": "250000 100000",
        },
    )
    assert free_bytes(mount, own) == 10
    assert cpu_quota(mount, own) == 2


def test_without_limits_there_are_none(tmp_path: Path) -> None:
    mount, own = group(tmp_path, {"box/app/memory.max": "max", "box/app/cpu.max": "max 100000"})
    assert free_bytes(mount, own) is None
    assert cpu_quota(mount, own) is None
    assert free_bytes(tmp_path / "none", tmp_path / "none") is None


def test_a_quota_below_one_cpu_still_leaves_one(tmp_path: Path) -> None:
    mount, own = group(tmp_path, {"box/app/cpu.max": "50000 100000"})
    assert cpu_quota(mount, own) == 1
