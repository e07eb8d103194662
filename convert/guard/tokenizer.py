"""A classifier's tokenizer: from a ``tokenizer.json``, or from the vocabulary files of its family.

Each builder gives the ids of the family's published fast tokenizer. The files, as published: BERT ``vocab.txt``;
RoBERTa ``vocab.json`` and ``merges.txt``; XLM-R ``sentencepiece.bpe.model``; ALBERT ``spiece.model``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import sentencepiece.sentencepiece_model_pb2 as sentencepiece_format
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from convert.errors import ConvertError, InputError
from convert.onnx.tokenizer import check_tokenizer, open_tokenizer
from models.bundle import GUARD_TOKENIZER

#: ALBERT was trained without pieces that end with a digit and a comma; this much makes them the last choice.
_ALBERT_PENALTY = 100.0


def read_tokenizer(path: Path, vocabulary: int, padding: int = 0) -> Tokenizer:
    """Read a tokenizer, without padding and truncation.

    Args:
        path: one of the files above, or a folder that holds one.
        vocabulary: rows of the model's embedding.
        padding: id of the model's padding.

    Raises:
        InputError: it is missing, malformed, or not the model's.
    """
    names = ("tokenizer.json", GUARD_TOKENIZER, *BUILDERS)
    candidates = [path / name for name in names] if path.is_dir() else [path]
    file = next((candidate for candidate in candidates if candidate.is_file()), None)
    if file is None:
        raise InputError(f"{path}: no tokenizer there; expected one of {', '.join(names)}; copy the model's own there")
    build = BUILDERS.get(file.name) or (bert_tokenizer if file.suffix == ".txt" else open_tokenizer)
    try:
        words = build(file)
    except ConvertError:
        raise
    except Exception as error:  # the libraries raise bare Exceptions for malformed files
        raise InputError(
            f"{file}: cannot be read ({error!r}); expected {file.name} as published; copy it again"
        ) from error
    check_tokenizer(words, file, vocabulary, padding)
    return words


def bert_tokenizer(vocab: Path) -> Tokenizer:
    """The uncased BERT tokenizer of a ``vocab.txt``, one entry a line."""
    entries = {line: number for number, line in enumerate(vocab.read_text(encoding="utf-8").splitlines())}
    words = Tokenizer(models.WordPiece(entries, unk_token="[UNK]"))
    words.normalizer = normalizers.BertNormalizer(lowercase=True)
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.post_processor = processors.BertProcessing(("[SEP]", entries["[SEP]"]), ("[CLS]", entries["[CLS]"]))
    return words


def roberta_tokenizer(vocab: Path) -> Tokenizer:
    """RoBERTa's byte-level BPE of a ``vocab.json`` with ``merges.txt`` beside it."""
    merges = vocab.with_name("merges.txt")
    if not merges.is_file():
        raise InputError(f"{merges}: no such file; expected it beside {vocab.name}; copy the model's own there")
    words = Tokenizer(models.BPE.from_file(str(vocab), str(merges)))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.add_special_tokens(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    words.post_processor = processors.RobertaProcessing(
        _with_id(words, "</s>"), _with_id(words, "<s>"), trim_offsets=True, add_prefix_space=False
    )
    return words


def xlm_roberta_tokenizer(model: Path) -> Tokenizer:
    """XLM-R's Unigram: four special tokens, the model's pieces after its own first three, and ``<mask>`` at the end."""
    proto = _sentencepiece(model)
    special = [(token, 0.0) for token in ("<s>", "<pad>", "</s>", "<unk>")]
    pieces = [(piece.piece, piece.score) for piece in proto.pieces[3:]]
    words = Tokenizer(models.Unigram([*special, *pieces, ("<mask>", 0.0)], unk_id=3))
    words.normalizer = _charsmap(proto)
    return _with_ends(words, [token for token, _ in special] + ["<mask>"], ("<s>", "</s>"))


def albert_tokenizer(model: Path) -> Tokenizer:
    """ALBERT's Unigram: lower case, no accents."""
    proto = _sentencepiece(model)
    pieces = [(piece.piece, _albert_score(piece.piece, piece.score)) for piece in proto.pieces]
    words = Tokenizer(models.Unigram(pieces, unk_id=proto.trainer_spec.unk_id))
    quotes = [normalizers.Replace("``", '"'), normalizers.Replace("''", '"')]
    plain = [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    words.normalizer = normalizers.Sequence([*quotes, *plain, _charsmap(proto)])
    return _with_ends(words, ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"], ("[CLS]", "[SEP]"))


def _albert_score(piece: str, score: float) -> float:
    return score - _ALBERT_PENALTY if piece[-1:] == "," and piece[-2:-1].isdigit() else score


def _with_ends(words: Tokenizer, special: list[str], ends: tuple[str, str]) -> Tokenizer:
    """Words begin with SentencePiece's mark, and a text stands between two special tokens."""
    words.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()])
    words.add_special_tokens(special)
    words.post_processor = processors.TemplateProcessing(
        single=f"{ends[0]} $A {ends[1]}",
        special_tokens=[_with_id(words, token) for token in ends],
    )
    return words


def _sentencepiece(model: Path) -> sentencepiece_format.ModelProto:
    """The file's content (https://github.com/google/sentencepiece, ``sentencepiece_model.proto``)."""
    proto = sentencepiece_format.ModelProto()
    proto.ParseFromString(model.read_bytes())
    if proto.trainer_spec.model_type != sentencepiece_format.TrainerSpec.UNIGRAM or len(proto.pieces) < 4:
        raise InputError(
            f"{model}: {len(proto.pieces)} pieces of model type {proto.trainer_spec.model_type}; expected a Unigram "
            "model; copy the model's own there"
        )
    return proto


def _charsmap(proto: sentencepiece_format.ModelProto) -> normalizers.Normalizer:
    """The model's own normalisation of characters, if it brings one."""
    table = proto.normalizer_spec.precompiled_charsmap
    return normalizers.Precompiled(table) if table else normalizers.Sequence([])


#: File name -> what reads it.
BUILDERS: Mapping[str, Callable[[Path], Tokenizer]] = {
    "vocab.txt": bert_tokenizer,
    "vocab.json": roberta_tokenizer,
    "sentencepiece.bpe.model": xlm_roberta_tokenizer,
    "spiece.model": albert_tokenizer,
}


def _with_id(words: Tokenizer, token: str) -> tuple[str, int]:
    """A token that was just added, with its number."""
    number = words.token_to_id(token)
    if number is None:
        raise InputError(f"the vocabulary has no {token}; copy the model's own tokenizer files again")
    return token, number
