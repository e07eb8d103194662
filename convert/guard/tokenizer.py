"""A classifier's tokenizer for the ``tokenizers`` library: from a ``tokenizer.json`` or from a BERT ``vocab.txt``."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from convert.errors import InputError
from models.bundle import GUARD_TOKENIZER


def read_tokenizer(path: Path, vocabulary: int) -> Tokenizer:
    """Read a tokenizer and take padding and truncation off.

    Raises:
        InputError: it is missing, malformed, or makes ids that the embedding (``vocabulary`` rows) does not have.
    """
    candidates = [path / "tokenizer.json", path / GUARD_TOKENIZER, path / "vocab.txt"] if path.is_dir() else [path]
    file = next((candidate for candidate in candidates if candidate.is_file()), None)
    if file is None:
        raise InputError(f"{path}: no tokenizer there; expected tokenizer.json or a BERT vocab.txt")
    try:
        words = bert_tokenizer(file) if file.suffix == ".txt" else Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exceptions for malformed files
        raise InputError(
            f"{file}: cannot be read ({error}); expected a tokenizer of the `tokenizers` library"
        ) from error
    words.no_padding()
    words.no_truncation()
    if words.get_vocab_size(with_added_tokens=True) > vocabulary:
        raise InputError(
            f"{file}: {words.get_vocab_size()} entries, but the model embeds {vocabulary}; "
            "expected the model's own tokenizer"
        )
    return words


def bert_tokenizer(vocab: Path) -> Tokenizer:
    """The uncased BERT tokenizer of a ``vocab.txt``, one entry a line."""
    entries = {line: number for number, line in enumerate(vocab.read_text(encoding="utf-8").splitlines())}
    words = Tokenizer(models.WordPiece(entries, unk_token="[UNK]"))
    words.normalizer = normalizers.BertNormalizer(lowercase=True)
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.post_processor = processors.BertProcessing(("[SEP]", entries["[SEP]"]), ("[CLS]", entries["[CLS]"]))
    return words
