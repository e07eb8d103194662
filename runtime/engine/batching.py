"""Continuous batching: each step computes the next token of every running answer and a slice of waiting prompts.

Source of the idea: Orca (Yu et al. 2022, OSDI), iteration-level scheduling; the bounded slice is Sarathi-Serve's
chunked prefill (Agrawal et al. 2024, arXiv 2403.02310).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

from runtime.engine.cache import PrefixCache
from runtime.engine.chat import Chat
from runtime.engine.costs import StepCosts
from runtime.engine.drafts import DraftIndex
from runtime.engine.face import FinishReason
from runtime.engine.generation import LocalGeneration
from runtime.engine.llama import BATCH_ROWS, DecodeAbortedError, Llama, Row
from runtime.engine.prefix import common_prefix
from runtime.engine.slices import LEAST_ROWS, Prefill, share_rows
from runtime.errors import EngineError, RuntimeFault

log = logging.getLogger(__name__)

#: Steps for one adapter before another one's turn: changing it makes libllama plan its graph anew.
STEPS_PER_ADAPTER = 4

#: A prompt waits for another one that is about to compute at least so many tokens that it needs as well.
WORTH_FOLLOWING_TOKENS = 16

#: Tokens of the prompt's end with which an answer's beginning is remembered and found.
DRAFT_TAIL = 8

#: Rows that the matrix kernels take at a time: 16 rows cost hardly more than 12, and 24 as much as 32.
TILE_ROWS = 16

#: From so many prompts on, steps beside running answers may take twice as long: larger steps are cheaper by the row,
#: and more customers gain by an earlier first word than lose by a slower second one.
BURST_PROMPTS = 3

#: Seconds of a step that computes prompts only; long enough for full batches.
PREFILL_STEP_S = 1.0


@dataclass(slots=True)
class Counts:
    """What has been done since the start, in tokens."""

    prefill: int = 0
    decode: int = 0
    cached: int = 0
    restored: int = 0


class Batcher:
    """The running answers and how they share each step. Used by the engine's thread only.

    Args:
        llama: computes.
        cache: its cells.
        costs: what steps cost; told of each.
        drafts: guesses for tokens to come; None guesses nothing.
        identities: of each adapter by name, as the cache tells them apart.
        step_s: how long a step may take beside running answers: their largest inter-token gap.
        computing: entered around each computation with the only generation that it is for, or None.
    """

    def __init__(
        self,
        llama: Llama,
        cache: PrefixCache,
        costs: StepCosts,
        drafts: DraftIndex | None,
        identities: Mapping[str, str],
        step_s: float,
        computing: Callable[[LocalGeneration | None], AbstractContextManager[None]],
    ) -> None:
        self.chats: list[Chat] = []
        self.counts = Counts()
        self.mean_answer_s = 1.0  # moving average, from admission to the end
        self._llama = llama
        self._cache = cache
        self._costs = costs
        self._drafts = drafts
        self._identities = identities
        self._step_s = step_s
        self._computing = computing
        self._adapter = ""
        self._steps_left = 0

    def admit(self, generation: LocalGeneration, limit: int) -> bool:
        """Give a generation cells; False if there is no room now."""
        request = generation.request
        lease = self._cache.admit(self._identities[request.adapter], request.prompt, limit)
        if lease is None:
            return False
        generation.start()
        index = self._drafts if request.drafting else None
        cursor = None if index is None else index.cursor(request.prompt[-DRAFT_TAIL:])
        chat = Chat(self._llama, generation, lease, cursor)
        chat.follows = self._ahead(chat)
        self._note_cached(chat, lease.shared)
        self.counts.restored += lease.restored
        self.chats.append(chat)
        return True

    def end(self, chat: Chat, reason: FinishReason | BaseException) -> None:
        """Keep what a chat has computed, free the rest, tell its reader."""
        self.chats.remove(chat)
        self._cache.keep(chat.lease, tuple(chat.tokens[: chat.computed]))
        self._cache.release(chat.lease)
        self.mean_answer_s += 0.1 * (time.monotonic() - chat.admitted_s - self.mean_answer_s)
        if isinstance(reason, BaseException):
            chat.generation.fail(reason)
            return
        if self._drafts is not None and chat.drafts is not None and reason is FinishReason.STOP:
            self._drafts.add(chat.generation.answer_ids, chat.generation.request.prompt[-DRAFT_TAIL:])
        chat.generation.end(reason)

    def drop_cancelled(self) -> None:
        """End the chats that nobody waits for any more."""
        for chat in [chat for chat in self.chats if chat.generation.cancelled]:
            self.end(chat, FinishReason.CANCELLED)

    def step(self) -> None:
        """One computation for the chats of one adapter. A failure ends these chats, with the error."""
        group = self._group()
        rows, prefills, decodes = self._fill(group)
        chats = [chat for chat, *_ in prefills] + [chat for chat, _ in decodes]
        self._llama.use_adapter(self._adapter)
        began_s = time.perf_counter()
        try:
            with self._computing(chats[0].generation if len(chats) == 1 else None):
                self._llama.compute(rows)
        except DecodeAbortedError:  # for the cancelled, or because the engine closes: who is left tries again
            return
        except Exception as error:
            log.exception("a step of %d rows for %d answers failed", len(rows), len(chats))
            fault = error if isinstance(error, RuntimeFault) else EngineError(str(error))
            for chat in chats:
                self.end(chat, fault)
            return
        self._costs.record(len(rows), time.perf_counter() - began_s)
        for chat, first_row in decodes:
            self._advance(chat, partial(chat.decoded, first_row))
        for chat, count, last_row in prefills:
            self.counts.prefill += count
            if self._advance(chat, partial(chat.prefilled, count, last_row)):
                self._cache.keep(chat.lease, tuple(chat.tokens[: chat.computed]))

    def _advance(self, chat: Chat, choose: Callable[[], FinishReason | None]) -> bool:
        """Let a chat take what was computed for it; False if that was its end."""
        before = len(chat.tokens)
        try:
            reason = choose()
        except Exception as error:
            log.exception("an answer failed")
            self.end(chat, error if isinstance(error, RuntimeFault) else EngineError(str(error)))
            return False
        self.counts.decode += len(chat.tokens) - before
        if reason is not None:
            self.end(chat, reason)
        return reason is None

    def _group(self) -> list[Chat]:
        """The chats whose turn it is: all of one adapter."""
        adapters = sorted({chat.generation.request.adapter for chat in self.chats})
        if self._adapter not in adapters or self._steps_left <= 0:
            later = [adapter for adapter in adapters if adapter > self._adapter]
            self._adapter = (later or adapters)[0]
            self._steps_left = STEPS_PER_ADAPTER
        self._steps_left -= 1
        return [chat for chat in self.chats if chat.generation.request.adapter == self._adapter]

    def _fill(self, group: list[Chat]) -> tuple[list[Row], list[tuple[Chat, int, int]], list[tuple[Chat, int]]]:
        """The rows of the next batch, and for whom they are.

        Returns:
            The rows; (chat, tokens, last row) of each prompt; (chat, first row) of each running answer.
        """
        running = [chat for chat in group if not chat.prefilling]
        rows: list[Row] = []
        decodes = []
        alone = len(running) == len(group)
        for i, chat in enumerate(running):
            decodes.append((chat, len(rows)))
            rows_without = len(rows) + len(running) - i
            rows += chat.decode_rows(partial(self._draft_length, rows_without) if alone else _no_draft)
        prefills = []
        waiting = [chat for chat in group if chat.prefilling and not self._held(chat)]
        now_s = time.monotonic()
        queue = [Prefill(chat.prompt_left, now_s - chat.admitted_s) for chat in waiting]
        for i, count in share_rows(queue, self._slice(len(rows), len(queue)), self._costs.prefill_tokens_per_s):
            rows += waiting[i].prefill_rows(count)
            prefills.append((waiting[i], count, len(rows) - 1))
        return rows, prefills, decodes

    def _slice(self, running_rows: int, prompts: int) -> int:
        """Rows for prompts beside those of running answers; all together fill whole tiles of the matrix kernels."""
        patient_s = 2 * self._step_s if prompts >= BURST_PROMPTS else self._step_s
        within_s = patient_s if running_rows else PREFILL_STEP_S
        least = -(-(running_rows + LEAST_ROWS) // TILE_ROWS) * TILE_ROWS
        rows = self._costs.rows_within(within_s, min(least, BATCH_ROWS), BATCH_ROWS)
        return rows // TILE_ROWS * TILE_ROWS - running_rows

    def _draft_length(self, rows_without: int, chances: Sequence[float]) -> int:
        """How many tokens to guess in a step that has ``rows_without`` rows without them."""
        return self._costs.draft_length(rows_without, chances[: BATCH_ROWS - rows_without])

    def _ahead(self, chat: Chat) -> tuple[Chat, int] | None:
        """Who is about to compute the longest part of this chat's prompt, and up to which position."""
        best = None
        for other in self.chats:
            if other.prefilling and other.generation.request.adapter == chat.generation.request.adapter:
                shared = common_prefix(other.generation.request.prompt, chat.generation.request.prompt)
                shared = min(shared, len(chat.generation.request.prompt) - 1)
                if shared - chat.computed >= WORTH_FOLLOWING_TOKENS and (best is None or shared > best[1]):
                    best = other, shared
        return best

    def _held(self, chat: Chat) -> bool:
        """Whether a chat should wait for another one; when that one is done, its cells are shared."""
        if chat.follows is None:
            return False
        other, shared = chat.follows
        if other in self.chats and other.computed < shared:
            return True
        chat.follows = None
        before = chat.computed
        self._cache.catch_up(chat.lease, chat.generation.request.prompt)
        chat.computed = chat.lease.shared
        self._note_cached(chat, chat.computed - before)
        return False

    def _note_cached(self, chat: Chat, tokens: int) -> None:
        chat.generation.cached_tokens += tokens
        self.counts.cached += tokens


def _no_draft(_: Sequence[float]) -> int:
    """Beside a prompt nothing is guessed: its rows fill the step already."""
    return 0
