"""Memory is planned before a model is loaded: what it will take, whether that fits, and how many cells to take.

The sizes are libllama's own arithmetic, read in llama.cpp/src/llama-kv-cache.cpp and llama-context.cpp and checked
against the buffer sizes that it logs, for f16 keys and values, flash attention and weights in private memory:

- cells: layers x KV heads x (key length + value length) x 2 bytes each; 22.5 KB a token for TinyLlama;
- logits that are handed out: one row of the vocabulary in f32 for every sequence, whether it is used or not;
- one step's activations: the larger of the output layer's and of a feed-forward block's beside the attention mask, for
  every token of a step and at least for one token of every sequence.

So sequences are not free: 128 of them over a vocabulary of 32,000 take 15.6 MiB of logits and 17.6 MiB of activations,
16 with steps of 64 tokens take 2 + 8.8 MiB. Cells cost their memory from the start: libllama writes zeros to them.
"""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from runtime.engine.cgroup import free_bytes
from runtime.engine.facts import ModelFacts
from runtime.errors import StartError

MIB = 2**20

#: libllama rounds the cells up to whole blocks of this many.
CELL_BLOCK = 256
#: What the vocabulary's tables take beside the file's own bytes, measured: 380 bytes a token.
_TOKEN_BYTES = 380
#: Threads' stacks, the kernels' scratch memory, the interpreter's own growth: measured 6 to 9 MiB.
_WORKING_BYTES = 8 * MIB
#: What stays free: the larger of this and a twentieth of what is available.
_RESERVE_BYTES = 64 * MIB
#: KV memory that is taken without being asked for, and the share of the available memory it may reach.
AUTO_KV_BYTES = 128 * MIB
AUTO_KV_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Demand:
    """What the engine asks for.

    Attributes:
        cells: KV cells, one a token.
        sequences: libllama's ``n_seq_max``.
        step_tokens: computed in one call at most, ``n_ubatch``.
        blob_ram_bytes: for prefixes that were spilled to memory, at most.
    """

    cells: int
    sequences: int
    step_tokens: int
    blob_ram_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Room:
    """What the machine has.

    Attributes:
        resident_bytes: held by this process already.
        free_bytes: that it may take besides.
    """

    resident_bytes: int
    free_bytes: int


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """What the process will hold once the engine runs with every cell in use.

    Attributes:
        weights_bytes: the model's weights and vocabulary.
        kv_bytes: the cells.
        compute_bytes: one step's activations and the logits handed out.
        blob_ram_bytes: prefixes spilled to memory, at most.
        base_bytes: the process as it is before, and its working memory.
        available_bytes: what the process may hold, the part it holds already included.
        cells: how many they are.
    """

    weights_bytes: int
    kv_bytes: int
    compute_bytes: int
    blob_ram_bytes: int
    base_bytes: int
    available_bytes: int
    cells: int

    @property
    def total_bytes(self) -> int:
        """All of it together."""
        return self.weights_bytes + self.kv_bytes + self.compute_bytes + self.blob_ram_bytes + self.base_bytes

    @property
    def reserve_bytes(self) -> int:
        """What has to stay free, so that the box does not begin to swap."""
        return max(_RESERVE_BYTES, self.available_bytes // 20)

    @property
    def fits(self) -> bool:
        """Whether everything fits and the reserve stays free."""
        return self.total_bytes + self.reserve_bytes <= self.available_bytes

    @property
    def breakdown(self) -> str:
        """The sum as an operator reads it."""
        spilled = f" + {_mib(self.blob_ram_bytes)} for spilled prefixes" if self.blob_ram_bytes else ""
        return (
            f"{_mib(self.weights_bytes)} for the model + {_mib(self.kv_bytes)} for {self.cells:,} cells + "
            f"{_mib(self.compute_bytes)} for computing{spilled} + {_mib(self.base_bytes)} for the program = "
            f"{_mib(self.total_bytes)}"
        )

    @property
    def note(self) -> str:
        """A line for ``/health``."""
        return f"memory planned before loading: {self.breakdown}; {_mib(self.available_bytes)} were available"


def plan(facts: ModelFacts, demand: Demand, room: Room) -> MemoryPlan:
    """What the engine will hold, if that fits.

    Raises:
        StartError: it does not fit, with the numbers and how many cells would.
    """
    made = estimate(facts, demand, room)
    if made.fits:
        return made
    short = made.total_bytes + made.reserve_bytes - made.available_bytes
    fewer = (made.cells - -(-short // facts.cell_bytes)) // CELL_BLOCK * CELL_BLOCK
    remedy = f"take at most {fewer:,} cells" if fewer >= CELL_BLOCK else "no number of cells would do"
    raise StartError(
        f"not enough memory: the engine needs {made.breakdown}, and {_mib(made.reserve_bytes)} must stay free; "
        f"{_mib(made.available_bytes)} are available, {_mib(short)} too little; {remedy}, or less memory for spilled "
        "prefixes, a smaller model, or end other programs"
    )


def estimate(facts: ModelFacts, demand: Demand, room: Room) -> MemoryPlan:
    """The same without refusing."""
    cells = _whole_blocks(demand.cells)
    rows = max(demand.step_tokens, demand.sequences)
    output_row = 4 * facts.vocabulary + 8 * facts.width  # f32 logits, and the last norm's input and output
    block_row = 12 * facts.hidden + 16 * facts.width + 2 * cells  # f32 activations, and the mask's f16 entry a cell
    return MemoryPlan(
        weights_bytes=facts.file_bytes + _TOKEN_BYTES * facts.vocabulary,
        kv_bytes=cells * facts.cell_bytes,
        compute_bytes=rows * max(output_row, block_row) + demand.sequences * 4 * facts.vocabulary,
        blob_ram_bytes=demand.blob_ram_bytes,
        base_bytes=room.resident_bytes + _WORKING_BYTES,
        available_bytes=room.resident_bytes + room.free_bytes,
        cells=cells,
    )


def auto_cells(facts: ModelFacts, demand: Demand, room: Room) -> int:
    """How many cells to take when nobody says.

    Four full contexts if they cost at most AUTO_KV_BYTES and half of what the rest leaves; but never less than one
    context and a quarter, which one chat and the beginnings that others share need. If not even that fits, ``plan``
    says so.

    Args:
        facts: of the model.
        demand: all but the cells; ``demand.cells`` is the context of one chat.
        room: of the machine.
    """
    context = demand.cells
    least = _whole_blocks(context + context // 4)
    bare = estimate(facts, demand, room)
    left = bare.available_bytes - bare.reserve_bytes - (bare.total_bytes - bare.kv_bytes)
    affordable = min(AUTO_KV_BYTES, int(left * AUTO_KV_SHARE)) // facts.cell_bytes // CELL_BLOCK * CELL_BLOCK
    return max(least, min(_whole_blocks(4 * context), affordable))


def machine_room() -> Room:
    """What this machine, or the container around this process, has now."""
    free = psutil.virtual_memory().available
    limited = free_bytes()
    return Room(psutil.Process().memory_info().rss, free if limited is None else min(free, limited))


def _whole_blocks(cells: int) -> int:
    return -(-cells // CELL_BLOCK) * CELL_BLOCK


def _mib(size: int) -> str:
    return f"{size / MIB:,.0f} MiB"
