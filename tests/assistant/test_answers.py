"""The answer cache: what is kept, what goes first."""

from __future__ import annotations

from runtime.assistant.answers import AnswerCache, StoredAnswer
from runtime.engine.face import FinishReason


def answer(text: str) -> StoredAnswer:
    return StoredAnswer(text, FinishReason.STOP)


def test_the_same_prompt_and_limit_give_the_answer() -> None:
    cache = AnswerCache(4)
    cache.put((1, 2), 16, answer("x"))
    assert cache.get((1, 2), 16) == answer("x")
    assert cache.get((1, 2), 17) is None
    assert cache.get((1,), 16) is None


def test_adapters_do_not_share_answers() -> None:
    cache = AnswerCache(4)
    cache.put((1, 2), 16, answer("x"), "default")
    assert cache.get((1, 2), 16) is None
    assert cache.get((1, 2), 16, "refunds-v2") is None
    assert cache.get((1, 2), 16, "default") == answer("x")


def test_the_least_recently_used_goes() -> None:
    cache = AnswerCache(2)
    for prompt in ((1,), (2,)):
        cache.put(prompt, 1, answer(str(prompt)))
    cache.get((1,), 1)
    cache.put((3,), 1, answer("new"))
    assert [cache.get((n,), 1) is not None for n in (1, 2, 3)] == [True, False, True]


def test_a_cache_of_nothing_keeps_nothing() -> None:
    cache = AnswerCache(0)
    cache.put((1,), 1, answer("x"))
    assert cache.get((1,), 1) is None
