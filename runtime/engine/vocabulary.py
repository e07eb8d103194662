"""Text to token ids and back: a model's vocabulary in libllama, with or without the model's weights."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import llama_cpp

from runtime.engine.weightless import weightless
from runtime.errors import EngineError

#: Tokens that split a text before it is encoded, so that what follows begins like a text of its own.
_APART = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED


class Vocabulary:
    """What a vocabulary handle of libllama can say. Reading only, so safe from any thread while the model lives."""

    def __init__(self, handle: llama_cpp.llama_vocab_p) -> None:
        self.handle = handle
        self.size: int = llama_cpp.llama_vocab_n_tokens(handle)
        #: Tokens that end an answer.
        self.end_tokens = frozenset(t for t in range(self.size) if llama_cpp.llama_vocab_is_eog(handle, t))
        #: What a prompt begins with: the BOS token, or nothing for a model that has none.
        self.bos: tuple[int, ...] = (
            (llama_cpp.llama_vocab_bos(handle),) if llama_cpp.llama_vocab_get_add_bos(handle) else ()
        )
        self._space_first = any(self.piece(t).startswith(b" ") for t in self.encode("a")[:1])

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids; special tokens in the text are recognised, none is added.

        Raises:
            EngineError: libllama finds more tokens than bytes.
        """
        data = text.encode("utf-8")
        room = len(data) + 16
        ids = (llama_cpp.llama_token * room)()
        count = llama_cpp.llama_tokenize(self.handle, data, len(data), ids, room, False, True)
        if count < 0:
            raise EngineError(f"libllama found {-count} tokens in {len(data)} bytes; expected at most {room}")
        return tuple(ids[:count])

    def encode_after(self, before: str, text: str) -> tuple[int, ...]:
        """Token ids of ``text`` where it follows ``before``: a SentencePiece vocabulary puts no space in front then."""
        head, whole = self.encode(before), self.encode(before + text)
        return whole[len(head) :] if whole[: len(head)] == head else self.encode(text)

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The bytes of a token; a control token has none, unless ``special`` asks for how it is written."""
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            count = llama_cpp.llama_token_to_piece(self.handle, token, buffer, size, 0, special)
            if count >= 0:
                return buffer.raw[:count]
            size = -count

    def decode(self, ids: Sequence[int]) -> str:
        """The text that ``encode`` makes ``ids`` of: special tokens as they are written, a leading BOS left out.

        libllama's own llama_detokenize keeps the space that a SentencePiece vocabulary puts before every stretch of
        text, so encoding its text again would find one more.
        """
        if self.bos and tuple(ids[:1]) == self.bos:
            ids = ids[1:]
        parts: list[bytes] = []
        begins = True
        for token in ids:
            data = self.piece(token, special=True)
            apart = bool(llama_cpp.llama_vocab_get_attr(self.handle, token) & _APART)
            if begins and not apart and self._space_first:
                data = data.removeprefix(b" ")
            parts.append(data)
            begins = apart
        return b"".join(parts).decode("utf-8", errors="replace")

    def parses(self, grammar: str) -> bool:
        """Whether a GBNF grammar with a rule ``root`` can be followed."""
        sampler = llama_cpp.llama_sampler_init_grammar(self.handle, grammar.encode(), b"root")
        if sampler:
            llama_cpp.llama_sampler_free(sampler)
        return bool(sampler)


class VocabularyFile(Vocabulary):
    """The vocabulary of a GGUF file, read without its weights."""

    def __init__(self, path: Path) -> None:
        """Read it.

        Raises:
            StartError: libllama cannot read the file.
        """
        self._open = ExitStack()
        super().__init__(llama_cpp.llama_model_get_vocab(self._open.enter_context(weightless(path))))

    def close(self) -> None:
        """Free it; nothing else may be called afterwards."""
        self._open.close()
