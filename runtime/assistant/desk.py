"""The desk: guards, sessions, intents, flows, answer cache and engine put together into one assistant."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from guards.guard import Guard, OutputContext
from guards.language import language_of
from guards.vault import Vault
from guards.verdict import Action, Verdict
from models.slots import delexicalise
from runtime.assistant.answers import AnswerCache
from runtime.assistant.flows import Flow, Flows
from runtime.assistant.intents import OUT_OF_SCOPE, Intents
from runtime.assistant.profile import Profile
from runtime.assistant.prompt import PromptBuilder
from runtime.assistant.sessions import Session, SessionStore
from runtime.assistant.sources import CachedText, EngineText, FixedText, TextSource
from runtime.assistant.turn import AnswerOptions, Message, Role, TurnEnd
from runtime.assistant.turns import GuardedTurn, TurnPlan
from runtime.engine.face import Engine, EngineLoad, GenerationRequest
from runtime.errors import InvalidRequestError


@dataclass(frozen=True, slots=True)
class DeskOptions:
    """How the desk works.

    Attributes:
        answer_tokens: tokens of an answer, where the caller names no number.
        sessions: conversations kept at most.
        session_idle_s: seconds after which an idle conversation is forgotten.
        cached_answers: greedy answers kept at most; 0 switches the cache off.
    """

    answer_tokens: int = 256
    sessions: int = 256
    session_idle_s: float = 900.0
    cached_answers: int = 512


@dataclass(frozen=True, slots=True)
class DeskParts:
    """What a desk is made of; ``demonstration`` says that the model is not meant for customers."""

    model_name: str
    demonstration: bool
    engine: Engine
    guard: Guard
    prompts: PromptBuilder
    intents: Intents
    flows: Flows
    profile: Profile


@dataclass(frozen=True, slots=True)
class _Understood:
    """A customer's message, taken apart: language, intent, text without data, and the input verdict."""

    message: str
    language: str
    intent: str
    text: str
    verdict: Verdict


