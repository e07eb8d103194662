"""The desk: reception, sessions, flows, answer cache and engine put together into one assistant."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from guards.guard import Guard, OutputContext
from guards.pii.vault import Vault
from guards.verdict import Verdict
from runtime.assistant.adapters import AdapterRoutes, carried_conversation
from runtime.assistant.answers import AnswerCache, StoredAnswer
from runtime.assistant.flows import Flow, Flows
from runtime.assistant.intents import OUT_OF_SCOPE, QUESTIONS, Intents
from runtime.assistant.profile import Profile
from runtime.assistant.prompt import PromptBuilder
from runtime.assistant.reception import Reception, Understood
from runtime.assistant.sessions import Session, SessionStore
from runtime.assistant.sources import CachedText, EngineText, FixedText, JoinedText, TextSource
from runtime.assistant.turn import AnswerOptions, Message, Role, TurnEnd
from runtime.assistant.turns import GuardedTurn, TurnPlan
from runtime.engine.face import Engine, EngineLoad, GenerationRequest
from runtime.errors import InvalidRequestError, RuntimeFault

#: Messages of a carried conversation that are looked at, the last ones; the context has no room for more.
MESSAGES = 48

_JANITOR_S = 30.0


@dataclass(frozen=True, slots=True)
class DeskOptions:
    """How the desk works.

    Attributes:
        answer_tokens: tokens of an answer, where the caller names no number.
        sessions: conversations kept at most.
        session_idle_s: seconds after which an idle conversation is forgotten.
        cached_answers: greedy answers kept at most; 0 switches the cache off.
        patience_s: who would wait longer for a first token is refused at once; 0 lets everybody wait.
    """

    answer_tokens: int = 256
    sessions: int = 256
    session_idle_s: float = 900.0
    cached_answers: int = 512
    patience_s: float = 60.0


@dataclass(frozen=True, slots=True)
class DeskParts:
    """What a desk is made of; ``demonstration`` says that the model is not meant for customers.

    Without ``adapters`` the bare model answers everybody.
    """

    model_name: str
    demonstration: bool
    engine: Engine
    guard: Guard
    prompts: PromptBuilder
    intents: Intents
    flows: Flows
    profile: Profile
    adapters: AdapterRoutes = field(default_factory=AdapterRoutes)


class Desk:
    """See ``runtime.assistant.face.Assistant``."""

    def __init__(self, parts: DeskParts, options: DeskOptions) -> None:
        self._parts = parts
        self._options = options
        self._reception = Reception(parts.guard, parts.intents)
        self._sessions = SessionStore(options.sessions, options.session_idle_s, parts.guard.vault)
        self._answers = AnswerCache(options.cached_answers)
        self._closed = threading.Event()
        threading.Thread(target=self._tidy, name="janitor", daemon=True).start()

    def _tidy(self) -> None:
        """Forget idle conversations also while nobody asks anything."""
        while not self._closed.wait(_JANITOR_S):
            self._sessions.expire()

    @property
    def model_name(self) -> str:
        """The bundle's name."""
        return self._parts.model_name

    @property
    def adapters(self) -> AdapterRoutes:
        """Which LoRA adapter answers which conversation."""
        return self._parts.adapters

    def load(self) -> EngineLoad:
        """How busy the engine is."""
        return self._parts.engine.load()

    def health(self) -> Mapping[str, object]:
        """Model, engine settings, guard mode and degraded reasons, as JSON values."""
        info = self._parts.engine.info
        unavailable = self._parts.engine.unavailable()
        guard = self._parts.guard
        return {
            "model": self.model_name,
            "demonstration": self._parts.demonstration,
            "engine": {
                "kind": info.kind,
                "threads": info.threads,
                "context_tokens": info.context_tokens,
                "adapters": list(info.adapters),
                "notes": list(info.notes),
            },
            "guard": guard.mode.value,
            "degraded": [*guard.reasons, *([unavailable] if unavailable else [])],
            "policy": guard.policy.stamp,
            "intents": self._parts.intents.available,
            "sessions": len(self._sessions),
        }

    def close(self) -> None:
        """Cancel all turns and free the engine."""
        self._closed.set()
        self._parts.engine.close()

    def end_session(self, session_id: str, client: str) -> None:
        """Forget a conversation and its personal data."""
        self._sessions.end(session_id, client)

    def query(self, question: str, session_id: str, options: AnswerOptions, client: str) -> GuardedTurn:
        """Answer the next question of a conversation that the desk carries."""
        started = time.monotonic()
        session = self._sessions.begin(session_id, client)
        try:
            return self._query(question, session, options, started)
        except BaseException:
            self._sessions.done(session)
            if not session_id:  # nobody has been told its id
                self._sessions.end(session.id, client)
            raise

    def _query(self, question: str, session: Session, options: AnswerOptions, started: float) -> GuardedTurn:
        understood = self._reception.question(question, session.vault, session.slots)
        plan = self._plan(started, understood, session.vault, session.slots, session_id=session.id)
        if understood.blocked:
            return self._refuse(plan, session)
        flow = self._flow(understood, session)
        if flow is not None:
            plan = replace(plan, intent=flow.intent, handoff=flow.handoff, sources=(f"flow:{flow.name}",))
            return self._turn(plan, FixedText(flow.answers[understood.language]), session, understood.text)
        if understood.intent == OUT_OF_SCOPE:
            plan = replace(plan, intent=session.intent)
        session.intent = plan.intent
        conversation = [*session.history, Message(Role.USER, understood.text)]
        adapter = self.adapters.route(options.adapter, session.adapter, session.id)
        options = replace(options, adapter=adapter)
        source, dropped = self._answer(conversation, understood, options, session.client, cached=True)
        session.adapter = adapter
        del session.history[:dropped]
        plan = replace(plan, sources=(f"model:{self.model_name}",), adapter=adapter, stop=options.stop)
        return self._turn(plan, source, session, understood.text)

    def chat(self, messages: Sequence[Message], options: AnswerOptions, client: str) -> GuardedTurn:
        """Answer the last message of a conversation that the caller carries; each is guarded, whoever says it."""
        started = time.monotonic()
        if not messages:
            raise InvalidRequestError("messages", "is empty; expected at least one message")
        if messages[-1].role is not Role.USER:
            raise InvalidRequestError("messages", f"ends with {messages[-1].role.value}; expected a user message last")
        vault, slots = self._parts.guard.vault(), dict[str, str]()
        system = [message for message in messages if message.role is Role.SYSTEM]
        turns = [message for message in messages if message.role is not Role.SYSTEM][-MESSAGES:]
        conversation: list[Message] = []
        verdicts: list[Verdict] = []
        for message in (*system, *turns):
            take = self._reception.question if message is turns[-1] else self._reception.earlier
            understood = take(message.content, vault, slots)
            verdicts.append(understood.verdict)
            if understood.blocked:
                break
            conversation.append(Message(message.role, understood.text))
        plan = self._plan(started, understood, vault, slots, protected=tuple(message.content for message in system))
        plan = replace(plan, verdict=max(verdicts, key=lambda verdict: verdict.action.severity))
        if understood.blocked:
            return self._refuse(plan, None)
        adapter = self.adapters.route(options.adapter, None, carried_conversation(client, messages))
        options = replace(options, adapter=adapter)
        plan = replace(plan, sources=(f"model:{self.model_name}",), adapter=adapter)
        source, _ = self._answer(conversation, understood, options, client, cached=False)
        return self._turn(replace(plan, stop=options.stop), source, None, "")

    def _plan(
        self,
        started: float,
        understood: Understood,
        vault: Vault,
        slots: Mapping[str, str],
        *,
        session_id: str = "",
        protected: tuple[str, ...] = (),
    ) -> TurnPlan:
        values = {**slots, **self._parts.profile.slots}
        return TurnPlan(
            started=started,
            session_id=session_id,
            message=understood.message,
            intent=understood.intent,
            language=understood.language,
            verdict=understood.verdict,
            guard_in_ms=(time.monotonic() - started) * 1000,
            context=OutputContext(
                protected=(self._parts.prompts.system_prompt, *protected),
                trusted=tuple(values.values()),
                vault=vault,
            ),
            vault=vault,
            slots=values,
        )

    def _flow(self, understood: Understood, session: Session) -> Flow | None:
        """The fixed answer to a question, if there is one.

        The intent model knows English only: in another language, what no flow's words match is out of scope. A
        question within a conversation ("how long does that take?") means little by itself, so there "out of scope" is
        not believed.
        """
        flows = self._parts.flows
        by_words = flows.by_words(understood.message, understood.language)
        english = understood.language == "en"
        intent = understood.intent if english else OUT_OF_SCOPE
        if by_words is not None or (english and intent == OUT_OF_SCOPE and session.history):
            return by_words
        return flows.by_intent(intent, understood.language)

    def _answer(
        self,
        conversation: Sequence[Message],
        understood: Understood,
        options: AnswerOptions,
        client: str,
        *,
        cached: bool,
    ) -> tuple[TextSource, int]:
        """The model's answer and how many old messages it does without.

        A message that asks for two things gets two answers, since a small model gives only one; not if the caller sets
        limits or a form for the answer, which two could not keep.
        """
        first, dropped = self._source(conversation, options, client, cached=cached)
        bounded = options.max_tokens or options.stop or options.ignore_eos or options.sampling.grammar
        if not understood.second or bounded:
            return first, dropped
        also = [*conversation[:-1], Message(Role.USER, QUESTIONS[understood.second])]
        try:
            return JoinedText(first, self._source(also, options, client, cached=cached)[0]), dropped
        except RuntimeFault:  # refused: then nobody would read the first either
            first.cancel()
            raise

    def _source(
        self, conversation: Sequence[Message], options: AnswerOptions, client: str, *, cached: bool
    ) -> tuple[TextSource, int]:
        """Where the model's answer comes from, and how many old messages it does without."""
        max_tokens = options.max_tokens or self._options.answer_tokens
        adapter = options.adapter or ""
        prompt = self._parts.prompts.build(conversation, max_tokens)
        request = GenerationRequest(
            prompt=prompt.ids,
            max_tokens=max_tokens,
            sampling=options.sampling,
            stop=self._parts.prompts.markers,
            ignore_eos=options.ignore_eos,
            client=client,
            deadline_s=self._options.patience_s,
            adapter=adapter,
        )
        cached = cached and options.sampling == AnswerOptions().sampling and not options.ignore_eos
        stored = self._answers.get(prompt.ids, max_tokens, adapter) if cached else None
        if stored is not None:
            return CachedText(stored), prompt.dropped
        generation = self._parts.engine.submit(request)

        def keep(answer: StoredAnswer) -> None:
            self._parts.prompts.remember(answer.text, generation.answer_ids)
            if cached:
                self._answers.put(prompt.ids, max_tokens, answer, adapter)

        return EngineText(generation, keep), prompt.dropped

    def _refuse(self, plan: TurnPlan, session: Session | None) -> GuardedTurn:
        text = self._parts.guard.refusal(plan.verdict, plan.message)
        return self._turn(replace(plan, end=TurnEnd.CONTENT_FILTER), FixedText(text), session, "")

    def _turn(self, plan: TurnPlan, source: TextSource, session: Session | None, asked: str) -> GuardedTurn:
        def done(raw_answer: str, end: TurnEnd) -> None:
            if session is None:
                return
            if asked and raw_answer and end in (TurnEnd.STOP, TurnEnd.LENGTH):
                session.history += [Message(Role.USER, asked), Message(Role.ASSISTANT, raw_answer)]
            self._sessions.done(session)

        return GuardedTurn(plan, source, self._parts.guard, done)
