"""A GGUF model and its context in libllama: tokens to text, tokens to logits. Used by one thread at a time."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import llama_cpp

from runtime.engine.library import expect_abort, start_library
from runtime.errors import EngineError, StartError

#: Prompt tokens computed in one call of llama_decode. Small enough that a cancelled prompt is noticed soon.
CHUNK_TOKENS = 64

_DECODE_ABORTED = 2


@dataclass(frozen=True, slots=True)
class LlamaOptions:
    """How a model is loaded.

    Attributes:
        context_tokens: size of the KV cache.
        threads: compute threads, for prefill and decode alike; physical cores are best.
    """

    context_tokens: int
    threads: int


class DecodeAbortedError(EngineError):
    """``abort`` was called while a batch was computed."""


class Llama:
    """One model, one context, one sequence (number 0)."""

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
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._context = llama_cpp.llama_init_from_model(self._model, self._context_params(options))
        if not self._context:
            llama_cpp.llama_model_free(self._model)
            raise StartError(f"{path}: no memory for a context of {options.context_tokens} tokens; use a smaller one")
        self._memory = llama_cpp.llama_get_memory(self._context)
        self._batch = llama_cpp.llama_batch_init(CHUNK_TOKENS, 0, 1)
        self._install_abort_flag()
        self.context_tokens: int = llama_cpp.llama_n_ctx(self._context)
        self.vocab_size: int = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self.end_tokens = frozenset(
            token for token in range(self.vocab_size) if llama_cpp.llama_vocab_is_eog(self._vocab, token)
        )

    @staticmethod
    def _context_params(options: LlamaOptions) -> llama_cpp.llama_context_params:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = options.context_tokens
        params.n_batch = params.n_ubatch = CHUNK_TOKENS
        params.n_seq_max = 1
        params.n_threads = params.n_threads_batch = options.threads
        params.no_perf = True
        return params

    def _install_abort_flag(self) -> None:
        # ggml asks before every node of the graph whether to abort. A Python callback would take the interpreter
        # lock each time; strlen of a buffer that holds "" or "x" answers 0 or 1 without any Python.
        self._abort_flag = ctypes.create_string_buffer(2)
        strlen = ctypes.cast(ctypes.CDLL(None).strlen, llama_cpp.ggml_abort_callback)
        llama_cpp.llama_set_abort_callback(self._context, strlen, ctypes.addressof(self._abort_flag))

    @property
    def vocab(self) -> llama_cpp.llama_vocab_p:
        """Libllama's vocabulary handle, for building samplers."""
        return self._vocab

    @property
    def context(self) -> llama_cpp.llama_context_p:
        """Libllama's context handle, for sampling."""
        return self._context

    @property
    def bos(self) -> tuple[int, ...]:
        """What a prompt begins with."""
        return (llama_cpp.llama_vocab_bos(self._vocab),) if llama_cpp.llama_vocab_get_add_bos(self._vocab) else ()

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids; special tokens in the text are recognised, none is added. Safe from any thread."""
        data = text.encode("utf-8")
        room = len(data) + 16
        ids = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self._vocab, data, len(data), ids, room, False, True)
        if count < 0:
            raise EngineError(f"libllama found {-count} tokens in {len(data)} bytes; expected at most {room}")
        return tuple(ids[:count])

    def piece(self, token: int) -> bytes:
        """The bytes of a token; a control token has none."""
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            count = llama_cpp.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
            if count >= 0:
                return buffer.raw[:count]
            size = -count

    def forget_from(self, position: int) -> None:
        """Drop the cells at ``position`` and after it."""
        llama_cpp.llama_memory_seq_rm(self._memory, 0, position, -1)

    def decode(self, tokens: Sequence[int], position: int, *, want_logits: bool) -> None:
        """Compute up to CHUNK_TOKENS tokens from ``position`` on; logits of the last one if wanted.

        Raises:
            DecodeAbortedError: ``abort`` was called.
            EngineError: libllama failed.
        """
        batch = self._batch
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i] = token
            batch.pos[i] = position + i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = 0
        batch.logits[len(tokens) - 1] = int(want_logits)
        status = llama_cpp.llama_decode(self._context, batch)
        if status == _DECODE_ABORTED:
            raise DecodeAbortedError("the computation was aborted")
        if status != 0:
            raise EngineError(f"llama_decode returned {status} for {len(tokens)} tokens at position {position}")

    def abort(self, on: bool) -> None:
        """Make a running ``decode`` stop within one graph node, and every later one until switched off again."""
        self._abort_flag[0] = b"x" if on else b"\0"
        expect_abort(on)

    def close(self) -> None:
        """Free the context and the model."""
        llama_cpp.llama_batch_free(self._batch)
        llama_cpp.llama_free(self._context)
        llama_cpp.llama_model_free(self._model)
