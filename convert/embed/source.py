"""A sentence encoder's folder, as the sentence-transformers library saves one: what it is, and what it is not.

``modules.json`` names the steps: a transformer, how its tokens' vectors become one (``1_Pooling/config.json``), and
perhaps a normalisation to length 1. ``sentence_bert_config.json`` has the longest input.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from convert.checkpoint.folder import weight_files, weights_sha256
from convert.checkpoint.jsonfile import read_json
from convert.errors import InputError, UnsupportedError
from convert.onnx.tokenizer import check_tokenizer, open_tokenizer

MODULES = "modules.json"

#: A field of the pooling's configuration -> what it is called here. Others are refused.
POOLINGS: Mapping[str, str] = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}

#: ``model_type`` -> whether the model takes ``token_type_ids``, and how many positions it does not give to tokens.
ENCODERS: Mapping[str, tuple[bool, int]] = {"bert": (True, 0), "roberta": (False, 2), "xlm-roberta": (False, 2)}

_EXPECTED = "expected a sentence encoder's folder, such as all-MiniLM-L6-v2"


@dataclass(frozen=True, slots=True)
class EncoderSource:
    """A sentence encoder at hand.

    Attributes:
        folder: where it lies.
        name: what its configuration calls it, else the folder's name.
        kind: a key of ENCODERS.
        pooling: a value of POOLINGS.
        dimension: numbers of a sentence's vector.
        tokens: longest input, special tokens included; longer sentences are cut.
        vocabulary: rows of the word embedding.
        segments: whether it takes ``token_type_ids``.
        sha256: of its weights.
        words: its tokenizer, without padding and truncation.
    """

    folder: Path
    name: str
    kind: str
    pooling: str
    dimension: int
    tokens: int
    vocabulary: int
    segments: bool
    sha256: str
    words: Tokenizer


def read_encoder(folder: Path) -> EncoderSource:
    """Read and check all but the weights' values.

    Raises:
        InputError: it is no sentence encoder, or a file is missing, malformed or disagrees with the others.
        UnsupportedError: an architecture, a pooling or a further step that cannot be exported.
    """
    for name in (MODULES, "config.json", "tokenizer.json"):
        if not (folder / name).is_file():
            raise InputError(f"{folder}: no sentence encoder, it has no {name}; {_EXPECTED}; copy the whole folder")
    config = read_json(folder / "config.json")
    kind = config.get("model_type")
    if kind not in ENCODERS:
        raise UnsupportedError(f"{folder}: model_type is {kind!r}; {_EXPECTED}, of type {', '.join(ENCODERS)}")
    segments, reserved = ENCODERS[str(kind)]
    pooling, dimension = _pooling(folder)
    width, rows, positions = (
        _whole(config, folder, key) for key in ("hidden_size", "vocab_size", "max_position_embeddings")
    )
    if dimension != width:
        raise InputError(f"{folder}: pools {dimension} numbers of {width}; expected the same; copy the folder again")
    words = open_tokenizer(folder / "tokenizer.json")
    padding = config.get("pad_token_id")
    check_tokenizer(words, folder / "tokenizer.json", rows, padding if isinstance(padding, int) else 0)
    weight_files(folder)
    return EncoderSource(
        folder=folder,
        name=str(config.get("_name_or_path") or folder.resolve().name),
        kind=str(kind),
        pooling=pooling,
        dimension=dimension,
        tokens=min(_max_tokens(folder) or positions - reserved, positions - reserved),
        vocabulary=rows,
        segments=segments,
        sha256=weights_sha256(folder),
        words=words,
    )


def _whole(config: Mapping[str, object], folder: Path, key: str) -> int:
    value = config.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise InputError(f"{folder}/config.json: {key} is {value!r}; expected 1 or more; copy the folder again")
    return value


def _pooling(folder: Path) -> tuple[str, int]:
    """How tokens become a sentence, and its dimension."""
    steps = _steps(folder / MODULES)
    names = [name for name, _ in steps]
    if names not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise UnsupportedError(
            f"{folder / MODULES}: steps {', '.join(names)}; expected Transformer, Pooling and perhaps Normalize"
        )
    if steps[0][1]:
        raise UnsupportedError(f"{folder / MODULES}: the transformer is in {steps[0][1]!r}; expected the folder itself")
    file = folder / steps[1][1] / "config.json"
    config = read_json(file)
    chosen = [key for key, value in config.items() if key.startswith("pooling_mode_") and value is True]
    if len(chosen) != 1 or chosen[0] not in POOLINGS:
        raise UnsupportedError(f"{file}: pools by {chosen}; expected one of {', '.join(POOLINGS)}")
    return POOLINGS[chosen[0]], _whole(config, file.parent, "word_embedding_dimension")


def _steps(file: Path) -> list[tuple[str, str]]:
    """Class name and folder of each step."""
    try:
        return [(str(row["type"]).rpartition(".")[2], str(row["path"])) for row in json.loads(file.read_text("utf-8"))]
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{file}: malformed ({error!r}); {_EXPECTED}; copy it again") from error


def _max_tokens(folder: Path) -> int | None:
    file = folder / "sentence_bert_config.json"
    found = read_json(file).get("max_seq_length") if file.is_file() else None
    return found if isinstance(found, int) and found > 0 else None
