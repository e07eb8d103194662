"""The sizes that a GGUF file states about its model, read without its weights."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path

import llama_cpp

from runtime.engine.weightless import weightless
from runtime.errors import StartError


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Sizes that a GGUF file states about its model.

    Attributes:
        file_bytes: the file; its weights are nearly all of it.
        width: of the residual stream.
        hidden: of the feed-forward part, the widest layer's.
        kv_values: numbers that one token leaves in the cells, over all layers.
        vocabulary: tokens.
        context_tokens: that the model was trained for.
    """

    file_bytes: int
    width: int
    hidden: int
    kv_values: int
    vocabulary: int
    context_tokens: int

    @property
    def cell_bytes(self) -> int:
        """Of one token's keys and values in f16."""
        return self.kv_values * 2


def read_facts(path: Path) -> ModelFacts:
    """The sizes out of a GGUF file; no weights are read.

    Raises:
        StartError: libllama cannot read the file, or a size is missing.
    """
    with weightless(path) as model:
        prefix = _text(model, "general.architecture", path)
        layers = _numbers(model, f"{prefix}.block_count", path)[0]
        width = _numbers(model, f"{prefix}.embedding_length", path)[0]
        heads = _numbers(model, f"{prefix}.attention.head_count", path)
        kv_heads = _numbers(model, f"{prefix}.attention.head_count_kv", path, heads)
        head = (width // max(heads),)
        key = _numbers(model, f"{prefix}.attention.key_length", path, head)[0]
        value = _numbers(model, f"{prefix}.attention.value_length", path, head)[0]
        return ModelFacts(
            file_bytes=path.stat().st_size,
            width=width,
            hidden=max(_numbers(model, f"{prefix}.feed_forward_length", path)),
            kv_values=(sum(kv_heads) if len(kv_heads) > 1 else kv_heads[0] * layers) * (key + value),
            vocabulary=llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model)),
            context_tokens=_numbers(model, f"{prefix}.context_length", path)[0],
        )


def _text(model: llama_cpp.llama_model_p, key: str, path: Path, default: str = "") -> str:
    buffer = ctypes.create_string_buffer(4096)
    size = llama_cpp.llama_model_meta_val_str(model, key.encode(), buffer, len(buffer))
    if size < 0 and not default:
        raise StartError(f"{path}: says nothing of {key}; expected a GGUF model; convert it again")
    return buffer.value.decode() if size >= 0 else default


def _numbers(model: llama_cpp.llama_model_p, key: str, path: Path, default: tuple[int, ...] = ()) -> tuple[int, ...]:
    """A number, or one a layer, which libllama writes as ``[4, 4, 2]``."""
    text = _text(model, key, path, ",".join(map(str, default)))
    try:
        return tuple(int(part) for part in text.strip("[]").split(","))
    except ValueError:
        raise StartError(f"{path}: {key} is {text!r}; expected whole numbers; convert the model again") from None
