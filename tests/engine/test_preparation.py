"""Prefixes prepared in idle time: there when they are needed, and given up when they cannot be computed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator

import pytest

from runtime.engine.face import GenerationRequest
from runtime.engine.local import LocalEngine
from runtime.engine.settings import LocalOptions
from tests.engine.conftest import Ask
from tests.paths import DEMO

NO_TOKEN = 999_999


@pytest.fixture
def fresh() -> Iterator[LocalEngine]:
    engine = LocalEngine(DEMO / "model.gguf", LocalOptions(threads=1))
    yield engine
    engine.close()


def until(true: Callable[[], bool], within_s: float = 30.0) -> None:
    give_up_s = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < give_up_s, f"it did not come true within {within_s:g} s"
        time.sleep(0.01)


def passage(engine: LocalEngine) -> tuple[int, ...]:
    return engine.bos + engine.encode("<|user|>\n" + "We are open every day but Sunday. " * 20)


def test_a_prepared_prefix_is_there_when_it_is_needed(engine: LocalEngine) -> None:
    prefix = passage(engine)
    before = engine.load().prefill_tokens
    engine.prepare(prefix)
    until(lambda: engine.load().prefill_tokens >= before + 200)
    late = engine.submit(GenerationRequest(prefix + engine.encode("When are you open?"), 4))
    list(late)
    assert late.usage.cached_tokens == len(prefix)


@pytest.mark.parametrize(
    ("adapter", "ids"),
    [("", (5, NO_TOKEN)), ("", (*range(300, 450), NO_TOKEN)), ("nobody", (5, 6))],
    ids=["no token of the model", "a part can be computed", "no adapter of the engine"],
)
def test_a_prefix_that_cannot_be_computed_is_given_up_and_not_tried_for_ever(
    fresh: LocalEngine, ask: Ask, caplog: pytest.LogCaptureFixture, adapter: str, ids: tuple[int, ...]
) -> None:
    """The engine's thread sleeps again, whoever waits behind that prefix has his turn, and the cells are free."""
    caplog.set_level(logging.ERROR, "runtime")
    prefix = passage(fresh)
    fresh.prepare(ids, adapter)
    fresh.prepare(prefix)
    until(lambda: fresh.load().prefill_tokens >= len(prefix), within_s=5)
    time.sleep(0.1)
    busy_s = fresh.load().busy_s
    time.sleep(0.3)
    assert fresh.load().busy_s == busy_s
    assert fresh.load().prepare_faults == 1
    assert [record.name for record in caplog.records if "given up" in record.message] == ["runtime.engine.preparation"]
    assert "mid-step" not in caplog.text
    assert fresh.audit() == []
    running = fresh.submit(ask("Where is my parcel?", max_tokens=8))
    assert "".join(piece.text for piece in running)
