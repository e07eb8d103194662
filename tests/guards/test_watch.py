"""A guard that is not done in time has failed: the text is blocked, and others are not held up by it."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from guards.detector import Report
from guards.guard import Guard
from guards.policy import Policy
from guards.verdict import Action
from guards.views.normal import View
from guards.watch import PLACES, OutOfTimeError, Watch


def test_what_is_done_in_time_is_returned_or_raised() -> None:
    watch = Watch(5.0)
    assert watch.run(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        watch.run(lambda: 1 // 0)


def test_what_is_not_done_in_time_is_left_behind() -> None:
    released = threading.Event()
    begun = time.monotonic()
    with pytest.raises(OutOfTimeError):
        Watch(0.05).run(released.wait)
    assert time.monotonic() - begun < 1.0
    released.set()


def test_lost_threads_are_bounded_and_the_places_come_back() -> None:
    watch, released = Watch(0.01), threading.Event()
    for _ in range(PLACES + 3):
        with pytest.raises(OutOfTimeError):
            watch.run(released.wait)
    assert sum(thread.name == "guard" for thread in threading.enumerate()) <= PLACES
    released.set()
    deadline = time.monotonic() + 5.0
    while time.monotonic() < deadline:
        try:
            assert watch.run(lambda: 1) == 1
            return
        except OutOfTimeError:
            continue
    pytest.fail("no place came back")


class Stuck:
    """A real detector that never ends, as a library may."""

    family = "injection"

    def __init__(self) -> None:
        self.released = threading.Event()

    def scan(self, view: View) -> Report:
        if "stuck" in view.text:
            self.released.wait(20.0)
        return Report()

    def pending(self, view: View) -> int:
        return len(view.text)


@pytest.fixture
def stuck(policy: Policy) -> tuple[Guard, Stuck]:
    actions = {key: action for key, action in policy.actions.items() if key[0] != "toxicity"}
    guard = Guard(replace(policy, actions=actions, size=replace(policy.size, max_guard_ms=200)))
    detector = Stuck()
    guard._input = (detector, *guard._input)
    return guard, detector


def test_a_stuck_guard_blocks_with_a_clear_code_within_a_second(stuck: tuple[Guard, Stuck]) -> None:
    guard, detector = stuck
    begun = time.monotonic()
    verdict = guard.check_input("I am stuck")
    assert (verdict.action, verdict.rule) == (Action.BLOCK, "guard.timeout")
    assert time.monotonic() - begun < 1.0
    assert guard.check_input("hello").action is Action.ALLOW
    assert guard.refusal(verdict, "I am stuck") == guard.policy.texts["en"]["guard"]
    detector.released.set()
