"""One running answer inside the engine: what is computed, what comes next, when it is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

from runtime.engine.cache import Lease
from runtime.engine.drafts import DraftCursor
from runtime.engine.face import FinishReason, Piece
from runtime.engine.generation import LocalGeneration
from runtime.engine.llama import Llama, Row
from runtime.engine.text import TextAssembler

#: Tokens guessed at once for an answer.
MAX_DRAFT = 15


class Chat:
    """A generation with cells of its own. Used by the engine's thread only.

    Attributes:
        generation: whose answer it is.
        lease: its cells.
        tokens: prompt and answer so far; the cells hold the first ``computed`` of them.
        computed: never all of ``tokens``: there is always a next one to compute.
        drafts: guesses the tokens to come.
        follows: another chat that is about to compute more of this one's prompt, and how much; None for nobody.
    """

    def __init__(self, llama: Llama, generation: LocalGeneration, lease: Lease, drafts: DraftCursor | None) -> None:
        request = generation.request
        self.generation = generation
        self.lease = lease
        self.tokens = list(request.prompt)
        self.computed = lease.shared
        self.drafts = drafts
        self.follows: tuple[Chat, int] | None = None
        self.admitted_s = time.monotonic()
        self._llama = llama
        self._prompt_tokens = len(request.prompt)
        self._text = TextAssembler(request.stop)
        self._unreported = 0
        self._drafted: tuple[int, ...] = ()

    @property
    def prefilling(self) -> bool:
        """Whether the prompt is not computed yet."""
        return self.computed < self._prompt_tokens

    @property
    def prompt_left(self) -> int:
        """Prompt tokens to compute before the first token of the answer."""
        return max(0, self._prompt_tokens - self.computed)

    @property
    def answer_left(self) -> int:
        """Tokens that the answer may still have."""
        return self.lease.limit - len(self.tokens)

    def prefill_rows(self, count: int) -> Iterator[Row]:
        """The next ``count`` prompt tokens; logits are wanted of the prompt's last."""
        end = self.computed + count
        for position in range(self.computed, end):
            yield Row(self.tokens[position], position, self.lease.sequence, position + 1 == self._prompt_tokens)

    def decode_rows(self, draft_length: Callable[[Sequence[float]], int]) -> list[Row]:
        """The last token, and guesses of what follows it; logits are wanted of each.

        Args:
            draft_length: how many guesses pay, by the chance of each.
        """
        self._drafted = ()
        if self.drafts is not None:
            drafted = self.drafts.draft(min(MAX_DRAFT, self.answer_left - 1))
            self._drafted = drafted[: draft_length(self.drafts.chances)] if drafted else ()
        sequence, position = self.lease.sequence, self.computed
        rows = [Row(self.tokens[-1], position, sequence, True)]
        for i, token in enumerate(self._drafted, 1):
            rows.append(Row(token, position + i, sequence, True))
        return rows

    def prefilled(self, count: int, last_row: int) -> FinishReason | None:
        """So many prompt tokens have been computed, the last in row ``last_row``: perhaps the answer begins."""
        self.computed += count
        return None if self.prefilling else self._take(self.generation.sampler.sample(last_row))

    def decoded(self, first_row: int) -> FinishReason | None:
        """Choose tokens at the rows of ``decode_rows``, which were computed from ``first_row`` of the batch on.

        Guesses are confirmed one by one: each row's token is chosen by the request's own chain of samplers, so the
        answer is the one that it would have been without any guess.

        Returns:
            Why the answer is over; None if it goes on.
        """
        drafted, self._drafted = self._drafted, ()
        accepted = 0
        reason = None
        for row in range(len(drafted) + 1):
            token = self.generation.sampler.sample(first_row + row)
            self.computed += 1
            reason = self._take(token)
            if reason is not None or row == len(drafted) or token != drafted[row]:
                break
            accepted += 1
        if drafted:
            self._llama.forget(self.lease.sequence, self.computed)
            if self.drafts is not None:
                self.drafts.result(len(drafted), accepted)
        return reason

    def _take(self, token: int) -> FinishReason | None:
        generation = self.generation
        generation.first_token()
        if token in self._llama.vocabulary.end_tokens:
            return self._finish(FinishReason.STOP)
        self.tokens.append(token)
        generation.answered(token)
        if self.drafts is not None:
            self.drafts.feed(token)
        self._unreported += 1
        if released := self._text.feed(self._llama.piece(token)):
            generation.emit(Piece(released, self._unreported))
            self._unreported = 0
        if self._text.stopped:
            return self._finish(FinishReason.STOP)
        if self.answer_left <= 0:
            return self._finish(FinishReason.LENGTH)
        return None

    def _finish(self, reason: FinishReason) -> FinishReason:
        if self._text.stopped or (reason is FinishReason.LENGTH and self._text.holds):
            self.generation.is_whole = False
        if rest := self._text.finish(cut=reason is FinishReason.LENGTH):
            self.generation.emit(Piece(rest, self._unreported))
        return reason