class Desk:
    """See ``runtime.assistant.face.Assistant``."""

    def __init__(self, parts: DeskParts, options: DeskOptions) -> None:
        self._parts = parts
        self._options = options
        self._sessions = SessionStore(options.sessions, options.session_idle_s, parts.guard.vault)
        self._answers = AnswerCache(options.cached_answers)

    @property
    def model_name(self) -> str:
        """The bundle's name."""
        return self._parts.model_name

    def load(self) -> EngineLoad:
        """How busy the engine is."""
        return self._parts.engine.load()

    def health(self) -> Mapping[str, object]:
        """Model, engine settings, guard mode and degraded reasons, as JSON values."""
        info = self._parts.engine.info
        guard = self._parts.guard
        return {
            "model": self.model_name,
            "demonstration": self._parts.demonstration,
            "engine": {
                "kind": info.kind,
                "threads": info.threads,
                "context_tokens": info.context_tokens,
                "notes": list(info.notes),
            },
            "guard": guard.mode.value,
            "degraded": list(guard.reasons),
            "policy": guard.policy.stamp,
            "intents": self._parts.intents.available,
            "sessions": len(self._sessions),
        }

    def close(self) -> None:
        """Cancel all turns and free the engine."""
        self._parts.engine.close()

    def end_session(self, session_id: str, client: str) -> None:
        """Forget a conversation and its personal data."""
        self._sessions.end(session_id, client)

    def query(self, question: str, session_id: str, options: AnswerOptions, client: str) -> GuardedTurn:
        """Answer the next question of a conversation that the desk carries."""
        started = time.monotonic()
        session = self._sessions.begin(session_id, client)
        try:
            understood = self._understand(question, session.vault, session.slots)
            plan = self._plan(started, understood, session.vault, session.slots, session.id)
            if understood.verdict.action is Action.BLOCK:
                return self._refuse(plan, session)
            flow = self._flow(question, understood)
            if flow is not None:
                plan = replace(plan, intent=flow.intent, handoff=flow.handoff, sources=(f"flow:{flow.name}",))
                source: TextSource = FixedText(flow.answers[understood.language])
            else:
                conversation = [*session.history, Message(Role.USER, understood.text)]
                source = self._source(conversation, options, client, cached=True)
                plan = replace(plan, sources=(f"model:{self.model_name}",))
            return self._turn(plan, source, session, understood.text)
        except BaseException:
            self._sessions.done(session)
            raise

    def chat(self, messages: Sequence[Message], options: AnswerOptions, client: str) -> GuardedTurn:
        """Answer the last message of a conversation that the caller carries."""
        started = time.monotonic()
        if not messages:
            raise InvalidRequestError("messages", "is empty; expected at least one message")
        if messages[-1].role is not Role.USER:
            raise InvalidRequestError("messages", f"ends with {messages[-1].role.value}; expected a user message last")
        vault, slots = self._parts.guard.vault(), dict[str, str]()
        conversation, understood = [], None
        for message in messages:
            if message.role is Role.USER:
                understood = self._understand(message.content, vault, slots)
                if understood.verdict.action is Action.BLOCK:
                    break
                conversation.append(Message(message.role, understood.text))
            elif message.role is Role.ASSISTANT:
                conversation.append(Message(message.role, delexicalise(vault.hide(message.content))[0]))
            else:
                conversation.append(message)
        assert understood is not None
        plan = self._plan(started, understood, vault, slots)
        if understood.verdict.action is Action.BLOCK:
            return self._refuse(plan, None)
        plan = replace(plan, sources=(f"model:{self.model_name}",))
        return self._turn(plan, self._source(conversation, options, client, cached=False), None, "")

    def _understand(self, message: str, vault: Vault, slots: dict[str, str]) -> _Understood:
        """Guard a message, then take personal data and numbers out of it, into ``vault`` and ``slots``."""
        guard = self._parts.guard
        verdict = guard.check_input(message)
        language = language_of(message)
        if verdict.action is Action.BLOCK:
            return _Understood(message, language, "", "", verdict)
        hidden = vault.hide(message)
        intent = self._parts.intents.recognise(hidden)
        text, values = delexicalise(hidden, "Invoice Number" if "invoice" in intent else "Order Number")
        slots.update(values)
        return _Understood(message, language, intent, text, verdict)

    def _plan(
        self, started: float, understood: _Understood, vault: Vault, slots: Mapping[str, str], session_id: str = ""
    ) -> TurnPlan:
        shop = self._parts.profile.slots
        return TurnPlan(
            started=started,
            session_id=session_id,
            message=understood.message,
            intent=understood.intent,
            language=understood.language,
            verdict=understood.verdict,
            guard_in_ms=(time.monotonic() - started) * 1000,
            context=OutputContext(
                protected=(self._parts.prompts.system_prompt,), trusted=tuple(shop.values()), vault=vault
            ),
            vault=vault,
            slots={**slots, **shop},
        )

    def _flow(self, question: str, understood: _Understood) -> Flow | None:
        flows = self._parts.flows
        by_words = flows.by_words(question, understood.language)
        # The intent model knows English only; in another language what no flow's words match is out of scope.
        intent = understood.intent if understood.language == "en" else OUT_OF_SCOPE
        return by_words or flows.by_intent(intent, understood.language)

    def _source(
        self, conversation: Sequence[Message], options: AnswerOptions, client: str, *, cached: bool
    ) -> TextSource:
        max_tokens = options.max_tokens or self._options.answer_tokens
        prompt = self._parts.prompts.build(conversation, max_tokens)
        request = GenerationRequest(
            prompt=prompt.ids,
            max_tokens=max_tokens,
            sampling=options.sampling,
            stop=(*options.stop, *self._parts.prompts.markers),
            ignore_eos=options.ignore_eos,
            client=client,
        )
        if not (cached and options == AnswerOptions(options.max_tokens)):
            return EngineText(self._parts.engine.submit(request))
        stored = self._answers.get(prompt.ids, max_tokens)
        if stored is not None:
            return CachedText(stored)
        return EngineText(
            self._parts.engine.submit(request), lambda answer: self._answers.put(prompt.ids, max_tokens, answer)
        )

    def _refuse(self, plan: TurnPlan, session: Session | None) -> GuardedTurn:
        text = self._parts.guard.refusal(plan.verdict, plan.message)
        refused = replace(plan, end=TurnEnd.CONTENT_FILTER, handoff=plan.verdict.rule.startswith("unsafe."))
        return self._turn(refused, FixedText(text), session, "")

    def _turn(self, plan: TurnPlan, source: TextSource, session: Session | None, asked: str) -> GuardedTurn:
        def done(raw_answer: str, end: TurnEnd) -> None:
            if session is None:
                return
            if asked and raw_answer and end in (TurnEnd.STOP, TurnEnd.LENGTH):
                session.history += [Message(Role.USER, asked), Message(Role.ASSISTANT, raw_answer)]
            self._sessions.done(session)

        return GuardedTurn(plan, source, self._parts.guard, done)
