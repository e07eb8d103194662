"""The demonstration model behind a real engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from runtime.engine.face import GenerationRequest, Sampling
from runtime.engine.local import LocalEngine
from runtime.engine.settings import LocalOptions
from tests.paths import DEMO

Ask = Callable[..., GenerationRequest]


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalEngine]:
    engine = LocalEngine(DEMO / "model.gguf", LocalOptions(threads=1, queue_capacity=512))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def ask(engine: LocalEngine) -> Ask:
    """Makes a request out of a customer's question."""

    def make(
        question: str, max_tokens: int = 48, sampling: Sampling | None = None, **more: object
    ) -> GenerationRequest:
        text = f"<|user|>\n{question}</s>\n<|assistant|>\n"
        prompt = engine.bos + engine.encode(text)
        return GenerationRequest(prompt, max_tokens, sampling or Sampling(), **more)  # type: ignore[arg-type]

    return make
