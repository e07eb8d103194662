"""The local engine: one thread owns libllama, batches running answers, and never computes twice what it can keep."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from runtime.engine.batching import Batcher
from runtime.engine.blobs.store import BlobStore
from runtime.engine.cache import PrefixCache
from runtime.engine.costs import StepCosts
from runtime.engine.draft_file import DraftFile
from runtime.engine.drafts import DraftIndex
from runtime.engine.face import EngineInfo, EngineLoad, FinishReason, GenerationRequest
from runtime.engine.fairness import FairQueue
from runtime.engine.generation import LocalGeneration
from runtime.engine.interrupts import Interrupts
from runtime.engine.llama import SEQUENCES, Llama, LlamaOptions
from runtime.engine.preparation import Preparation
from runtime.engine.sampler import Sampler
from runtime.engine.settings import LocalOptions, choose
from runtime.engine.warmup import warm_up
from runtime.errors import (
    EngineClosedError,
    EngineError,
    InvalidRequestError,
    PromptTooLongError,
    QueueFullError,
    StartError,
)

log = logging.getLogger(__name__)

#: Of the queue, at most so much for one client.
CLIENT_SHARE = 0.5

#: The answers that drafts are made of, beside the blobs.
DRAFTS = "drafts.bin"


class LocalEngine:
    """See ``runtime.engine.face.Engine``."""

    def __init__(self, model: Path, options: LocalOptions) -> None:
        """Load the model and start the thread.

        Raises:
            StartError: libllama cannot load it, or there is not the memory for it.
        """
        self._options = options
        settings = choose(model, options)
        self._llama = Llama(model, LlamaOptions(settings.cells, settings.threads))
        try:
            for name, path in sorted(options.adapters.items()):
                self._llama.load_adapter(name, path)
        except StartError:
            self._llama.close()
            raise
        self._store = BlobStore(options.blobs, settings.stamp)
        self._cache = PrefixCache(self._llama, SEQUENCES, options.parallel + 1, self._store)
        self._costs = StepCosts()
        self._changed = threading.Condition()
        self._interrupts = Interrupts(self._llama, self._changed)
        self._drafts = DraftIndex() if options.drafting else None
        self._draft_file: DraftFile | None = None
        if self._drafts is not None and options.blobs.folder is not None:
            self._draft_file = DraftFile(self._drafts, options.blobs.folder / DRAFTS, settings.stamp)
        computing = self._interrupts.computing
        self._batcher = Batcher(
            self._llama, self._cache, self._costs, self._drafts, settings.adapters, options.step_s, computing
        )
        self._preparation = Preparation(self._llama, self._cache, settings.adapters)
        self.info = EngineInfo(
            kind="local",
            threads=settings.threads,
            context_tokens=min(options.context_tokens, self._llama.cells),
            adapters=tuple(sorted(options.adapters)),
            notes=settings.notes,
        )
        self._queue: FairQueue[LocalGeneration] = FairQueue(options.queue_capacity, CLIENT_SHARE)
        self._vocabulary = threading.Lock()  # held while text is encoded, so that ``close`` cannot free it meanwhile
        self._busy_s = 0.0
        self._thread = threading.Thread(target=self._work, name="engine", daemon=True)
        self._thread.start()

    @property
    def bos(self) -> tuple[int, ...]:
        """What a prompt begins with."""
        return self._llama.vocabulary.bos

    def unavailable(self) -> str:
        """Empty: it computes in this process."""
        return ""

    def encode(self, text: str) -> tuple[int, ...]:
        """Token ids; special tokens recognised, none added. Raises EngineClosedError after ``close``."""
        with self._vocabulary:
            self._check_open()
            return self._llama.vocabulary.encode(text)

    def load(self) -> EngineLoad:
        """How busy it is now, and what it has done."""
        counts, blobs = self._batcher.counts, self._store.stats()
        return EngineLoad(
            running=len(self._batcher.chats),
            waiting=len(self._queue),
            prefill_tokens=counts.prefill + self._preparation.computed_tokens,
            decode_tokens=counts.decode,
            cached_tokens=counts.cached,
            restored_tokens=counts.restored,
            drafted_tokens=self._drafts.proposed_tokens if self._drafts else 0,
            accepted_tokens=self._drafts.accepted_tokens if self._drafts else 0,
            prepare_faults=self._preparation.faults,
            cells=self._llama.cells,
            cells_used=self._cache.used,
            blob_ram_bytes=blobs.ram_bytes,
            blob_disk_bytes=blobs.disk_bytes,
            blob_faults=blobs.faults,
            busy_s=self._busy_s,
            library_s=self._llama.spent_s,
        )

    def submit(self, request: GenerationRequest) -> LocalGeneration:
        """Queue a request.

        Raises:
            InvalidRequestError, PromptTooLongError, QueueFullError, EngineClosedError: see ``runtime.errors``.
        """
        if len(request.prompt) >= self.info.context_tokens:
            raise PromptTooLongError(len(request.prompt), self.info.context_tokens)
        if request.adapter and request.adapter not in self.info.adapters:
            known = ", ".join(self.info.adapters) or "none, since the bundle has none"
            raise InvalidRequestError("adapter", f"is {request.adapter!r}; expected one of: {known}")
        with self._changed:
            self._check_open()
            if not self._queue.has_room(request.client):
                raise QueueFullError(len(self._queue), self._wait_s() / max(1, len(self._queue)))
            if request.deadline_s and (wait_s := self._wait_s()) > request.deadline_s:
                raise QueueFullError(len(self._queue), wait_s - request.deadline_s)
            sampler = Sampler(self._llama, request.sampling, ignore_eos=request.ignore_eos)
            generation = LocalGeneration(request, sampler, self._cancelled)
            self._queue.push(request.client, generation)
            self._interrupts.customer_came()
            self._changed.notify()
        return generation

    def prepare(self, prefix: tuple[int, ...], adapter: str = "", *, lasting: bool = True) -> None:
        """Compute the beginning of prompts to come when there is nothing else to do."""
        if 0 < len(prefix) < self.info.context_tokens:
            self._preparation.ask(adapter, prefix, lasting=lasting)
            with self._changed:
                self._changed.notify()

    def audit(self) -> list[str]:
        """What is wrong with the books of the cells; empty if nothing is. Only while nothing runs or waits."""
        return self._cache.audit()

    def close(self) -> None:
        """Cancel everything, spill what is kept, free the model. Further calls do nothing."""
        with self._changed:
            if self._interrupts.closing:
                return
            self._interrupts.close()
            self._changed.notify()
        self._thread.join()
        with self._vocabulary:
            self._llama.close()

    def _check_open(self) -> None:
        if self._interrupts.closing:
            raise EngineClosedError("the engine is closing")

    def _wait_s(self) -> float:
        """Seconds until all prompts that are here now are computed, at the rates measured so far; at least 1."""
        counts = self._batcher.counts
        new_share = (counts.prefill + 1) / (counts.prefill + counts.cached + 1)
        prompts = sum(len(generation.request.prompt) for generation in self._queue) * new_share
        prompts += sum(chat.prompt_left for chat in tuple(self._batcher.chats))
        waves = len(self._queue) / self._options.parallel
        return max(1.0, prompts / self._costs.prefill_tokens_per_s + waves * self._batcher.mean_answer_s)

    def _cancelled(self, generation: LocalGeneration) -> None:
        with self._changed:
            waiting = self._queue.remove(lambda other: other is generation)
            self._interrupts.cancelled(generation)
        for one in waiting:
            one.end(FinishReason.CANCELLED)

    def _work(self) -> None:
        if self._draft_file is not None:
            self._draft_file.load()
        began_s = time.perf_counter()
        warm_up(self._llama, self._costs, lambda: bool(self._queue) or self._interrupts.closing)
        self._busy_s = time.perf_counter() - began_s
        while self._wait():
            began_s = time.perf_counter()
            try:
                self._turn()
            except Exception as error:  # whoever runs now is told; the thread lives on for those who come
                log.exception("the engine failed in mid-step")
                for chat in list(self._batcher.chats):
                    self._batcher.end(chat, EngineError(str(error)))
            self._busy_s += time.perf_counter() - began_s
        with self._changed:
            waiting = self._queue.remove(lambda _: True)
        for generation in waiting:
            generation.end(FinishReason.CANCELLED)
        for chat in list(self._batcher.chats):
            self._batcher.end(chat, FinishReason.CANCELLED)
        if self._draft_file is not None:
            self._draft_file.save()
        self._cache.close()

    def _turn(self) -> None:
        """One step of whatever there is to do."""
        self._cache.tidy()
        self._admit()
        self._batcher.drop_cancelled()
        if self._batcher.chats:
            self._batcher.step()
        elif self._preparation:
            self._prepare()

    def _wait(self) -> bool:
        """Wait for something to do; False once the engine closes."""
        with self._changed:
            while not (self._interrupts.closing or self._queue or self._batcher.chats or self._preparation):
                self._changed.wait()
        return not self._interrupts.closing

    def _admit(self) -> None:
        """Let those run who wait, in turn, as far as there is room."""
        while not self._interrupts.closing and len(self._batcher.chats) < self._options.parallel:
            with self._changed:
                generation = self._queue.pop()
            if generation is None or not self._admitted(generation):
                break

    def _admitted(self, generation: LocalGeneration) -> bool:
        """Let a generation run; False if it has to wait for others to end."""
        request = generation.request
        if generation.cancelled:
            generation.end(FinishReason.CANCELLED)
            return True
        if generation.is_late:
            generation.fail(QueueFullError(len(self._queue), self._wait_s()))
            return True
        limit = min(len(request.prompt) + request.max_tokens, self.info.context_tokens)
        try:
            if self._batcher.admit(generation, limit):
                return True
        except Exception as error:
            log.exception("an answer could not begin")
            generation.fail(EngineError(str(error)))
            return True
        with self._changed:
            self._queue.put_back(request.client, generation)
        return False

    def _prepare(self) -> None:
        with self._interrupts.in_advance():
            if not (self._queue or self._interrupts.closing):  # who came before this found nothing to stop
                self._preparation.work()
