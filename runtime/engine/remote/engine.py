"""The remote engine: the face of an engine, behind it any OpenAI-compatible server on another machine."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from pathlib import Path

from runtime.engine.face import EngineInfo, EngineLoad, FinishReason, GenerationRequest
from runtime.engine.fairness import FairQueue
from runtime.engine.remote.breaker import CircuitBreaker
from runtime.engine.remote.call import Caller
from runtime.engine.remote.dialect import DIALECTS
from runtime.engine.remote.generation import RemoteGeneration
from runtime.engine.remote.http import AttemptFailedError, Upstream
from runtime.engine.remote.options import RemoteOptions
from runtime.engine.vocabulary import VocabularyFile
from runtime.errors import (
    EngineClosedError,
    EngineError,
    EngineUnavailableError,
    PromptTooLongError,
    QueueFullError,
    RuntimeFault,
    StartError,
)

log = logging.getLogger(__name__)


class RemoteEngine:
    """See ``runtime.engine.face.Engine``.

    One thread runs an event loop; each generation is a task in it. Cancelling the task closes its connection wherever
    it stands (a name looked up, a connection begun, a silent stream), and the server stops computing.
    """

    def __init__(self, url: str, options: RemoteOptions, tokenizer_model: Path) -> None:
        """Read the vocabulary, start the thread and ask the server who it is.

        One that does not answer yet is no reason not to start: it is asked again with the first request.

        Args:
            url: of the server, ``http://host:port``.
            options: how it is reached.
            tokenizer_model: a GGUF file with the vocabulary of the model that is served there.

        Raises:
            StartError: the file, the address, the key or the certificates cannot be used, or the server answers and
                refuses.
        """
        self._options = options
        self._upstream = Upstream(url, options)
        self._vocabulary = VocabularyFile(tokenizer_model)
        self._breaker = CircuitBreaker(options.breaker_failures, options.breaker_cooldown_s)
        self._caller = Caller(self._upstream, options, self._vocabulary, self._breaker)
        self._lock = threading.Lock()
        self._encoding = threading.Lock()  # held while text is encoded, so that ``close`` cannot free it meanwhile
        self._queue: FairQueue[RemoteGeneration] = FairQueue(options.queue_capacity)
        self._max_running = options.max_running
        self._running: set[RemoteGeneration] = set()
        self._tasks: dict[RemoteGeneration, asyncio.Task[None]] = {}
        self._closing = self._closed = False
        self._prefill_tokens = self._decode_tokens = self._cached_tokens = 0
        self._seconds_each = 1.0  # moving average of a request's time
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="remote-engine", daemon=True)
        self._thread.start()
        try:
            self.info = self._find_out()
        except BaseException:
            self.close()
            raise

    def _find_out(self) -> EngineInfo:
        options = self._options
        adapters, context_tokens = options.adapters, options.context_tokens
        try:
            target = asyncio.run_coroutine_threadsafe(self._caller.target(), self._loop).result()
        except AttemptFailedError as failed:
            if not isinstance(failed.error, EngineUnavailableError):
                raise StartError(str(failed)) from failed
            log.warning("%s", failed)
            self._breaker.failed(str(failed))
            notes: tuple[str, ...] = (
                f"upstream {self._upstream.url}: did not answer at the start; asked again with each request",
            )
        else:
            notes = target.notes
            if DIALECTS[target.kind].one_at_a_time:
                self._max_running = 1
                notes = (*notes, f"one answer at a time: {target.kind} breaks one off when another is asked for")
            adapters = tuple(dict.fromkeys((*adapters, *target.adapters)))
            context_tokens = min(context_tokens, target.context_tokens or context_tokens)
        return EngineInfo("remote", 0, context_tokens, adapters, notes)

    @property
    def bos(self) -> tuple[int, ...]:
        """What a prompt begins with."""
        return self._vocabulary.bos

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids; special tokens recognised, none added. Raises EngineClosedError after ``close``."""
        return self._encode(text, after="")

    def _encode(self, text: str, after: str) -> tuple[int, ...]:
        with self._encoding:
            if self._closed:
                raise EngineClosedError("the engine is closed")
            return self._vocabulary.encode_after(after, text) if after else self._vocabulary.encode(text)

    def unavailable(self) -> str:
        """Why the server does not answer now; empty if it does, as far as is known."""
        why, blocked_s = self._breaker.why, self._breaker.blocked_s()
        return f"{why} (left alone for another {blocked_s:.0f} s)" if why and blocked_s else why

    def load(self) -> EngineLoad:
        """How busy it is now; what the server computed is its own count."""
        with self._lock:
            return EngineLoad(
                running=len(self._running),
                waiting=len(self._queue),
                prefill_tokens=self._prefill_tokens,
                decode_tokens=self._decode_tokens,
                cached_tokens=self._cached_tokens,
            )

    def prepare(self, prefix: tuple[int, ...], adapter: str = "", *, lasting: bool = True) -> None:
        """Nothing to do: what the server keeps of earlier prompts is its own affair."""

    def submit(self, request: GenerationRequest) -> RemoteGeneration:
        """Send a request, or queue it while ``max_running`` others are under way.

        Raises:
            InvalidRequestError, PromptTooLongError, QueueFullError, EngineClosedError: see ``runtime.errors``.
            EngineUnavailableError: the server failed repeatedly and is left alone.
        """
        if len(request.prompt) >= self.info.context_tokens:
            raise PromptTooLongError(len(request.prompt), self.info.context_tokens)
        with self._encoding:
            if self._closed:
                raise EngineClosedError("the engine is closed")
            self._caller.check(request, self.info.adapters)
        generation = RemoteGeneration(request, lambda text: self._encode(text, after="\n"), self._cancelled)
        with self._lock:
            if self._closing:
                raise EngineClosedError("the engine is closing")
            self._refuse_if_hopeless(request)
            if len(self._running) < self._max_running:
                self._begin(generation)
            else:
                self._queue.push(request.client, generation)
            if request.deadline_s > 0:
                self._loop.call_soon_threadsafe(self._loop.call_later, request.deadline_s, self._overdue, generation)
        return generation

    def _refuse_if_hopeless(self, request: GenerationRequest) -> None:
        if (blocked_s := self._breaker.blocked_s()) > 0:
            raise EngineUnavailableError(f"{self._breaker.why}; left alone for {blocked_s:.0f} s", blocked_s)
        waiting = len(self._queue)
        if len(self._running) < self._max_running:
            return
        wait_s = (waiting + 1) * self._seconds_each / self._max_running
        if not self._queue.has_room(request.client) or 0 < request.deadline_s < wait_s:
            raise QueueFullError(waiting, max(1.0, wait_s))

    def close(self) -> None:
        """Cancel everything, wait for the thread, free the vocabulary. Further calls do nothing."""
        with self._lock:
            if self._closing:
                return
            self._closing = True
            open_ones = [*self._queue.remove(lambda _: True), *self._running]
        for generation in open_ones:
            generation.cancel()
        asyncio.run_coroutine_threadsafe(self._wind_up(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        with self._encoding:
            self._closed = True
            self._vocabulary.close()

    async def _wind_up(self) -> None:
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))
        await self._upstream.close()

    def _cancelled(self, generation: RemoteGeneration) -> None:
        with self._lock:
            self._queue.remove(lambda other: other is generation)
            if generation in self._running:
                self._loop.call_soon_threadsafe(self._stop, generation)

    # What follows runs in the event loop, but for ``_begin``.

    def _begin(self, generation: RemoteGeneration) -> None:
        """Give it a place; the lock is held."""
        self._running.add(generation)
        generation.start()
        self._loop.call_soon_threadsafe(self._spawn, generation)

    def _spawn(self, generation: RemoteGeneration) -> None:
        began = time.monotonic()
        task = self._tasks[generation] = self._loop.create_task(self._work(generation))
        # Not a ``finally`` in the task: one that is cancelled before it began never gets there.
        task.add_done_callback(lambda _: self._done(generation, time.monotonic() - began))

    def _stop(self, generation: RemoteGeneration) -> None:
        if (task := self._tasks.get(generation)) is not None:
            task.cancel()

    def _overdue(self, generation: RemoteGeneration) -> None:
        if generation.settled or generation.answering:
            return
        problem = f"no first token within the {generation.request.deadline_s:g} s that were asked for"
        generation.fail(self._upstream.unavailable(problem, "ask again later", max(1.0, self._seconds_each)))
        self._cancelled(generation)

    async def _work(self, generation: RemoteGeneration) -> None:
        try:
            if not generation.settled:
                await self._caller.run(generation)
        except asyncio.CancelledError:
            generation.end(FinishReason.CANCELLED)
        except RuntimeFault as error:
            generation.fail(error)
        except Exception as error:
            log.exception("a generation failed")
            generation.fail(EngineError(f"upstream {self._upstream.url}: {type(error).__name__}: {error}"))

    def _done(self, generation: RemoteGeneration, took_s: float) -> None:
        """Count what it cost and give its place to the next."""
        self._tasks.pop(generation)
        usage = generation.usage
        with self._lock:
            self._running.discard(generation)
            if generation.answering:
                self._prefill_tokens += usage.prompt_tokens - usage.cached_tokens
                self._cached_tokens += usage.cached_tokens
                self._decode_tokens += usage.completion_tokens
                self._seconds_each += 0.2 * (took_s - self._seconds_each)
            while not self._closing and len(self._running) < self._max_running:
                if (following := self._queue.pop()) is None:
                    return
                self._begin(following)
