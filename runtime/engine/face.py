"""The face that every engine shows: the local one on libllama, and any other that may stand in for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class FinishReason(StrEnum):
    """Why a generation ended."""

    STOP = "stop"
    LENGTH = "length"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. The defaults are greedy.

    Attributes:
        temperature: 0 is greedy; otherwise logits are divided by it.
        top_k: keep this many most likely tokens; 0 keeps all.
        top_p: keep the smallest set whose probability reaches it; 1 keeps all.
        min_p: drop tokens less likely than this share of the likeliest; 0 drops none.
        repeat_penalty: divides the logits of tokens seen lately; 1 is off.
        seed: of the random choice; None takes a fresh one.
        logit_bias: token id -> value added to its logit.
        grammar: a GBNF grammar that the text must follow, or empty.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repeat_penalty: float = 1.0
    seed: int | None = None
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    grammar: str = ""


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One prompt and its limits.

    Attributes:
        prompt: token ids, BOS included, at least one.
        max_tokens: tokens to generate at most; at least one.
        sampling: how tokens are chosen.
        stop: texts at which generation ends; they are not part of the answer.
        ignore_eos: go on after end-of-sequence tokens (for measuring).
        client: whose request it is; the queue is fair between clients.
        adapter: name of the LoRA adapter that answers; empty for the bare model.
        deadline_s: seconds from submission after which a first token is of no use; 0 sets none.
        drafting: whether tokens may be guessed in advance; off to measure what that gains.
    """

    prompt: tuple[int, ...]
    max_tokens: int
    sampling: Sampling = Sampling()
    stop: tuple[str, ...] = ()
    ignore_eos: bool = False
    client: str = ""
    adapter: str = ""
    deadline_s: float = 0.0
    drafting: bool = True


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of answer: whole characters only, and how many tokens it took."""

    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a generation cost.

    Attributes:
        prompt_tokens: length of the prompt.
        cached_tokens: how many of them were not computed again.
        completion_tokens: tokens generated, the end-of-sequence token not counted.
        queue_ms: from submission to the start of prefill.
        ttft_ms: from submission to the first token; 0 if there was none.
        total_ms: from submission to the end.
    """

    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    queue_ms: float = 0.0
    ttft_ms: float = 0.0
    total_ms: float = 0.0


class Generation(Protocol):
    """A running answer: iterate its pieces once; then ``finish_reason`` and ``usage`` are final."""

    @property
    def finish_reason(self) -> FinishReason:
        """Why it ended; CANCELLED until then."""

    @property
    def usage(self) -> Usage:
        """Costs so far."""

    @property
    def answer_ids(self) -> tuple[int, ...]:
        """The tokens generated so far, without an end token; none if they spell more than was given out.

        A prompt that repeats just them finds their cells again; the text, encoded anew, might be cut into others.
        """

    def __iter__(self) -> Iterator[Piece]:
        """The pieces as they come. Raises EngineError if the engine fails."""

    def cancel(self) -> None:
        """Give up: no further piece comes and the engine's memory is freed. Safe from any thread, at any time."""


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an operator wants to know of the engine; shown in ``/health``.

    Attributes:
        kind: ``local`` or ``remote``.
        threads: compute threads; 0 if another machine computes.
        context_tokens: prompt and answer together, at most.
        adapters: names of the LoRA adapters that a request may name.
        notes: each setting that was chosen by itself, and why.
    """

    kind: str
    threads: int
    context_tokens: int
    adapters: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EngineLoad:
    """How busy the engine is, and what it has done since the start.

    Attributes:
        running: generations with cells of their own.
        waiting: generations in the queue.
        prefill_tokens: prompt tokens computed.
        decode_tokens: answer tokens computed.
        cached_tokens: prompt tokens that were not computed, because their cells were there or came back from a blob.
        restored_tokens: of those, the ones out of a blob.
        drafted_tokens: guessed in advance,
        accepted_tokens: and of those, guessed right.
        prepare_faults: beginnings of prompts that could not be computed in advance; each was given up.
        cells: KV cells, one a token.
        cells_used: of those, not free.
        blob_ram_bytes: spilled to memory.
        blob_disk_bytes: spilled to disk.
        blob_faults: blobs that could not be written or read; each was computed anew.
        busy_s: seconds that the engine's thread was not waiting for work,
        library_s: and of those, the ones inside libllama; the rest is Python's share.
    """

    running: int
    waiting: int
    prefill_tokens: int
    decode_tokens: int
    cached_tokens: int = 0
    restored_tokens: int = 0
    drafted_tokens: int = 0
    accepted_tokens: int = 0
    prepare_faults: int = 0
    cells: int = 0
    cells_used: int = 0
    blob_ram_bytes: int = 0
    blob_disk_bytes: int = 0
    blob_faults: int = 0
    busy_s: float = 0.0
    library_s: float = 0.0


class Engine(Protocol):
    """Token ids in, token ids out."""

    @property
    def info(self) -> EngineInfo:
        """Settings, constant after the start."""

    def load(self) -> EngineLoad:
        """How busy it is now."""

    def unavailable(self) -> str:
        """Why no answer can be had now; empty if one can, as far as is known."""

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids of a text: special tokens in it are recognised, none is added."""

    @property
    def bos(self) -> tuple[int, ...]:
        """What a prompt begins with: the BOS token, or nothing for a model that has none."""

    def submit(self, request: GenerationRequest) -> Generation:
        """Queue a request.

        Raises:
            InvalidRequestError: an unknown adapter, token or grammar.
            PromptTooLongError: prompt and answer do not fit the context.
            QueueFullError: too many are waiting, or the deadline cannot be kept; carries seconds until it is worth
                trying again.
            EngineClosedError: the engine is closing.
        """

    def prepare(self, prefix: tuple[int, ...], adapter: str = "", *, lasting: bool = True) -> None:
        """Compute the beginning of prompts to come, when there is nothing else to do. Returns at once.

        Args:
            prefix: token ids from the prompts' first on.
            adapter: under which they will be answered.
            lasting: write it to disk at once, so that a restarted engine has it too; not for what one customer may say
                next, which would wear out a memory card.
        """

    def close(self) -> None:
        """Cancel everything and free the model."""
