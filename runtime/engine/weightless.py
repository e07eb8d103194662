"""A GGUF file as libllama reads it without its weights: the vocabulary and what the file says of its model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import llama_cpp

from runtime.engine.library import start_library
from runtime.errors import StartError


@contextmanager
def weightless(path: Path) -> Iterator[llama_cpp.llama_model_p]:
    """A model handle that knows vocabulary and metadata and cannot compute; freed at the end.

    Raises:
        StartError: libllama cannot read the file.
    """
    start_library()
    params = llama_cpp.llama_model_default_params()
    params.vocab_only = True
    params.n_gpu_layers = 0
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), params)
    if not model:
        raise StartError(f"{path}: libllama cannot read it; expected a GGUF model; verify the file or its bundle")
    try:
        yield model
    finally:
        llama_cpp.llama_model_free(model)
