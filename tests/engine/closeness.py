"""When two greedy answers count as the same: where they part, the model itself had hardly a preference.

The same token has logits that differ a little, by up to 0.2 on the demonstration model, with what is computed beside
it and with where its cells are. Up to three rows of a batch are computed one by one, every four go through a matrix
kernel that rounds activations to 8 bits otherwise (ggml-cpu/repack.cpp: ggml_gemv_* and ggml_gemm_*). One row alone
over 512 cells or more has its attention summed in as many parts as there are threads, and in the order of the cells
(ggml-cpu/ops.cpp, use_split_kv_path). So where the two best tokens are closer than that, an answer may take either.
"""

from __future__ import annotations

from collections.abc import Sequence

import llama_cpp
import numpy as np

from runtime.engine.llama import BATCH_ROWS, Llama, Row

#: Between the logits of one token in two kinds of batches. Two such errors can add up between two tokens: in 10,000
#: short answers, two thirds of them under adapters that change the model a lot, the widest parting was 0.52.
TOLERANCE = 0.35


def logits_after(llama: Llama, ids: Sequence[int]) -> np.ndarray:
    """What the model alone says comes next: (vocabulary,) float32. Uses sequence 0 and leaves it filled."""
    llama.forget(0)
    for at in range(0, len(ids), BATCH_ROWS):
        part = ids[at : at + BATCH_ROWS]
        llama.compute([Row(token, at + i, 0, at + i + 1 == len(ids)) for i, token in enumerate(part)])
    return _logits(llama)


def greedy(llama: Llama, ids: Sequence[int], count: int) -> tuple[int, ...]:
    """What the model alone answers, one row at a time: at most ``count`` tokens."""
    answer: list[int] = []
    logits = logits_after(llama, ids)
    while len(answer) < count:
        token = int(logits.argmax())
        if token in llama.vocabulary.end_tokens:
            break
        llama.compute([Row(token, len(ids) + len(answer), 0, True)])
        answer.append(token)
        logits = _logits(llama)
    return tuple(answer)


def _logits(llama: Llama) -> np.ndarray:
    return np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(llama._context, -1), (llama.vocabulary.size,)).copy()


def parting_margin(llama: Llama, prompt: Sequence[int], one: Sequence[int], other: Sequence[int]) -> float:
    """How much the model prefers one token over the other where two answers first differ; 0 if they are equal.

    An answer that ends counts as going on with the end token.
    """
    end = min(llama.vocabulary.end_tokens)
    for at in range(max(len(one), len(other)) + 1):
        a, b = (ids[at] if at < len(ids) else end for ids in (one, other))
        if a != b:
            logits = logits_after(llama, [*prompt, *one[:at]])
            return float(abs(logits[a] - logits[b]))
    return 0.0
