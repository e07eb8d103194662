"""Where the model's answer to a conversation comes from: the engine, or the cache of its earlier answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runtime.assistant.answers import AnswerCache, StoredAnswer
from runtime.assistant.intents import QUESTIONS
from runtime.assistant.prompt import PromptBuilder
from runtime.assistant.sources import CachedText, EngineText, JoinedText, TextSource
from runtime.assistant.turn import AnswerOptions, Message, Role
from runtime.engine.face import Engine, GenerationRequest
from runtime.errors import RuntimeFault


@dataclass(frozen=True, slots=True)
class AnsweringOptions:
    """How the model is asked.

    Attributes:
        answer_tokens: tokens of an answer, where the caller names no number.
        cached_answers: greedy answers kept at most; 0 switches the cache off.
        patience_s: who would wait longer for a first token is refused at once; 0 lets everybody wait.
    """

    answer_tokens: int = 256
    cached_answers: int = 512
    patience_s: float = 60.0


class Answering:
    """Asks the model. Safe from any thread."""

    def __init__(self, engine: Engine, prompts: PromptBuilder, options: AnsweringOptions) -> None:
        self._engine = engine
        self._prompts = prompts
        self._options = options
        self._answers = AnswerCache(options.cached_answers)

    def answer(
        self,
        conversation: Sequence[Message],
        second: str,
        options: AnswerOptions,
        client: str,
        *,
        cached: bool,
    ) -> tuple[TextSource, int]:
        """The model's answer and how many old messages it does without.

        A message that asks for two things (``second`` is the other intent) gets two answers, since a small model gives
        only one; not if the caller sets limits or a form for the answer, which two could not keep.

        Raises:
            PromptTooLongError, QueueFullError, EngineClosedError: see ``runtime.errors``.
        """
        first, dropped = self._source(conversation, options, client, cached=cached)
        bounded = options.max_tokens or options.stop or options.ignore_eos or options.sampling.grammar
        if not second or bounded:
            return first, dropped
        also = [*conversation[:-1], Message(Role.USER, QUESTIONS[second])]
        try:
            return JoinedText(first, self._source(also, options, client, cached=cached)[0]), dropped
        except RuntimeFault:  # refused: then nobody would read the first either
            first.cancel()
            raise

    def _source(
        self, conversation: Sequence[Message], options: AnswerOptions, client: str, *, cached: bool
    ) -> tuple[TextSource, int]:
        """Where one answer comes from, and how many old messages it does without."""
        max_tokens = options.max_tokens or self._options.answer_tokens
        adapter = options.adapter or ""
        prompt = self._prompts.build(conversation, max_tokens)
        request = GenerationRequest(
            prompt=prompt.ids,
            max_tokens=max_tokens,
            sampling=options.sampling,
            stop=self._prompts.markers,
            ignore_eos=options.ignore_eos,
            client=client,
            deadline_s=self._options.patience_s,
            adapter=adapter,
        )
        cached = cached and options.sampling == AnswerOptions().sampling and not options.ignore_eos
        stored = self._answers.get(prompt.ids, max_tokens, adapter) if cached else None
        if stored is not None:
            return CachedText(stored), prompt.dropped
        generation = self._engine.submit(request)

        def keep(answer: StoredAnswer) -> None:
            self._prompts.remember(answer.text, generation.answer_ids)
            if cached:
                self._answers.put(prompt.ids, max_tokens, answer, adapter)
            if not prompt.dropped:  # the customer reads now, and what comes before the next question is known
                said = [*conversation, Message(Role.ASSISTANT, answer.text)]
                self._engine.prepare(self._prompts.beginning(said), adapter, lasting=False)

        return EngineText(generation, keep), prompt.dropped
