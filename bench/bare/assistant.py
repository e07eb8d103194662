"""An assistant that adds nothing to the engine but the chat template: no guard, intents, sessions or answer cache.

Other engines' servers have none of these either. So that engine is compared with engine, bench serves this one,
through the same HTTP service that serves customers. Never put it before customers: nothing in it is guarded.
"""

from __future__ import annotations

import dataclasses
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import llama_cpp

from guards.verdict import Action, Verdict
from runtime.assistant.adapters import AdapterRoutes
from runtime.assistant.prompt import PromptBuilder
from runtime.assistant.turn import AnswerOptions, Message, Role, TurnEnd, TurnResult
from runtime.engine.blobs.store import BlobOptions
from runtime.engine.face import Engine, EngineLoad, Generation, GenerationRequest
from runtime.engine.local import LocalEngine
from runtime.engine.settings import LocalOptions
from runtime.engine.weightless import weightless
from runtime.errors import InvalidRequestError, StartError

_ANSWER_TOKENS = 256
_TEMPLATE = b"tokenizer.chat_template"
_ALLOWED = Verdict(Action.ALLOW)


@dataclass(frozen=True, slots=True)
class BareOptions:
    """What is served.

    Attributes:
        model: a GGUF with a chat template.
        context_tokens: prompt and answer of one chat together, at most.
        cells: KV cells for all chats.
        threads: compute threads; 0 takes the physical cores.
        kept: folder in which the engine may keep what it has computed, for later and for the next start.
    """

    model: Path
    context_tokens: int
    cells: int
    threads: int
    kept: Path


def open_bare(options: BareOptions) -> BareAssistant:
    """Load the model.

    Raises:
        StartError: it cannot be loaded, or has no chat template.
    """
    template = chat_template(options.model)
    engine = open_engine(options)
    try:
        return BareAssistant(options.model.stem, engine, PromptBuilder(engine, template, ""))
    except BaseException:
        engine.close()
        raise


def open_engine(options: BareOptions) -> LocalEngine:
    """The local engine as bench measures it: without drafts, since the servers that it is compared with make none."""
    local = LocalOptions(
        context_tokens=options.context_tokens,
        threads=options.threads,
        cells=options.cells,
        blobs=BlobOptions(folder=options.kept),
        drafting=False,
    )
    return LocalEngine(options.model, local)


def chat_template(model: Path) -> str:
    """The chat template in a GGUF, read without its weights.

    Raises:
        StartError: no GGUF, or it has none.
    """
    with weightless(model) as handle:
        text = llama_cpp.llama_model_chat_template(handle, None)
    if not text:
        raise StartError(f"{model}: it has no {_TEMPLATE.decode()}; expected a chat model")
    return str(text.decode("utf-8"))


class BareAssistant:
    """See ``runtime.assistant.face.Assistant``."""

    def __init__(self, model_name: str, engine: Engine, prompts: PromptBuilder) -> None:
        self.model_name = model_name
        self._engine = engine
        self._prompts = prompts
        self._numbers = itertools.count()
        self.adapters = AdapterRoutes()

    def chat(self, messages: Sequence[Message], options: AnswerOptions, client: str) -> BareTurn:
        """Answer the last message. Each request counts as another client's: all come from one address here."""
        if not messages or messages[-1].role is not Role.USER:
            raise InvalidRequestError("messages", "expected at least one message, and a user message last")
        max_tokens = options.max_tokens or _ANSWER_TOKENS
        request = GenerationRequest(
            prompt=self._prompts.build(messages, max_tokens).ids,
            max_tokens=max_tokens,
            sampling=options.sampling,
            stop=(*self._prompts.markers, *options.stop),
            ignore_eos=options.ignore_eos,
            client=f"{client}#{next(self._numbers)}",
        )
        return BareTurn(self._engine.submit(request), self._prompts)

    def query(self, question: str, session_id: str, options: AnswerOptions, client: str) -> BareTurn:
        """Answer a question by itself: there are no sessions here."""
        return self.chat([Message(Role.USER, question)], options, client)

    def end_session(self, session_id: str, client: str) -> None:
        """There is none."""

    def load(self) -> EngineLoad:
        """How busy the engine is."""
        return self._engine.load()

    def health(self) -> Mapping[str, object]:
        """Model and engine settings; the guard is ``off``."""
        return {"model": self.model_name, "engine": dataclasses.asdict(self._engine.info), "guard": "off"}

    def close(self) -> None:
        """Cancel all turns and free the engine."""
        self._engine.close()


class BareTurn:
    """See ``runtime.assistant.turn.Turn``."""

    session_id = ""

    def __init__(self, generation: Generation, prompts: PromptBuilder) -> None:
        self._generation = generation
        self._prompts = prompts
        self._began_s = time.monotonic()
        self._result: TurnResult | None = None

    @property
    def result(self) -> TurnResult:
        """The outcome; there once the pieces are exhausted."""
        if self._result is None:
            raise RuntimeError("the turn is still under way; read its pieces first")
        return self._result

    def __iter__(self) -> Iterator[str]:
        """The pieces as they are computed."""
        given: list[str] = []
        for piece in self._generation:
            given.append(piece.text)
            yield piece.text
        text = "".join(given)
        self._prompts.remember(text, self._generation.answer_ids)
        self._result = TurnResult(
            answer=text,
            end=TurnEnd(self._generation.finish_reason.value),
            session_id="",
            intent="",
            verdict=_ALLOWED,
            usage=self._generation.usage,
            timing_ms={"total": (time.monotonic() - self._began_s) * 1000},
        )

    def cancel(self) -> None:
        """Stop computing."""
        self._generation.cancel()
