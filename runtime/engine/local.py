"""The local engine: one thread owns libllama and answers one request after the other, fairly between clients."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from runtime.engine.face import EngineInfo, EngineLoad, FinishReason, GenerationRequest, Piece
from runtime.engine.fairness import FairQueue
from runtime.engine.generation import LocalGeneration
from runtime.engine.llama import CHUNK_TOKENS, DecodeAbortedError, Llama, LlamaOptions
from runtime.engine.sampler import Sampler
from runtime.engine.text import TextAssembler
from runtime.errors import EngineClosedError, EngineError, PromptTooLongError, QueueFullError, RuntimeFault

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """How the local engine runs.

    Attributes:
        context_tokens: prompt and answer together, at most.
        threads: compute threads; 0 takes the physical cores.
        queue_capacity: requests that may wait; one more is refused.
    """

    context_tokens: int = 2048
    threads: int = 0
    queue_capacity: int = 64


def physical_cores() -> int:
    """Cores that may be used; hyper-threads share one's arithmetic units and only slow each other down."""
    return min(psutil.cpu_count(logical=False) or 1, len(psutil.Process().cpu_affinity()))


class LocalEngine:
    """See ``runtime.engine.face.Engine``.

    Prompts are computed in chunks that begin at multiples of CHUNK_TOKENS, and a prompt that shares whole chunks with
    the one before does not compute them again. Because the borders are always the same, so are batch shapes and
    rounding: an answer at temperature 0 does not depend on what was asked before or at the same time.
    """

    def __init__(self, model: Path, options: LocalOptions) -> None:
        """Load the model and start the thread.

        Raises:
            StartError: libllama cannot load it.
        """
        threads = options.threads or physical_cores()
        self._llama = Llama(model, LlamaOptions(options.context_tokens, threads))
        self.info = EngineInfo(
            kind="local",
            threads=threads,
            context_tokens=self._llama.context_tokens,
            notes=(
                f"{threads} threads: " + ("as configured" if options.threads else "the physical cores"),
                "model in private memory, not mapped: repacked weights beside a mapped file would count twice",
            ),
        )
        self._queue: FairQueue[LocalGeneration] = FairQueue(options.queue_capacity)
        self._changed = threading.Condition()
        self._vocabulary = threading.Lock()  # held while text is encoded, so that ``close`` cannot free it meanwhile
        self._running: LocalGeneration | None = None
        self._closing = False
        self._computed: tuple[int, ...] = ()  # the prompt whose cells the context holds
        self._prefill_tokens = self._decode_tokens = 0
        self._seconds_each = 1.0  # moving average of a request's time on the engine
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    @property
    def bos(self) -> tuple[int, ...]:
        """What a prompt begins with."""
        return self._llama.bos

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids; special tokens recognised, none added. Raises EngineClosedError after ``close``."""
        with self._vocabulary:
            if self._closing:
                raise EngineClosedError("the engine is closing")
            return self._llama.encode(text)

    def load(self) -> EngineLoad:
        """How busy it is now."""
        with self._changed:
            running = int(self._running is not None)
            return EngineLoad(running, len(self._queue), self._prefill_tokens, self._decode_tokens)

    def submit(self, request: GenerationRequest) -> LocalGeneration:
        """Queue a request.

        Raises:
            InvalidRequestError, PromptTooLongError, QueueFullError, EngineClosedError: see ``runtime.errors``.
        """
        if len(request.prompt) >= self._llama.context_tokens:
            raise PromptTooLongError(len(request.prompt), self._llama.context_tokens)
        with self._changed:
            if self._closing:
                raise EngineClosedError("the engine is closing")
            if self._queue.full:
                waiting = len(self._queue)
                raise QueueFullError(waiting, max(1.0, waiting * self._seconds_each))
            sampler = Sampler(self._llama, request.sampling, ignore_eos=request.ignore_eos)
            generation = LocalGeneration(request, sampler, self._cancelled)
            self._queue.push(request.client, generation)
            self._changed.notify()
        return generation

    def close(self) -> None:
        """Cancel everything, wait for the thread, free the model. Further calls do nothing."""
        with self._changed:
            if self._closing:
                return
            self._closing = True
            waiting = self._queue.remove(lambda _: True)
            if self._running is not None:
                self._running.cancelled = True
            self._llama.abort(True)
            self._changed.notify()
        for generation in waiting:
            generation.end(FinishReason.CANCELLED)
        self._thread.join()
        with self._vocabulary:
            self._llama.close()

    def _cancelled(self, generation: LocalGeneration) -> None:
        with self._changed:
            if self._running is generation:
                self._llama.abort(True)
                return
            waiting = self._queue.remove(lambda other: other is generation)
        for one in waiting:
            one.end(FinishReason.CANCELLED)

    def _work(self) -> None:
        while (generation := self._next()) is not None:
            started = time.monotonic()
            try:
                reason = self._generate(generation)
            except DecodeAbortedError:
                self._computed = ()
                generation.end(FinishReason.CANCELLED)
            except Exception as error:
                self._computed = ()
                log.exception("a generation failed")
                generation.fail(error if isinstance(error, RuntimeFault) else EngineError(str(error)))
            else:
                generation.end(reason)
            with self._changed:
                self._running = None
                self._seconds_each += 0.2 * (time.monotonic() - started - self._seconds_each)

    def _next(self) -> LocalGeneration | None:
        with self._changed:
            while not self._closing:
                if (generation := self._queue.pop()) is not None:
                    self._running = generation
                    self._llama.abort(generation.cancelled)
                    return generation
                self._changed.wait()
            return None

    def _generate(self, generation: LocalGeneration) -> FinishReason:
        generation.start()
        self._prefill(generation)
        return self._decode(generation)

    def _prefill(self, generation: LocalGeneration) -> None:
        prompt = generation.request.prompt
        shared = _common_prefix(prompt, self._computed)
        kept = min(shared, len(prompt) - 1) // CHUNK_TOKENS * CHUNK_TOKENS
        self._llama.forget_from(kept)
        self._computed = prompt[:kept]
        generation.cached_tokens = kept
        for at in range(kept, len(prompt), CHUNK_TOKENS):
            chunk = prompt[at : at + CHUNK_TOKENS]
            self._llama.decode(chunk, at, want_logits=at + len(chunk) == len(prompt))
            self._computed = prompt[: at + len(chunk)]
            self._prefill_tokens += len(chunk)

    def _decode(self, generation: LocalGeneration) -> FinishReason:
        request = generation.request
        text = TextAssembler(request.stop)
        position = len(request.prompt)
        limit = min(request.max_tokens, self._llama.context_tokens - position)
        unreported = 0
        reason = FinishReason.LENGTH
        for count in range(1, limit + 1):
            token = generation.sampler.sample()
            generation.first_token()
            if token in self._llama.end_tokens:
                reason = FinishReason.STOP
                break
            generation.completion_tokens = count
            self._decode_tokens += 1
            unreported += 1
            if released := text.feed(self._llama.piece(token)):
                generation.emit(Piece(released, unreported))
                unreported = 0
            if text.stopped:
                reason = FinishReason.STOP
                break
            if generation.cancelled:
                return FinishReason.CANCELLED
            if count < limit:
                self._llama.decode((token,), position, want_logits=True)
                position += 1
        if rest := text.finish(cut=reason is FinishReason.LENGTH):
            generation.emit(Piece(rest, unreported))
        return reason


def _common_prefix(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))
