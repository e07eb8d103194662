"""A SentencePiece vocabulary (TinyLlama, Llama 2): ``tokenizer.model`` and the tokens that were added to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gguf
from sentencepiece import SentencePieceProcessor

from convert.checkpoint.jsonfile import read_json
from convert.errors import InputError
from convert.gguf.vocab import META_SPACE, TOKENIZER_MODEL, Vocabulary, looks_special

PADDING_SCORE = -10000.0
ADDED_SCORE = -1000.0


def read_sentencepieces(folder: Path, size: int) -> Vocabulary:
    """Read ``tokenizer.model``, ``added_tokens.json`` and ``tokenizer_config.json``.

    Args:
        folder: the model folder.
        size: rows of the model's embedding, V.

    Raises:
        InputError: a file is missing or damaged, or has more tokens than the model.
    """
    config = read_json(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    table = _pieces(folder / TOKENIZER_MODEL, size)
    if (folder / "added_tokens.json").is_file():
        for token, number in read_json(folder / "added_tokens.json").items():
            _put(table, number, token, gguf.TokenType.USER_DEFINED, folder / "added_tokens.json")
    decoder = config.get("added_tokens_decoder") or {}
    if not isinstance(decoder, Mapping):
        raise InputError(f"{folder / 'tokenizer_config.json'}: added_tokens_decoder is no object")
    for number, entry in decoder.items():
        token = str(entry["content"])
        if entry.get("special") or looks_special(token):
            _put(table, number, token, gguf.TokenType.CONTROL, folder / "tokenizer_config.json")
        else:
            text = token.replace(META_SPACE, " ")
            _put(table, number, text, gguf.TokenType.USER_DEFINED, folder / "tokenizer_config.json")
    prefix = config.get("add_prefix_space")
    tokens, scores, types = zip(*table, strict=True)
    return Vocabulary("llama", "default", tokens, scores, types, prefix if isinstance(prefix, bool) else None)


def _pieces(path: Path, size: int) -> list[tuple[bytes, float, int]]:
    """Rows (text, score, type), padded to ``size``."""
    try:
        pieces = SentencePieceProcessor(model_file=str(path))
    except (OSError, RuntimeError) as error:
        raise InputError(f"{path}: no SentencePiece model ({error}); copy it again from the base model") from error
    if pieces.vocab_size() > size:
        raise InputError(
            f"{path}: {pieces.vocab_size()} tokens; the model's embedding has {size}; use the tokenizer of this model"
        )
    table = [
        (pieces.IdToPiece(i).encode(), pieces.GetScore(i), _type_of(pieces, i)) for i in range(pieces.vocab_size())
    ]
    padding = [(f"[PAD{i}]".encode(), PADDING_SCORE, int(gguf.TokenType.UNUSED)) for i in range(len(table), size)]
    return table + padding


def _type_of(pieces: SentencePieceProcessor, number: int) -> int:
    if pieces.IsUnknown(number):
        return int(gguf.TokenType.UNKNOWN)
    if pieces.IsControl(number):
        return int(gguf.TokenType.CONTROL)
    if pieces.IsUnused(number):
        return int(gguf.TokenType.UNUSED)
    return int(gguf.TokenType.BYTE if pieces.IsByte(number) else gguf.TokenType.NORMAL)


def _put(table: list[tuple[bytes, float, int]], number: object, token: str, kind: gguf.TokenType, path: Path) -> None:
    """Set an added token; one beyond the embedding can never be produced and is left out, as the reference does."""
    try:
        index = int(str(number))
    except ValueError as error:
        raise InputError(f"{path}: token id {number!r} of {token!r}; expected a number") from error
    if 0 <= index < len(table):
        table[index] = (token.encode(), ADDED_SCORE, int(kind))
