"""A vocabulary as GGUF wants it: text and type of every token id, and a score where the model has one.

Rules of llama.cpp's converter (conversion/base.py of the pinned release): ids beyond the tokenizer are unused padding,
special added tokens are control tokens, also those that only look so.
"""

from __future__ import annotations

from dataclasses import dataclass

TOKENIZER_MODEL = "tokenizer.model"
TOKENIZER_JSON = "tokenizer.json"
META_SPACE = "\u2581"

#: Added tokens that are control tokens even where the tokenizer's file does not say so.
_CONTROL_WORDS = frozenset({"<pad>", "<mask>", "<2mass>", "[@BOS@]"})
_CONTROL_BRACKETS = (("<|", "|>"), ("<\uff5c", "\uff5c>"), ("<unused", ">"))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Token tables, all of length V.

    Attributes:
        model: ``llama`` (SentencePiece) or ``gpt2`` (byte-level BPE).
        pre: name of the pre-tokenizer.
        tokens: UTF-8 text of each id.
        scores: merge priority of each id; empty for ``gpt2``, which has merges.
        types: ``gguf.TokenType`` of each id.
        add_space_prefix: whether text gets a leading space; None if the tokenizer does not say.
        warnings: where llama.cpp will split text otherwise than the tokenizer.
    """

    model: str
    pre: str
    tokens: tuple[bytes, ...]
    scores: tuple[float, ...]
    types: tuple[int, ...]
    add_space_prefix: bool | None = None
    warnings: tuple[str, ...] = ()


def looks_special(token: str) -> bool:
    """Whether an added token is a control token by its spelling, such as ``<|user|>``."""
    return token in _CONTROL_WORDS or any(token.startswith(a) and token.endswith(b) for a, b in _CONTROL_BRACKETS)
