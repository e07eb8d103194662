"""The token bucket, on a clock of its own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runtime.service import rates
from runtime.service.rates import RateLimiter


class Clock:
    """Tells the time that a test sets."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def test_a_burst_then_the_rate() -> None:
    clock = Clock()
    limiter = RateLimiter(per_minute=60, burst=3, now_s=clock)
    assert [limiter.wait_s("a") for _ in range(4)] == [0, 0, 0, 1]
    assert limiter.wait_s("b") == 0
    clock.s = 1.0
    assert limiter.wait_s("a") == 0
    assert limiter.wait_s("a") == 1


def test_no_rate_is_no_limit() -> None:
    limiter = RateLimiter(per_minute=0, burst=1)
    assert not any(limiter.wait_s("a") for _ in range(100))


@given(st.lists(st.floats(min_value=0, max_value=5), min_size=1, max_size=200))
def test_never_more_than_burst_and_rate_allow(pauses_s: list[float]) -> None:
    clock = Clock()
    limiter = RateLimiter(per_minute=30, burst=4, now_s=clock)
    passed = 0
    for pause_s in pauses_s:
        clock.s += pause_s
        passed += limiter.wait_s("a") == 0
        assert passed <= 4 + clock.s * 0.5 + 1e-6


def test_waiting_as_told_is_always_enough() -> None:
    clock = Clock()
    limiter = RateLimiter(per_minute=7, burst=1, now_s=clock)
    for _ in range(50):
        assert limiter.wait_s("a") == 0
        clock.s += limiter.wait_s("a") + 1e-9


def test_memory_is_bounded() -> None:
    limiter = RateLimiter(per_minute=1, burst=1)
    for number in range(2 * rates._CLIENTS_MAX):
        limiter.wait_s(str(number))
    assert len(limiter._buckets) == rates._CLIENTS_MAX
