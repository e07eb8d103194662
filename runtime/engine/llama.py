"""A GGUF model and its context in libllama: tokens to text, batches to logits, sequences of KV cells."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import llama_cpp

from runtime.engine.library import hush, start_library
from runtime.engine.vocabulary import Vocabulary
from runtime.errors import EngineError, StartError

#: Rows of one llama_decode at most. Measured: beyond 64 rows a prompt's tokens get no cheaper.
BATCH_ROWS = 128

#: Sequence numbers: one for each running answer and one for each kept prefix. More than BATCH_ROWS and libllama ends
#: the process (llama_context::output_reserve).
SEQUENCES = BATCH_ROWS

_DECODE_NO_ROOM, _DECODE_ABORTED = 1, 2


@dataclass(frozen=True, slots=True)
class LlamaOptions:
    """How a model is loaded.

    Attributes:
        cells: KV cells, shared by all sequences; rounded up to a multiple of 256.
        threads: compute threads, for prefill and decode alike; physical cores are best.
    """

    cells: int
    threads: int


class Row(NamedTuple):
    """One token of a batch: computed at a position of a sequence; ``logits`` says whether one may sample there."""

    token: int
    position: int
    sequence: int
    logits: bool


class DecodeAbortedError(EngineError):
    """``abort`` was called while a batch was computed."""


class Llama:
    """One model and one context whose sequences share a unified KV buffer. Used by one thread, but for ``vocabulary``.

    Attributes:
        vocabulary: of the model.
        cells: KV cells, one a token.
        spent_s: seconds inside libllama, computing and sampling.
    """

    def __init__(self, path: Path, options: LlamaOptions) -> None:
        """Load the model.

        Raises:
            StartError: libllama cannot read the file or has not the memory for it.
        """
        start_library()
        params = llama_cpp.llama_model_default_params()
        # Repacked weights beside a mapped file would hold the model in memory twice.
        params.load_mode = llama_cpp.LLAMA_LOAD_MODE_NONE
        params.n_gpu_layers = 0
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
        if not self._model:
            raise StartError(f"{path}: libllama cannot load it; expected a GGUF model; verify the bundle")
        self.vocabulary = Vocabulary(llama_cpp.llama_model_get_vocab(self._model))
        hush(True)  # it warns of more cells than a context: they are for several chats
        self._context = llama_cpp.llama_init_from_model(self._model, self._context_params(options))
        hush(False)
        if not self._context:
            llama_cpp.llama_model_free(self._model)
            raise StartError(f"{path}: no memory for {options.cells} KV cells; use fewer with --cells")
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(BATCH_ROWS, 0, 1)
        for row in range(BATCH_ROWS):
            self._batch.n_seq_id[row] = 1
        self._install_abort_flag()
        self._adapters: dict[str, llama_cpp.llama_adapter_lora_p] = {}
        self._adapter = ""
        self._threads = options.threads
        self._pieces: dict[int, bytes] = {}
        self.spent_s = 0.0
        self.cells: int = llama_cpp.llama_n_ctx(self._context)

    @staticmethod
    def _context_params(options: LlamaOptions) -> llama_cpp.llama_context_params:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = options.cells
        params.n_batch = params.n_ubatch = BATCH_ROWS
        params.n_seq_max = SEQUENCES
        params.kv_unified = True  # else a partial seq_cp ends the process
        params.n_threads = params.n_threads_batch = options.threads
        params.no_perf = True
        return params

    def _install_abort_flag(self) -> None:
        # ggml asks before every node of the graph whether to abort. A Python callback would take the interpreter
        # lock each time; strlen of a buffer that holds "" or "x" answers 0 or 1 without any Python.
        self._abort_flag = ctypes.create_string_buffer(2)
        strlen = ctypes.cast(ctypes.CDLL(None).strlen, llama_cpp.ggml_abort_callback)
        llama_cpp.llama_set_abort_callback(self._context, strlen, ctypes.addressof(self._abort_flag))

    def piece(self, token: int) -> bytes:
        """The bytes of a token; a control token has none."""
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = self.vocabulary.piece(token)
        return known

    def compute(self, rows: Sequence[Row]) -> None:
        """Compute up to BATCH_ROWS rows; the rows of a sequence go on where it ends.

        Raises:
            DecodeAbortedError: ``abort`` was called; no cell was taken.
            EngineError: libllama failed, or there is no free cell.
        """
        batch = self._batch
        batch.n_tokens = len(rows)
        tokens, positions, sequences, logits = batch.token, batch.pos, batch.seq_id, batch.logits
        for i, (token, position, sequence, wanted) in enumerate(rows):
            tokens[i] = token
            positions[i] = position
            sequences[i][0] = sequence
            logits[i] = wanted
        began_s = time.perf_counter()
        status = llama_cpp.llama_decode(self._context, batch)
        self.spent_s += time.perf_counter() - began_s
        if status == _DECODE_ABORTED:
            raise DecodeAbortedError("the computation was aborted")
        if status == _DECODE_NO_ROOM:
            raise EngineError(f"no {len(rows)} free cells among {self.cells}")
        if status != 0:
            raise EngineError(f"llama_decode returned {status} for {len(rows)} rows")

    def sample(self, chain: llama_cpp.llama_sampler_p, row: int) -> int:
        """The token that a chain of samplers chooses at a row of the last batch; the chain takes note of it."""
        began_s = time.perf_counter()
        token = int(llama_cpp.llama_sampler_sample(chain, self._context, row))
        self.spent_s += time.perf_counter() - began_s
        return token

    def share(self, source: int, target: int, start: int, end: int) -> None:
        """Let ``target`` also hold the cells of ``source`` at positions [start, end). Nothing is copied."""
        llama_cpp.llama_memory_seq_cp(self._memory, source, target, start, end)

    def forget(self, sequence: int, start: int = 0, end: int = -1) -> None:
        """Take the cells at positions [start, end) from a sequence; those that no other one holds are free."""
        llama_cpp.llama_memory_seq_rm(self._memory, sequence, start, end)

    def span(self, sequence: int) -> tuple[int, int]:
        """First and last position that a sequence holds; (-1, -1) for none."""
        first = llama_cpp.llama_memory_seq_pos_min(self._memory, sequence)
        return first, llama_cpp.llama_memory_seq_pos_max(self._memory, sequence)

    def state(self, sequence: int) -> bytes:
        """The cells of a sequence as bytes, with their positions; the layout is libllama's own.

        Source: llama_kv_cache::state_write in llama.cpp/src/llama-kv-cache.cpp.
        """
        size = llama_cpp.llama_state_seq_get_size(self._context, sequence)
        buffer = (ctypes.c_uint8 * size)()
        written = llama_cpp.llama_state_seq_get_data(self._context, buffer, size, sequence)
        return memoryview(buffer).cast("B")[:written].tobytes()

    def restore(self, sequence: int, data: bytes) -> bool:
        """Fill a sequence with the cells that ``state`` wrote; False if libllama refuses them."""
        buffer = (ctypes.c_uint8 * len(data)).from_buffer_copy(data)
        return bool(llama_cpp.llama_state_seq_set_data(self._context, buffer, len(data), sequence))

    def load_adapter(self, name: str, path: Path) -> None:
        """Load a GGUF LoRA adapter for this model.

        Raises:
            StartError: it is no adapter, or one for another model.
        """
        hush(True)  # it warns for each tensor that an adapter cannot use the weights' own layout
        adapter = llama_cpp.llama_adapter_lora_init(self._model, str(path).encode())
        hush(False)
        if not adapter:
            raise StartError(f"{path}: libllama cannot load it as an adapter of this model; rebuild the bundle")
        self._adapters[name] = adapter

    def use_adapter(self, name: str) -> None:
        """Compute with an adapter from now on; an empty name is the bare model."""
        if name == self._adapter:
            return
        chosen = [self._adapters[name]] if name else []
        adapters = (llama_cpp.llama_adapter_lora_p_ctypes * len(chosen))(*chosen)
        scales = (ctypes.c_float * len(chosen))(*(1.0 for _ in chosen))
        llama_cpp.llama_set_adapters_lora(self._context, adapters, len(chosen), scales)
        self._adapter = name

    def use_threads(self, threads: int) -> None:
        """Compute with so many threads from now on."""
        if threads != self._threads:
            llama_cpp.llama_set_n_threads(self._context, threads, threads)
            self._threads = threads

    def abort(self, on: bool) -> None:
        """Make a running ``compute`` stop within one graph node, and every later one until switched off again."""
        self._abort_flag[0] = b"x" if on else b"\0"
        hush(on)  # it calls an aborted computation an error

    def close(self) -> None:
        """Free the context and the model, adapters included."""
        llama_cpp.llama_batch_free(self._batch)
        llama_cpp.llama_free(self._context)
        llama_cpp.llama_model_free(self._model)
