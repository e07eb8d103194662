"""A byte-level BPE vocabulary (Llama 3, Qwen): ``tokenizer.json``, read with the library that made it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import gguf
from tokenizers import Tokenizer

from convert.checkpoint.jsonfile import read_json
from convert.errors import InputError, UnsupportedError
from convert.gguf.pretokenizers import pre_tokenizer
from convert.gguf.vocab import META_SPACE, TOKENIZER_JSON, TOKENIZER_MODEL, Vocabulary, looks_special

#: Flags of an added token that llama.cpp does not know: it takes the token wherever its text stands.
_FLAGS = ("lstrip", "rstrip", "single_word")


def read_bpe(folder: Path, size: int) -> Vocabulary:
    """Read ``tokenizer.json``.

    Args:
        folder: the model folder.
        size: rows of the model's embedding, V.

    Raises:
        InputError: the file is damaged, or has more tokens than the model.
        UnsupportedError: it is no byte-level BPE, or one that llama.cpp would split otherwise.
    """
    path = folder / TOKENIZER_JSON
    raw = read_json(path)
    model = raw.get("model")
    if not isinstance(model, Mapping) or model.get("type") != "BPE" or model.get("byte_fallback"):
        raise UnsupportedError(
            f"{path}: no byte-level BPE, and {TOKENIZER_MODEL} is missing; copy {TOKENIZER_MODEL} from the base model "
            "(transformers 5 drops it on save)"
        )
    rule = pre_tokenizer(raw, path)
    warnings = (*_normalizer(raw.get("normalizer"), path), *_flags(raw.get("added_tokens"), path))
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises its own plain Exception
        raise InputError(f"{path}: not a readable tokenizer ({error}); copy it again from the base model") from error
    tokens, types = _table(tokenizer, size, path)
    return Vocabulary("gpt2", rule.name, tokens, (), types, warnings=warnings)


def _table(tokenizer: Tokenizer, size: int, path: Path) -> tuple[tuple[bytes, ...], tuple[int, ...]]:
    """Text and type of every id below ``size``; ids that have no token are padding."""
    ids = tokenizer.get_vocab(with_added_tokens=True)
    if ids and max(ids.values()) >= size:
        raise InputError(
            f"{path}: token id {max(ids.values())}; the model's embedding has {size} rows; use the tokenizer of this "
            "model, or resize the embedding"
        )
    texts = [f"[PAD{number}]" for number in range(size)]
    types = [int(gguf.TokenType.UNUSED)] * size
    for text, number in ids.items():
        texts[number], types[number] = text, int(gguf.TokenType.NORMAL)
    for number, token in tokenizer.get_added_tokens_decoder().items():
        text = token.content
        if not token.normalized:  # as decoding spells it, which is what llama.cpp looks for in a text
            written = tokenizer.encode(text, add_special_tokens=False).ids
            text = tokenizer.decode(written, skip_special_tokens=False)
        control = token.special or looks_special(text)
        texts[number] = text if control else text.replace(META_SPACE, " ")
        types[number] = int(gguf.TokenType.CONTROL if control else gguf.TokenType.USER_DEFINED)
    return tuple(text.encode() for text in texts), tuple(types)


def _normalizer(rule: object, path: Path) -> tuple[str, ...]:
    """NFC passes with a warning: text that is not composed is split otherwise by llama.cpp."""
    if rule is None:
        return ()
    kind = rule.get("type") if isinstance(rule, Mapping) else rule
    if kind != "NFC":
        raise UnsupportedError(f"{path}: normalizer {kind!r}; expected none or 'NFC'; llama.cpp has no such step")
    return (
        "the tokenizer composes characters (NFC) and llama.cpp does not: bring text to NFC before it is tokenised, "
        "or letters with separate accents get other tokens than in training",
    )


def _flags(added: object, path: Path) -> tuple[str, ...]:
    rows = [token for token in added if isinstance(token, Mapping)] if isinstance(added, list) else []
    odd = [str(token.get("content")) for token in rows if any(token.get(flag) for flag in _FLAGS)]
    if not odd:
        return ()
    return (
        f"{path}: {len(odd)} added tokens such as {odd[0]!r} swallow spaces or stand only as whole words; llama.cpp "
        "takes them anywhere",
    )
