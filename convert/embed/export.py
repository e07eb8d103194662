"""Export a sentence encoder as int8 ONNX: one folder with the model, its tokenizer and what was measured.

``embed.onnx``: int64 ``input_ids``, ``attention_mask`` and, where the model takes them, ``token_type_ids``, all (B, T);
float32 ``embedding`` (B, D), rows of length 1: pooling and normalisation stand inside. Its metadata has ``dimension``,
``max_tokens``, ``pooling``, ``normalized`` and ``pad_id`` (decimal digits, words), for bundles carry no further file.
``embed-tokenizer.json``: for the ``tokenizers`` library; it cuts at ``max_tokens`` and does not pad.
``embed.json``: ``EmbedModel``, for people and for the manifest.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import onnx
import torch
from tokenizers import Tokenizer

from convert.embed.fidelity import SHOWN, Fidelity, compare
from convert.embed.model import SentenceModel, load_encoder
from convert.embed.sentences import SENTENCES
from convert.embed.source import EncoderSource, read_encoder
from convert.errors import CheckError, InputError
from convert.files import atomic_folder
from convert.onnx.int8 import quantize_encoder
from convert.onnx.parity import parity, require_parity
from convert.onnx.session import session_of
from convert.onnx.tokenizer import pad_id
from convert.onnx.trace import to_onnx
from convert.progress import Progress, silent
from models.manifest import EMBED, EMBED_TOKENIZER

EMBED_JSON = "embed.json"

#: Below it int8 vectors point elsewhere; the cause is a damaged model, for sound ones stay above 0.98.
MIN_COSINE = 0.95


@dataclass(frozen=True, slots=True)
class EmbedModel:
    """What ``embed.json`` says.

    Attributes:
        source: the encoder's name.
        sha256: of its weights.
        dimension: numbers of a vector.
        max_tokens: longest input, special tokens included.
        pooling: ``mean`` over the tokens, or ``cls``, the first token's vector.
        normalized: whether vectors have length 1, so that a product is a cosine.
        float32_onnx_max_difference: of the float32 ONNX model from PyTorch, on random ids.
        int8: int8 against PyTorch on sentences.
    """

    source: str
    sha256: str
    dimension: int
    max_tokens: int
    pooling: str
    normalized: bool
    float32_onnx_max_difference: float
    int8: Fidelity


def export_encoder(
    folder: Path, out: Path, sentences: Sequence[str] = SENTENCES, progress: Progress = silent
) -> EmbedModel:
    """Export, check, measure and write the folder ``out``.

    Args:
        folder: the encoder's, see ``convert.embed.source``.
        out: replaced as a whole.
        sentences: more than SHOWN of them, to measure int8 on.
        progress: told how far measuring is.

    Raises:
        InputError: the folder is no sentence encoder, or is damaged.
        UnsupportedError: it is one that cannot be exported.
        CheckError: the export differs from PyTorch by more than ``convert.onnx.parity`` allows, or int8 by more than
            MIN_COSINE.
    """
    if len(sentences) <= SHOWN:
        raise InputError(f"{len(sentences)} sentences to measure on; expected more than {SHOWN}")
    source = read_encoder(folder)
    module = load_encoder(source)
    with atomic_folder(out) as made:
        plain = made / "float32.onnx"
        to_onnx(module, plain, "embedding", segments=source.segments)
        difference = parity(module, plain, segments=source.segments, vocabulary=source.vocabulary, tokens=source.tokens)
        require_parity(folder, difference)
        source.words.enable_truncation(source.tokens)
        quantize_encoder(plain, made / EMBED, [words.ids for words in source.words.encode_batch(list(sentences))])
        plain.unlink()
        _describe(made / EMBED, source)
        source.words.save(str(made / EMBED_TOKENIZER))
        fidelity = measure(module, made / EMBED, source.words, sentences, progress)
        model = EmbedModel(
            source=source.name,
            sha256=source.sha256,
            dimension=source.dimension,
            max_tokens=source.tokens,
            pooling=source.pooling,
            normalized=True,
            float32_onnx_max_difference=float(f"{difference:.1e}"),
            int8=fidelity,
        )
        if not fidelity.cosine_mean >= MIN_COSINE:
            raise CheckError(
                f"{folder}: int8 vectors have a mean cosine of {fidelity.cosine_mean} with the original's; expected at "
                f"least {MIN_COSINE}; is the encoder trained?"
            )
        text = json.dumps(asdict(model), indent=1, ensure_ascii=False) + "\n"
        (made / EMBED_JSON).write_text(text, encoding="utf-8")
    return model


def measure(
    module: SentenceModel, exported: Path, words: Tokenizer, sentences: Sequence[str], progress: Progress = silent
) -> Fidelity:
    """The exported model's vectors against the PyTorch model's, sentence by sentence."""
    ids = [encoding.ids for encoding in words.encode_batch(list(sentences))]
    ours = session_of(exported, words).run_all(ids, progress, "int8")
    theirs = []
    for number, row in enumerate(ids, start=1):
        tokens = torch.tensor([row])
        with torch.inference_mode():
            theirs.append(module(tokens, torch.ones_like(tokens)))
        progress("float32", number, len(ids))
    return compare(ours, torch.cat(theirs).numpy())


def _describe(path: Path, source: EncoderSource) -> None:
    """Write into the model what its user has to know."""
    model = onnx.load(str(path))
    told = {
        "dimension": source.dimension,
        "max_tokens": source.tokens,
        "pooling": source.pooling,
        "normalized": "true",
        "pad_id": pad_id(source.words),
    }
    onnx.helper.set_model_props(model, {key: str(value) for key, value in told.items()})
    onnx.save(model, str(path))
