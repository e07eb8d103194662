"""A model folder as the writer takes it: read, compared with its own ``config.json`` and found convertible."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from convert.checkpoint import index_folder
from convert.gguf.config import ModelConfig, read_config
from convert.gguf.families import family_of
from convert.gguf.tensors import Precision, TensorPlan, plan_tensors
from convert.gguf.vocab import Vocabulary, read_vocabulary


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
    """

    folder: Path
    name: str | None
    config: ModelConfig
    vocabulary: Vocabulary
    tensors: tuple[TensorPlan, ...]
    precision: Precision

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
    family_of(config.architecture)
    tensors = plan_tensors(config, index_folder(folder), precision)
    return GgufSource(folder, name, config, read_vocabulary(folder, config.vocab), tensors, precision)
