"""The training tokenizer, made to split text exactly as llama.cpp will on the box."""

from __future__ import annotations

from pathlib import Path

from tokenizers import normalizers
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from convert.chat import Encode
from convert.errors import InputError
from convert.gguf.vocab import META_SPACE, TOKENIZER_JSON, TOKENIZER_MODEL


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Load a model folder's tokenizer.

    SentencePiece puts a space before every stretch of text between special tokens, also before one that begins with
    a space; transformers 5 leaves the latter alone, and with ``legacy=False`` the stretch after a special token too.
    Here it is always put, as SentencePiece itself and llama.cpp do. A byte-level BPE that composes characters first
    (NFC, as Qwen's) leaves that step out here, because llama.cpp has none (tests/convert compares them).

    Raises:
        InputError: the folder holds no tokenizer.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, legacy=True)
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder}: no tokenizer ({error}); expected {TOKENIZER_MODEL} or {TOKENIZER_JSON}, and "
            "tokenizer_config.json; copy them from the base model"
        ) from error
    backend = tokenizer.backend_tokenizer
    if not (folder / TOKENIZER_MODEL).is_file():
        if isinstance(backend.normalizer, normalizers.NFC):
            backend.normalizer = None
    elif getattr(tokenizer, "add_prefix_space", True) is not False:
        backend.normalizer = normalizers.Sequence(
            [normalizers.Prepend(META_SPACE), normalizers.Replace(" ", META_SPACE)]
        )
        backend.pre_tokenizer = None
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def encoder(tokenizer: PreTrainedTokenizerBase) -> Encode:
    """Text to ids: special tokens in the text are recognised, none is added."""

    def encode(text: str) -> list[int]:
        ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    return encode
