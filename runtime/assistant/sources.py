"""Where an answer's raw text comes from: the engine, the answer cache, or a fixed text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from runtime.assistant.answers import StoredAnswer
from runtime.engine.face import FinishReason, Generation, Usage


class TextSource(Protocol):
    """Raw text in pieces, slots unfilled."""

    cached: bool
    #: Whether the text is the project's or the operator's own, not a model's.
    fixed: bool

    @property
    def usage(self) -> Usage:
        """What it cost."""

    @property
    def finish(self) -> FinishReason:
        """Why it ended."""

    def __iter__(self) -> Iterator[str]:
        """The pieces."""

    def cancel(self) -> None:
        """Stop."""


class FixedText:
    """A text that is known beforehand."""

    cached = False
    fixed = True
    usage = Usage()
    finish = FinishReason.STOP

    def __init__(self, text: str) -> None:
        self._text = text

    def __iter__(self) -> Iterator[str]:
        """The text, whole."""
        yield self._text

    def cancel(self) -> None:
        """Nothing runs."""


class CachedText:
    """An answer that was given before."""

    cached = True
    fixed = False
    usage = Usage()

    def __init__(self, answer: StoredAnswer) -> None:
        self._answer = answer
        self.finish = answer.finish

    def __iter__(self) -> Iterator[str]:
        """The answer, line by line, so that the first words are out before the last are guarded."""
        yield from self._answer.text.splitlines(keepends=True)

    def cancel(self) -> None:
        """Nothing runs."""


class JoinedText:
    """Two answers one after the other: to a message that asks for two things."""

    fixed = False

    def __init__(self, first: TextSource, second: TextSource) -> None:
        self._first = first
        self._second = second
        self.cached = first.cached and second.cached

    @property
    def usage(self) -> Usage:
        """The costs of both."""
        one, two = self._first.usage, self._second.usage
        return Usage(
            prompt_tokens=one.prompt_tokens + two.prompt_tokens,
            cached_tokens=one.cached_tokens + two.cached_tokens,
            completion_tokens=one.completion_tokens + two.completion_tokens,
            queue_ms=one.queue_ms,
            ttft_ms=one.ttft_ms,
            total_ms=max(one.total_ms, two.total_ms),
        )

    @property
    def finish(self) -> FinishReason:
        """Why the second ended."""
        return self._second.finish

    def __iter__(self) -> Iterator[str]:
        """The pieces of the first, a blank line, the pieces of the second."""
        yield from self._first
        yield "\n\n"
        yield from self._second

    def cancel(self) -> None:
        """Stop both."""
        self._first.cancel()
        self._second.cancel()


class EngineText:
    """What the engine generates; ``keep`` is given the whole answer when it ended by itself."""

    cached = False
    fixed = False

    def __init__(self, generation: Generation, keep: Callable[[StoredAnswer], None]) -> None:
        self._generation = generation
        self._keep = keep

    @property
    def usage(self) -> Usage:
        """The engine's costs."""
        return self._generation.usage

    @property
    def finish(self) -> FinishReason:
        """Why the engine ended."""
        return self._generation.finish_reason

    def __iter__(self) -> Iterator[str]:
        """The pieces as they are computed."""
        pieces = []
        for piece in self._generation:
            pieces.append(piece.text)
            yield piece.text
        if self.finish is not FinishReason.CANCELLED:
            self._keep(StoredAnswer("".join(pieces), self.finish))

    def cancel(self) -> None:
        """Stop the engine."""
        self._generation.cancel()
