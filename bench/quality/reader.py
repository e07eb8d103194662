"""A GGUF that reads a given text: the log-probability of every possible next token, by libllama."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import llama_cpp
import numpy as np
from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from bench.errors import UsageError
from bench.metrics import Floats
from bench.quality.texts import Document, QualityText
from models.manifest import Chat
from runtime.engine.cores import physical_cores
from runtime.engine.llama import BATCH_ROWS, Llama, LlamaOptions, Row
from runtime.errors import EngineError, StartError

#: Cells of the context: the longest conversation that is read.
CELLS = 2048

_SEQUENCE = 0
_EOS = "</s>"


class Reader(Llama):
    """A model that is shown texts instead of being asked for some. Use it in a ``with`` block."""

    def __init__(self, path: Path, threads: int = 0) -> None:
        """Load the model; ``threads`` 0 takes the physical cores.

        Raises:
            UsageError: libllama cannot load the file.
        """
        try:
            super().__init__(path, LlamaOptions(CELLS, threads or physical_cores()))
        except StartError as error:
            raise UsageError(str(error)) from error

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def log_probabilities(self, document: Document) -> Floats:
        """Of every token of the vocabulary, where each token of the answer stands; nats.

        Returns:
            float64 of shape (T, V): T tokens of the answer, V tokens of the vocabulary. Row t was predicted from all
            tokens before answer token t.

        Raises:
            UsageError: the document is longer than the context, or its answer is empty or is not preceded by anything.
        """
        ids, first = document.ids, document.first
        if not 0 < first < len(ids) <= self.cells:
            raise UsageError(
                f"a text of {len(ids)} tokens whose answer begins at {first}; expected 1 to {self.cells} tokens with "
                "something before the answer; shorten the text"
            )
        self.forget(_SEQUENCE)
        parts = [self._chunk(ids[:-1], start, first - 1) for start in range(0, len(ids) - 1, BATCH_ROWS)]
        return np.concatenate([part for part in parts if len(part)])

    def _chunk(self, ids: Sequence[int], start: int, wanted_from: int) -> Floats:
        """Compute up to BATCH_ROWS tokens from ``start`` on; (n, V) of those at ``wanted_from`` or later."""
        places = range(start, min(start + BATCH_ROWS, len(ids)))
        try:
            self.compute([Row(ids[place], place, _SEQUENCE, place >= wanted_from) for place in places])
        except EngineError as error:
            raise UsageError(f"libllama computes no logits ({error}); is there enough memory?") from error
        count = sum(place >= wanted_from for place in places)
        if not count:
            return np.empty((0, self.vocabulary.size))
        pointer = llama_cpp.llama_get_logits(self._context)
        return log_softmax(np.ctypeslib.as_array(pointer, shape=(count, self.vocabulary.size)).astype(np.float64))


def log_softmax(logits: Floats) -> Floats:
    """Log-probabilities of rows of logits (T, V), the largest taken off first so that nothing overflows."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True)), dtype=np.float64)


def documents(reader: Reader, chat: Chat, texts: Sequence[QualityText]) -> tuple[Document, ...]:
    """The texts as conversations in a bundle's chat template: system prompt, question, reference answer.

    The answer begins at the first token in which the conversation with the answer differs from the prompt for one, so
    what a template puts between (a line break, say) is predicted too, as it is when the model answers.

    Raises:
        UsageError: the template is not valid.
    """
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    try:
        template = environment.from_string(chat.template)
        return tuple(
            _document(
                reader,
                *(
                    template.render(
                        messages=messages, add_generation_prompt=generate, eos_token=_EOS, bos_token="", tools=None
                    )
                    for messages, generate in _conversations(chat.system_prompt, text)
                ),
            )
            for text in texts
        )
    except TemplateError as error:
        raise UsageError(f"the bundle's chat.template cannot be rendered ({error}); rebuild the bundle") from error


def _conversations(system: str, text: QualityText) -> tuple[tuple[list[dict[str, str]], bool], ...]:
    asked = [{"role": "system", "content": system}] if system else []
    asked.append({"role": "user", "content": text.question})
    return (asked, True), ([*asked, {"role": "assistant", "content": text.reference}], False)


def _document(reader: Reader, prompt: str, whole: str) -> Document:
    vocabulary = reader.vocabulary
    before, ids = vocabulary.encode(prompt), vocabulary.encode(whole)
    same = next((place for place, (a, b) in enumerate(zip(before, ids, strict=False)) if a != b), len(before))
    return Document((*vocabulary.bos, *ids), len(vocabulary.bos) + same)
