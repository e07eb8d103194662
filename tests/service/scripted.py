"""An assistant that does what a test tells it: for faults that a real one cannot be made to show on demand.

It stands at the seam, behind the same face as the real one; whatever the real one can show is tested with the real one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from guards.verdict import Action, Verdict
from runtime.assistant.adapters import AdapterRoutes, carried_conversation
from runtime.assistant.turn import AnswerOptions, Message, TurnEnd, TurnResult
from runtime.engine.face import EngineLoad, Usage

ALLOWED = Verdict(Action.ALLOW)


@dataclass(frozen=True)
class Script:
    """What happens at one question.

    Attributes:
        pieces: the answer, piece by piece.
        delay_s: seconds before each piece.
        refuses: raised at once, instead of a turn.
        fails: raised after the pieces.
        verdict: the guards' word.
        handoff: whether a person is called.
    """

    pieces: tuple[str, ...] = ("Certainly.",)
    delay_s: float = 0.0
    refuses: Exception | None = None
    fails: Exception | None = None
    verdict: Verdict = ALLOWED
    handoff: bool = False


class ScriptedTurn:
    """Plays a script; a cancel interrupts it even between two pieces, as the engine's does."""

    def __init__(self, script: Script, session_id: str, adapter: str = "") -> None:
        self._script = script
        self._adapter = adapter
        self.session_id = session_id
        self.cancelled = threading.Event()
        self._result: TurnResult | None = None

    @property
    def result(self) -> TurnResult:
        if self._result is None:
            raise RuntimeError("the turn is under way")
        return self._result

    def __iter__(self) -> Iterator[str]:
        said: list[str] = []
        for piece in self._script.pieces:
            if self.cancelled.wait(self._script.delay_s):
                break
            said.append(piece)
            yield piece
        if self._script.fails and not self.cancelled.is_set():
            raise self._script.fails
        blocked = self._script.verdict.action is Action.BLOCK
        end = TurnEnd.CANCELLED if self.cancelled.is_set() else TurnEnd.CONTENT_FILTER if blocked else TurnEnd.STOP
        self._result = TurnResult(
            answer="".join(said),
            end=end,
            session_id=self.session_id,
            intent="cancel_order",
            verdict=self._script.verdict,
            handoff=self._script.handoff,
            adapter=self._adapter,
            usage=Usage(prompt_tokens=20, cached_tokens=12, completion_tokens=len(said)),
            timing_ms={"total": 12.345},
        )

    def cancel(self) -> None:
        self.cancelled.set()


class ScriptedAssistant:
    """Answers every question by its script, or by the default one; ``adapters`` are names of some that it has not."""

    model_name = "scripted"

    def __init__(
        self,
        default: Script,
        scripts: Mapping[str, Script] | None = None,
        adapters: Sequence[str] = (),
    ) -> None:
        self.adapters = AdapterRoutes(adapters)
        self._default = default
        self._scripts = scripts or {}
        self.turns: list[ScriptedTurn] = []
        self.asked: list[tuple[str, AnswerOptions, str]] = []
        self.ended: list[tuple[str, str]] = []

    def chat(self, messages: Sequence[Message], options: AnswerOptions, client: str) -> ScriptedTurn:
        return self._begin(messages[-1].content, "", options, client, carried_conversation(client, messages))

    def query(self, question: str, session_id: str, options: AnswerOptions, client: str) -> ScriptedTurn:
        session_id = session_id or f"session-{len(self.turns)}"
        return self._begin(question, session_id, options, client, session_id)

    def end_session(self, session_id: str, client: str) -> None:
        self.ended.append((session_id, client))

    def load(self) -> EngineLoad:
        return EngineLoad(running=0, waiting=0, prefill_tokens=0, decode_tokens=0)

    def health(self) -> Mapping[str, object]:
        return {"model": self.model_name, "engine": {}, "guard": {"mode": "on"}, "degraded": []}

    def close(self) -> None:
        for turn in self.turns:
            turn.cancel()

    def _begin(
        self, question: str, session_id: str, options: AnswerOptions, client: str, conversation: str
    ) -> ScriptedTurn:
        script = self._scripts.get(question, self._default)
        self.asked.append((question, options, client))
        if script.refuses:
            raise script.refuses
        turn = ScriptedTurn(script, session_id, self.adapters.route(options.adapter, None, conversation))
        self.turns.append(turn)
        return turn
