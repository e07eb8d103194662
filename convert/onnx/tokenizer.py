"""An encoder's tokenizer: read, freed of padding and truncation, and held against the model that it feeds."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from convert.errors import InputError

#: Embeddings are padded to a multiple of at most this many rows; more rows than that belong to another tokenizer.
PADDED_ROWS = 128

#: What the families call their padding.
PAD_TOKENS = ("[PAD]", "<pad>")


def open_tokenizer(file: Path) -> Tokenizer:
    """Read a ``tokenizer.json`` and take padding and truncation off.

    Raises:
        InputError: it is malformed.
    """
    try:
        words = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exceptions for malformed files
        raise InputError(
            f"{file}: cannot be read ({error}); expected a tokenizer of the `tokenizers` library; copy it again"
        ) from error
    words.no_padding()
    words.no_truncation()
    return words


def pad_id(words: Tokenizer) -> int:
    """The id for padding, 0 if it has no token for it; RoBERTa derives positions from it."""
    found = (words.token_to_id(token) for token in PAD_TOKENS)
    return next((int(token) for token in found if token is not None), 0)


def check_tokenizer(words: Tokenizer, file: Path, rows: int, padding: int) -> None:
    """Refuse another model's tokenizer; with one, scores would be of other words than those of the text.

    Args:
        words: the tokenizer.
        file: where it was read from, for messages.
        rows: of the model's embedding.
        padding: id of the model's padding.

    Raises:
        InputError: entries, padding or special tokens are not the model's.
    """
    entries = words.get_vocab_size(with_added_tokens=True)
    if not rows - PADDED_ROWS < entries <= rows:
        raise InputError(
            f"{file}: {entries} entries, but the model embeds {rows}; expected the model's own tokenizer; "
            "copy it from where the model comes from"
        )
    if pad_id(words) != padding:
        raise InputError(
            f"{file}: pads with id {pad_id(words)}, the model with {padding}; expected the model's own tokenizer; "
            "copy it from where the model comes from"
        )
    if words.num_special_tokens_to_add(is_pair=False) < 2:
        raise InputError(
            f"{file}: adds {words.num_special_tokens_to_add(is_pair=False)} special tokens to a text; expected a first "
            "and a last; save it with `AutoTokenizer.from_pretrained(...).save_pretrained(...)`"
        )
