"""Ask a running service every question, each as a new customer, and keep what it replied."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.client import Client
from bench.errors import ProtocolError, RefusedError, UsageError
from bench.quality.texts import QualityText


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply of ``/api/query``.

    Attributes:
        text: what was asked, and what was to be answered.
        answer: what was answered.
        intent: what the service took the question for; empty if it does not say.
        handoff: whether it calls a person.
        blocked: whether a policy held the answer back.
        sources: what the answer rests on, as the service names it: ``model:…``, ``flow:…``.
        rule: the guard's rule that decided; empty if none did.
    """

    text: QualityText
    answer: str
    intent: str
    handoff: bool
    blocked: bool
    sources: tuple[str, ...]
    rule: str

    @property
    def by_model(self) -> bool:
        """Whether the model wrote it; else it is a fixed text of a flow or of the guard."""
        return not self.blocked and not any(source.startswith("flow:") for source in self.sources)

    @property
    def replaced(self) -> bool:
        """Whether the fact guard took a sentence out that stated what nobody had said."""
        return self.rule.startswith("facts.")


def ask_all(client: Client, texts: Sequence[QualityText], observe: Callable[[float], None]) -> tuple[Answer, ...]:
    """Ask one question after another.

    Raises:
        UsageError: the target has no ``/api/query``.
        TargetError: it did not answer properly.
    """
    found: list[Answer] = []
    for number, text in enumerate(texts, start=1):
        try:
            reply = client.post_json("/api/query", {"question": text.question})
        except RefusedError as error:
            if error.status not in (404, 405):
                raise
            raise UsageError(
                f"{client.address} has no /api/query; expected this project's server, whose replies name intents and "
                "hand-overs; start one with `python -m runtime serve`"
            ) from error
        found.append(_answer(text, reply))
        observe(number / len(texts))
    return tuple(found)


def _answer(text: QualityText, reply: Mapping[str, object]) -> Answer:
    answer, guard, sources = reply.get("answer"), reply.get("guard"), reply.get("sources")
    if not isinstance(answer, str) or not isinstance(guard, Mapping) or not isinstance(sources, list):
        raise ProtocolError(
            f"/api/query answered {str(dict(reply))[:200]!r}; expected the fields answer, guard and sources"
        )
    return Answer(
        text=text,
        answer=answer,
        intent=str(reply.get("intent") or ""),
        handoff=reply.get("handoff") is True,
        blocked=guard.get("action") == "block",
        sources=tuple(str(source) for source in sources),
        rule=str(guard.get("rule") or ""),
    )
