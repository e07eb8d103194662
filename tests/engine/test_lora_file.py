"""Adapters that other tests use are real: libllama takes them, the logits change, and taking them off undoes it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

from runtime.engine.library import start_library
from tests.engine.lora import write_lora
from tests.paths import DEMO

MODEL = DEMO / "model.gguf"
QUESTION = b"<|user|>\nWhere is my order?</s>\n<|assistant|>\n"

Logits = Callable[..., np.ndarray]


@pytest.fixture(scope="module")
def logits() -> Iterator[Logits]:
    """``logits(adapter file or None, *ids)``: float32 (vocab,) after the question and these, all on one context."""
    start_library()
    model = llama_cpp.llama_model_load_from_file(str(MODEL).encode(), llama_cpp.llama_model_default_params())
    params = llama_cpp.llama_context_default_params()
    params.n_ctx, params.n_threads, params.n_threads_batch = 256, 1, 1
    context = llama_cpp.llama_init_from_model(model, params)
    vocab = llama_cpp.llama_model_get_vocab(model)
    loaded: dict[Path, object] = {}

    def compute(file: Path | None, *said: int) -> np.ndarray:
        if file is not None and file not in loaded:
            loaded[file] = llama_cpp.llama_adapter_lora_init(model, str(file).encode())
            assert loaded[file], f"{file} was not taken"
        count = 0 if file is None else 1
        adapters = (llama_cpp.llama_adapter_lora_p_ctypes * 1)(*([loaded[file]] if file else []))
        assert llama_cpp.llama_set_adapters_lora(context, adapters, count, (ctypes.c_float * 1)(1.0)) == 0
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(context), True)
        ids = (llama_cpp.llama_token * 64)()
        length = llama_cpp.llama_tokenize(vocab, QUESTION, len(QUESTION), ids, 64, True, True)
        for token in said:
            ids[length] = token
            length += 1
        assert llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(ids, length)) == 0
        row = llama_cpp.llama_get_logits_ith(context, -1)
        return np.ctypeslib.as_array(row, shape=(llama_cpp.llama_vocab_n_tokens(vocab),)).copy()

    yield compute
    llama_cpp.llama_free(context)
    llama_cpp.llama_model_free(model)


def greedy(logits: Logits, file: Path | None) -> list[int]:
    """The first eight tokens of the answer."""
    said: list[int] = []
    while len(said) < 8:
        said.append(int(logits(file, *said).argmax()))
    return said


def test_an_adapter_changes_the_logits_and_taking_it_off_changes_them_back(logits: Logits, tmp_path: Path) -> None:
    bare = logits(None)
    one = logits(write_lora(tmp_path / "one.gguf", MODEL, seed=1))
    two = logits(write_lora(tmp_path / "two.gguf", MODEL, seed=2))
    assert np.abs(one - bare).max() > 1
    assert np.abs(two - one).max() > 1
    answers = [greedy(logits, file) for file in (None, tmp_path / "one.gguf", tmp_path / "two.gguf")]
    assert len(set(map(tuple, answers))) == 3
    np.testing.assert_array_equal(logits(None), bare)
    np.testing.assert_array_equal(logits(tmp_path / "one.gguf"), one)


def test_the_scale_is_the_size_of_the_change(logits: Logits, tmp_path: Path) -> None:
    bare = logits(None)
    changes = [
        float(np.linalg.norm(logits(write_lora(tmp_path / f"{scale}.gguf", MODEL, seed=3, scale=scale)) - bare))
        for scale in (0.0, 0.02, 0.5)
    ]
    assert changes[0] == 0
    assert 0 < changes[1] < changes[2]


def test_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    first, second = (write_lora(tmp_path / name, MODEL, seed=5, rank=2).read_bytes() for name in ("a.gguf", "b.gguf"))
    assert first == second
    assert first != write_lora(tmp_path / "c.gguf", MODEL, seed=6, rank=2).read_bytes()
    assert len(first) < 200_000
