"""The desk: reception, sessions, flows, answer cache and engine put together into one assistant."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from guards.audit.log import AuditLog
from guards.guard import Guard, OutputContext
from guards.pii.vault import Vault
from guards.reload import GuardSource
from guards.verdict import Verdict
from runtime.assistant.adapters import AdapterRoutes, carried_conversation
from runtime.assistant.answering import Answering, AnsweringOptions
from runtime.assistant.flows import Flow, Flows
from runtime.assistant.intents import OUT_OF_SCOPE, Intents
from runtime.assistant.profile import Profile
from runtime.assistant.prompt import PromptBuilder
from runtime.assistant.reception import Reception, Understood
from runtime.assistant.sessions import Session, SessionStore
from runtime.assistant.sources import FixedText, TextSource
from runtime.assistant.turn import AnswerOptions, Message, Role, TurnEnd
from runtime.assistant.turns import GuardedTurn, TurnPlan
from runtime.engine.face import Engine, EngineLoad
from runtime.errors import InvalidRequestError

#: Messages of a carried conversation that are looked at, the last ones; the context has no room for more.
MESSAGES = 48

_JANITOR_S = 30.0


@dataclass(frozen=True, slots=True)
class DeskOptions:
    """How the desk works.

    Attributes:
        answering: how the model is asked.
        sessions: conversations kept at most.
        session_idle_s: seconds after which an idle conversation is forgotten.
    """

    answering: AnsweringOptions = field(default_factory=AnsweringOptions)
    sessions: int = 256
    session_idle_s: float = 900.0


@dataclass(frozen=True, slots=True)
class DeskParts:
    """What a desk is made of; ``demonstration`` says that the model is not meant for customers.

    ``guards`` gives the guard under the policy that holds now; a turn keeps the one it began with. Without ``adapters``
    the bare model answers everybody; without ``audit`` nothing is written down.
    """

    model_name: str
    demonstration: bool
    engine: Engine
    guards: GuardSource
    prompts: PromptBuilder
    intents: Intents
    flows: Flows
    profile: Profile
    adapters: AdapterRoutes = field(default_factory=AdapterRoutes)
    audit: AuditLog | None = None


@dataclass(frozen=True, slots=True)
class _Start:
    """How a turn begins: when, in monotonic seconds, under which policy and for whom."""

    began_s: float
    guard: Guard
    client: str


class Desk:
    """See ``runtime.assistant.face.Assistant``."""

    def __init__(self, parts: DeskParts, options: DeskOptions) -> None:
        self._parts = parts
        self._reception = Reception(parts.intents)
        self._sessions = SessionStore(options.sessions, options.session_idle_s, lambda: parts.guards.current().vault())
        self._answering = Answering(parts.engine, parts.prompts, options.answering)
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
        guard = self._parts.guards.current()
        audit = self._parts.audit
        problems = (unavailable, self._parts.guards.problem, audit and audit.problem)
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
            "degraded": [*guard.reasons, *(problem for problem in problems if problem)],
            "policy": guard.policy.stamp,
            "intents": self._parts.intents.available,
            "sessions": len(self._sessions),
        }

    def close(self) -> None:
        """Cancel all turns, free the engine and give the audit log back."""
        self._closed.set()
        self._parts.guards.close()
        self._parts.engine.close()
        if self._parts.audit is not None:
            self._parts.audit.close()

    def end_session(self, session_id: str, client: str) -> None:
        """Forget a conversation and its personal data."""
        self._sessions.end(session_id, client)

    def query(self, question: str, session_id: str, options: AnswerOptions, client: str) -> GuardedTurn:
        """Answer the next question of a conversation that the desk carries."""
        start = self._start(client)
        session = self._sessions.begin(session_id, client)
        try:
            return self._query(question, session, options, start)
        except BaseException:
            self._sessions.done(session)
            if not session_id:  # nobody has been told its id
                self._sessions.end(session.id, client)
            raise

    def _query(self, question: str, session: Session, options: AnswerOptions, start: _Start) -> GuardedTurn:
        understood = self._reception.question(start.guard, question, session.vault, session.slots)
        plan = self._plan(start, understood, session.vault, session.slots)
        said = tuple(message.content for message in session.history)
        plan = replace(plan, session_id=session.id, context=plan.context.also(said=said))
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
        source, dropped = self._answering.answer(conversation, understood.second, options, session.client, cached=True)
        session.adapter = adapter
        del session.history[:dropped]
        plan = replace(plan, sources=(f"model:{self.model_name}",), adapter=adapter, stop=options.stop)
        return self._turn(plan, source, session, understood.text)

    def chat(self, messages: Sequence[Message], options: AnswerOptions, client: str) -> GuardedTurn:
        """Answer the last message of a conversation that the caller carries; each is guarded, whoever says it."""
        start = self._start(client)
        if not messages:
            raise InvalidRequestError("messages", "is empty; expected at least one message")
        if messages[-1].role is not Role.USER:
            raise InvalidRequestError("messages", f"ends with {messages[-1].role.value}; expected a user message last")
        vault, slots = start.guard.vault(), dict[str, str]()
        system = [message for message in messages if message.role is Role.SYSTEM]
        turns = [message for message in messages if message.role is not Role.SYSTEM][-MESSAGES:]
        conversation: list[Message] = []
        verdicts: list[Verdict] = []
        for message in (*system, *turns):
            if message is turns[-1]:
                understood = self._reception.question(start.guard, message.content, vault, slots)
            else:
                instructions = message.role is Role.SYSTEM
                understood = self._reception.earlier(
                    start.guard, message.content, vault, slots, instructions=instructions
                )
            verdicts.append(understood.verdict)
            if understood.blocked:
                break
            conversation.append(Message(message.role, understood.text))
        plan = self._plan(start, understood, vault, slots)
        protected = tuple(message.content for message in system)
        # an answer that the caller carries back is no proof of the facts in it
        said = tuple(message.content for message in messages if message.role is not Role.ASSISTANT)
        verdict = max(verdicts, key=lambda verdict: verdict.action.severity)
        plan = replace(plan, verdict=verdict, context=plan.context.also(protected=protected, said=said))
        if understood.blocked:
            return self._refuse(plan, None)
        adapter = self.adapters.route(options.adapter, None, carried_conversation(client, messages))
        options = replace(options, adapter=adapter)
        plan = replace(plan, sources=(f"model:{self.model_name}",), adapter=adapter)
        source, _ = self._answering.answer(conversation, understood.second, options, client, cached=False)
        return self._turn(replace(plan, stop=options.stop), source, None, "")

    def _start(self, client: str) -> _Start:
        return _Start(time.monotonic(), self._parts.guards.current(), client)

    def _plan(self, start: _Start, understood: Understood, vault: Vault, slots: Mapping[str, str]) -> TurnPlan:
        values = {**slots, **self._parts.profile.slots}
        return TurnPlan(
            guard=start.guard,
            client=start.client,
            started=start.began_s,
            message=understood.message,
            intent=understood.intent,
            language=understood.language,
            verdict=understood.verdict,
            guard_in_ms=(time.monotonic() - start.began_s) * 1000,
            context=OutputContext(
                protected=(self._parts.prompts.system_prompt,),
                trusted=tuple(values.values()),
                said=(understood.message,),
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

    def _refuse(self, plan: TurnPlan, session: Session | None) -> GuardedTurn:
        text = plan.guard.refusal(plan.verdict, plan.message)
        return self._turn(replace(plan, end=TurnEnd.CONTENT_FILTER), FixedText(text), session, "")

    def _turn(self, plan: TurnPlan, source: TextSource, session: Session | None, asked: str) -> GuardedTurn:
        def done(raw_answer: str, end: TurnEnd) -> None:
            if session is None:
                return
            if asked and raw_answer and end in (TurnEnd.STOP, TurnEnd.LENGTH):
                session.history += [Message(Role.USER, asked), Message(Role.ASSISTANT, raw_answer)]
            self._sessions.done(session)

        return GuardedTurn(plan, source, done, self._parts.audit)
