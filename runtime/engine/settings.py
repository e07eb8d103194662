"""How the local engine runs: what an operator may choose, and what it chooses by itself, with the reasons."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import llama_cpp

from models.bundle import sha256_of
from runtime.engine.blobs.store import BlobOptions
from runtime.engine.cores import physical_cores, spin_note, threads_note
from runtime.engine.facts import read_facts
from runtime.engine.llama import BATCH_ROWS, SEQUENCES
from runtime.engine.memory import Demand, auto_cells, machine_room, plan
from runtime.errors import StartError


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """What an operator may choose.

    Attributes:
        context_tokens: prompt and answer together, at most.
        threads: compute threads; 0 takes the physical cores.
        cells: KV cells for all running answers and kept prefixes; 0 chooses by the memory there is.
        parallel: answers computed at once; the others wait.
        queue_capacity: requests that may wait; one more is refused.
        step_s: largest inter-token gap of running answers while prompts are computed, in seconds.
        blobs: where prefixes go for which there are no cells.
        identity: of the model file, such as its sha256; empty computes that. Blobs of other models are deleted.
        adapters: LoRA adapters by name.
        drafting: guess tokens out of answers that were given before, where that pays.
    """

    context_tokens: int = 2048
    threads: int = 0
    cells: int = 0
    parallel: int = 16
    queue_capacity: int = 64
    step_s: float = 0.5
    blobs: BlobOptions = field(default_factory=BlobOptions)
    identity: str = ""
    adapters: Mapping[str, Path] = field(default_factory=dict)
    drafting: bool = True


@dataclass(frozen=True, slots=True)
class Settings:
    """What was chosen.

    Attributes:
        threads: compute threads.
        cells: KV cells.
        stamp: what a KV state depends on besides its tokens and adapter.
        adapters: of each adapter by name, what a KV state depends on; the bare model's is empty.
        notes: the reasons, for ``/health``.
    """

    threads: int
    cells: int
    stamp: str
    adapters: Mapping[str, str]
    notes: tuple[str, ...]


def choose(model: Path, options: LocalOptions) -> Settings:
    """Choose what the operator left open, and plan the memory before anything is loaded.

    Raises:
        StartError: the file is no model, what was chosen makes no sense, or the memory does not suffice.
    """
    if not 1 <= options.parallel <= SEQUENCES // 2:
        raise StartError(f"--parallel {options.parallel}; expected 1 to {SEQUENCES // 2}")
    processors = os.cpu_count() or 1
    if not 0 <= options.threads <= processors:
        raise StartError(
            f"--threads {options.threads}; expected 1 to {processors}, the processors of this machine, "
            "or 0 for the physical cores"
        )
    if options.cells and options.cells < options.context_tokens:
        raise StartError(
            f"--cells {options.cells}; expected at least one context, {options.context_tokens}, or 0 to choose"
        )
    facts, room = read_facts(model), machine_room()
    demand = Demand(options.context_tokens, SEQUENCES, BATCH_ROWS, options.blobs.ram_bytes)
    cells = options.cells or auto_cells(facts, demand, room)
    planned = plan(facts, replace(demand, cells=cells), room)
    chosen = "as configured" if options.cells else "as many as a share of the memory allows, for several chats"
    return Settings(
        threads=options.threads or physical_cores(),
        cells=planned.cells,
        stamp=f"{options.identity or sha256_of(model)} f16 llama-cpp-python {llama_cpp.__version__}",
        adapters={"": "", **{name: f"{name} {sha256_of(path)}" for name, path in options.adapters.items()}},
        notes=(
            threads_note(options.threads),
            spin_note(os.environ),
            planned.note,
            f"{planned.cells:,} KV cells: {chosen}",
            "model in private memory, not mapped: repacked weights beside a mapped file would count twice",
        ),
    )
