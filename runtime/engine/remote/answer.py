"""The text of one answer out of the events of one stream: never trusted to end where it was asked to."""

from __future__ import annotations

from runtime.engine.face import FinishReason, Piece
from runtime.engine.remote.completions import Chunk, SurrogateMender
from runtime.engine.remote.generation import RemoteGeneration
from runtime.engine.text import StopFilter
from runtime.engine.vocabulary import Vocabulary

#: Characters a token, generously: an answer with more is counted with our own vocabulary.
_TOKEN_CHARS = 8

_FINISHES = {"stop": FinishReason.STOP, "length": FinishReason.LENGTH}


class UnusableAnswerError(ValueError):
    """A stream that is well-formed, but no answer."""


class AnswerText:
    """Feeds a generation with the chunks of a stream; ``feed`` says when it is over."""

    def __init__(self, generation: RemoteGeneration, max_tokens: int, vocabulary: Vocabulary, counts_end: bool) -> None:
        """Begin.

        Args:
            generation: gets the pieces.
            max_tokens: more are cut off.
            vocabulary: the model's.
            counts_end: whether the server counts the end-of-sequence token.
        """
        generation.begin_attempt()
        self._generation = generation
        self._max_tokens = max_tokens
        self._vocabulary = vocabulary
        self._counts_end = counts_end
        self._filter = StopFilter(generation.request.stop)
        self._mender = SurrogateMender()
        self._received = ""
        self._events = self._unreported = 0
        self._finish = ""
        self._counted = False

    @property
    def finished(self) -> bool:
        """Whether the server has said why it ended; only counts may follow."""
        return bool(self._finish)

    def feed(self, chunk: Chunk) -> bool:
        """Take a chunk.

        Returns:
            whether the answer is over and the connection of no more use.

        Raises:
            UnusableAnswerError: the server failed, or sends events without end.
        """
        if chunk.error:
            raise UnusableAnswerError(f"failed in the middle: {chunk.error}")
        self._events += 1
        if self._events > 4 * self._max_tokens + 64:
            raise UnusableAnswerError(f"sent {self._events} events for at most {self._max_tokens} tokens")
        generation = self._generation
        generation.cached_tokens = max(generation.cached_tokens, chunk.cached_tokens)
        over = not self.finished and self._take(chunk)
        if self._filter.stopped:
            generation.end(FinishReason.STOP)
            return True
        if over:
            self._end(FinishReason.LENGTH)
            return True
        if chunk.finish and not self.finished:
            if chunk.finish not in _FINISHES:
                raise UnusableAnswerError(f"ended its answer with finish_reason {chunk.finish[:40]!r}")
            self._finish = chunk.finish
        if chunk.completion_tokens is not None and self.finished and generation.ids is None:
            # A stop text that the server cut off counts as tokens too, so this may be one too few after one.
            self._counted = True
            end_token = int(self._counts_end and self._finish == "stop")
            generation.completion_tokens = min(max(chunk.completion_tokens - end_token, 0), self._max_tokens)
        return False

    def _take(self, chunk: Chunk) -> bool:
        """Count a chunk's tokens and give its text out; whether it has more than were asked for."""
        generation = self._generation
        text, over = chunk.text, False
        if chunk.ids is not None:
            if any(not 0 <= token < self._vocabulary.size for token in chunk.ids):
                raise UnusableAnswerError(f"sent a token id outside 0 to {self._vocabulary.size - 1}: not this model")
            ids = [token for token in chunk.ids if token not in self._vocabulary.end_tokens]
            generation.ids = generation.ids if generation.ids is not None else []
            room = self._max_tokens - len(generation.ids)
            over = len(ids) > room
            if over:
                text = b"".join(self._vocabulary.piece(token) for token in ids[:room]).decode("utf-8", "ignore")
            new = min(len(ids), room)
            generation.ids += ids[:room]
        else:
            text, over = self._within(text)
            new = 0 if over else int(bool(text))
        if new or text:
            generation.first_token()
        generation.completion_tokens = min(generation.completion_tokens + new, self._max_tokens)
        self._unreported += new
        self._received += text
        self._emit(self._filter.feed(self._mender.feed(text)))
        return over

    def _within(self, text: str) -> tuple[str, bool]:
        """As much of ``text`` as the limit allows, and whether it is cut.

        Without ids, an event is a token, as all servers send them; one that splits or joins tokens is counted with
        our own vocabulary as soon as it looks like too many.
        """
        whole = self._received + text
        if self._generation.completion_tokens < self._max_tokens and len(whole) <= _TOKEN_CHARS * self._max_tokens:
            return text, False
        if not text:
            return text, False
        ids = self._vocabulary.encode_after("\n", _encodable(whole))
        if len(ids) <= self._max_tokens:
            return text, False
        kept = b"".join(self._vocabulary.piece(token) for token in ids[: self._max_tokens]).decode("utf-8", "ignore")
        return (kept[len(self._received) :] if kept.startswith(self._received) else ""), True

    def finish(self) -> None:
        """The stream is over.

        Raises:
            UnusableAnswerError: it never said why.
        """
        if not self.finished:
            raise UnusableAnswerError("broke off without saying why the answer ended")
        if not self._counted and self._generation.ids is None:
            # Events that waited for the rest of a character held more tokens than one.
            ids = self._vocabulary.encode_after("\n", _encodable(self._received))
            count = max(self._generation.completion_tokens, len(ids))
            self._generation.completion_tokens = min(count, self._max_tokens)
        self._end(_FINISHES[self._finish])

    def _end(self, reason: FinishReason) -> None:
        cut = reason is FinishReason.LENGTH
        rest = self._filter.feed(self._mender.feed("", last=True)) if not cut else ""
        stopped = self._filter.stopped
        self._emit(rest + self._filter.finish(cut=cut))
        self._generation.end(FinishReason.STOP if stopped else reason)

    def _emit(self, text: str) -> None:
        if text:
            self._generation.emit(Piece(text, self._unreported))
            self._unreported = 0


def _encodable(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
