"""A GGUF opened with llama.cpp for checking: token ids of a text, logits of every position. Correct before fast."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import llama_cpp
import numpy as np
import psutil

from convert.checkpoint.weights import Float32Array
from convert.errors import InputError

log = logging.getLogger(__name__)

#: Called with the address of a node of the graph and whether it is only asked for: then the answer says whether the
#: node, once computed, is wanted; else the answer says whether to go on. Source: ggml/include/ggml-backend.h.
Watch = Callable[[int, bool], bool]

#: Tokens that one call computes.
BATCH_TOKENS = 256


@llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
def _log(level: int, text: bytes, user_data: object) -> None:
    log.debug("llama.cpp: %s", text.decode("utf-8", "replace").rstrip())


class GgufModel:
    """A model and one context; use it in a ``with`` block."""

    def __init__(
        self,
        path: Path,
        context_tokens: int = 512,
        threads: int = 0,
        *,
        vocab_only: bool = False,
        watch: Watch | None = None,
        writable: bool = False,
    ) -> None:
        """Load it.

        Args:
            path: the GGUF.
            context_tokens: longest sequence.
            threads: of the computation; 0 takes the physical cores.
            vocab_only: load no weights; then only ``encode`` works.
            watch: is shown every node of the graph; must not raise.
            writable: load the weights, as they are stored, into memory that may be written to; else the file is mapped.

        Raises:
            InputError: the file is missing, or llama.cpp does not load it.
        """
        if not path.is_file():
            raise InputError(f"{path}: no such file; expected a GGUF; make one with `python -m convert gguf`")
        llama_cpp.llama_log_set(_log, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        params = llama_cpp.llama_model_default_params()
        params.vocab_only = vocab_only
        params.load_mode = llama_cpp.LLAMA_LOAD_MODE_NONE if writable else llama_cpp.LLAMA_LOAD_MODE_MMAP
        params.use_extra_bufts = not writable
        self._context = None
        self._model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
        if not self._model:
            raise InputError(f"{path}: llama.cpp does not load it; make it again with `python -m convert gguf`")
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._width = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self._limit = context_tokens
        # kept, for ctypes frees a callback that nothing holds
        self._watch = (
            None if watch is None else llama_cpp.ggml_backend_sched_eval_callback(lambda node, ask, _: watch(node, ask))
        )
        if not vocab_only:
            self._context = self._open(path, threads)

    def _open(self, path: Path, threads: int) -> llama_cpp.llama_context_p:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = self._limit
        params.n_batch = params.n_ubatch = BATCH_TOKENS
        # llama.cpp's own default is four, and threads beyond the physical cores slow each other down
        params.n_threads = params.n_threads_batch = threads or psutil.cpu_count(logical=False) or 1
        if self._watch is not None:
            params.cb_eval = self._watch
        context = llama_cpp.llama_init_from_model(self._model, params)
        if not context:
            raise InputError(f"{path}: llama.cpp opens no context of {self._limit} tokens; is there enough memory?")
        return context

    def __enter__(self) -> GgufModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Free everything. A second call does nothing."""
        if self._context is not None:
            llama_cpp.llama_free(self._context)
            self._context = None
        if self._model is not None:
            llama_cpp.llama_model_free(self._model)
            self._model = None

    @property
    def bos(self) -> int:
        """Id of the token that a sequence begins with."""
        return int(llama_cpp.llama_vocab_bos(self._vocab))

    def encode(self, text: str) -> list[int]:
        """Token ids: special tokens in the text are recognised, none is added."""
        raw = text.encode()
        room = (llama_cpp.llama_token * (len(raw) + 8))()
        count = llama_cpp.llama_tokenize(self._vocab, raw, len(raw), room, len(room), False, True)
        if count < 0:
            raise InputError(f"llama.cpp needs {-count} tokens for {len(raw)} bytes; expected at most {len(room)}")
        return list(room[:count])

    def logits(self, ids: Sequence[int]) -> Float32Array:
        """Logits of all positions, shape (T, V), of a sequence of T tokens computed from its beginning."""
        parts: list[Float32Array] = []
        self._compute(ids, parts.append)
        return np.concatenate(parts) if parts else np.empty((0, self._width), np.float32)

    def compute(self, ids: Sequence[int]) -> None:
        """The same for who watches the graph and wants no logits."""
        self._compute(ids, lambda _: None)

    def _compute(self, ids: Sequence[int], take: Callable[[Float32Array], None]) -> None:
        if len(ids) > self._limit:
            raise InputError(f"a sequence of {len(ids)} tokens; the context holds {self._limit}")
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self._context), True)
        for start in range(0, len(ids), BATCH_TOKENS):
            take(self._decode(ids[start : start + BATCH_TOKENS], start))

    def _decode(self, ids: Sequence[int], start: int) -> Float32Array:
        batch = llama_cpp.llama_batch_init(len(ids), 0, 1)
        try:
            batch.n_tokens = len(ids)
            for index, token in enumerate(ids):
                batch.token[index] = token
                batch.pos[index] = start + index
                batch.n_seq_id[index] = 1
                batch.seq_id[index][0] = 0
                batch.logits[index] = 1
            status = llama_cpp.llama_decode(self._context, batch)
            if status != 0:
                raise InputError(f"llama.cpp computes no logits at position {start} (status {status})")
            pointer = llama_cpp.llama_get_logits(self._context)
            return np.ctypeslib.as_array(pointer, shape=(len(ids), self._width)).astype(np.float32)
        finally:
            llama_cpp.llama_batch_free(batch)
