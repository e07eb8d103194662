"""A model folder as the writer takes it: read, compared with its own ``config.json`` and found convertible."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from convert.checkpoint.folder import index_folder
from convert.checkpoint.weights import WeightSource
from convert.errors import UnsupportedError
from convert.gguf.bpe import read_bpe
from convert.gguf.config import ModelConfig, read_config
from convert.gguf.families import family_of
from convert.gguf.gptq import WARNING, unpacked
from convert.gguf.rope import ROPE_FREQS, llama3_factors
from convert.gguf.sentencepieces import read_sentencepieces
from convert.gguf.tensors import ComputedWeights, Precision, TensorPlan, expected_rows, plan_tensors
from convert.gguf.vocab import TOKENIZER_JSON, TOKENIZER_MODEL, Vocabulary


@dataclass(frozen=True, slots=True)
class GgufSource:
    """A model folder, read and found convertible.

    Attributes:
        folder: the Hugging Face folder.
        name: the GGUF's ``general.name``; None takes it from the folder, as the reference does.
        config: its shape.
        vocabulary: its tokens.
        tensors: all tensors in file order.
        precision: of the matrices.
        warnings: what converts, but not without loss or doubt; for whoever started the conversion.
    """

    folder: Path
    name: str | None
    config: ModelConfig
    vocabulary: Vocabulary
    tensors: tuple[TensorPlan, ...]
    precision: Precision
    warnings: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """Size of all tensors in the file, without the header."""
        return sum(tensor.bytes for tensor in self.tensors)


def read_source(folder: Path, precision: Precision = Precision.F16, name: str | None = None) -> GgufSource:
    """Read configuration, vocabulary and tensor headers; everything that can be refused is refused here.

    Raises:
        InputError: a file is missing or damaged, or they disagree.
        UnsupportedError: the architecture or tokenizer is not known.
    """
    config = read_config(folder)
    weights, warnings = _weights(folder, config)
    tensors = (*_computed(folder, config), *plan_tensors(config, weights, precision))
    vocabulary = read_vocabulary(folder, config.vocab)
    return GgufSource(folder, name, config, vocabulary, tensors, precision, (*warnings, *vocabulary.warnings))


def read_vocabulary(folder: Path, size: int) -> Vocabulary:
    """Read the vocabulary from whichever file has it; ``tokenizer.model`` goes first, as with the reference.

    Args:
        folder: the model folder.
        size: rows of the model's embedding, V.

    Raises:
        InputError: a file is damaged, or has more tokens than the model.
        UnsupportedError: there is none, or one that llama.cpp would split otherwise.
    """
    for file, read in ((TOKENIZER_MODEL, read_sentencepieces), (TOKENIZER_JSON, read_bpe)):
        if (folder / file).is_file():
            return read(folder, size)
    raise UnsupportedError(
        f"{folder}: holds neither {TOKENIZER_MODEL} nor {TOKENIZER_JSON}; expected a SentencePiece vocabulary or a "
        f"byte-level BPE; copy {TOKENIZER_MODEL} from the base model (transformers 5 drops it on save), or write "
        f"{TOKENIZER_JSON} with `AutoTokenizer.from_pretrained(base).save_pretrained(folder)`"
    )


def _weights(folder: Path, config: ModelConfig) -> tuple[dict[str, WeightSource], tuple[str, ...]]:
    """Sources of all weights by name, and what is to be said of them."""
    if config.gptq is None:
        return dict(index_folder(folder)), ()
    known = expected_rows(config, family_of(config.architecture))
    sources, empty = unpacked(index_folder(folder, integers=True), config.gptq, known)
    left_out = (f"{empty} biases that are zero throughout were left out; the model has none",) if empty else ()
    return sources, (WARNING, *left_out)


def _computed(folder: Path, config: ModelConfig) -> tuple[TensorPlan, ...]:
    """Tensors that come out of ``config.json``; they go first, as with the reference."""
    if config.rope.type != "llama3":
        return ()
    factors = ComputedWeights(ROPE_FREQS, folder / "config.json", llama3_factors(config.rope, config.head_dim))
    return (TensorPlan(factors, ROPE_FREQS, Precision.F32.quant_type),)
