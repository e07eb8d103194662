"""Answers given before: a greedy answer to the same prompt is the same, so it is not computed twice."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from runtime.engine.face import FinishReason


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What the engine gave: slots unfilled, nothing of the customer's in it, and why it ended."""

    text: str
    finish: FinishReason


class AnswerCache:
    """The most recently used answers, by prompt. Safe from any thread.

    The key is the adapter and the whole prompt as token ids (with numbers and personal data already replaced by slots),
    so customers who ask the same about different orders share an answer, and never see each other's numbers.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._answers: OrderedDict[tuple[tuple[int, ...], int, str], StoredAnswer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, prompt: tuple[int, ...], max_tokens: int, adapter: str = "") -> StoredAnswer | None:
        """The stored answer, now the most recently used one."""
        key = (prompt, max_tokens, adapter)
        with self._lock:
            answer = self._answers.get(key)
            if answer is not None:
                self._answers.move_to_end(key)
            return answer

    def put(self, prompt: tuple[int, ...], max_tokens: int, answer: StoredAnswer, adapter: str = "") -> None:
        """Keep an answer; the least recently used one goes when there are too many."""
        key = (prompt, max_tokens, adapter)
        with self._lock:
            self._answers[key] = answer
            self._answers.move_to_end(key)
            while len(self._answers) > self._capacity:
                self._answers.popitem(last=False)
