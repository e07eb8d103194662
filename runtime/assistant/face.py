"""The face of the assistant that the service and the command line stand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from runtime.assistant.adapters import AdapterRoutes
from runtime.assistant.turn import AnswerOptions, Message, Turn
from runtime.engine.face import EngineLoad


class Assistant(Protocol):
    """A message in, an answer out."""

    @property
    def model_name(self) -> str:
        """The bundle's name: the ``model`` of the OpenAI API."""

    @property
    def adapters(self) -> AdapterRoutes:
        """Which LoRA adapter answers which conversation."""

    def chat(self, messages: Sequence[Message], options: AnswerOptions, client: str) -> Turn:
        """Answer the last message of a conversation that the caller carries.

        Raises:
            InvalidRequestError: no messages, or the last one is not the user's.
            PromptTooLongError, QueueFullError, EngineClosedError: see ``runtime.errors``.
        """

    def query(self, question: str, session_id: str, options: AnswerOptions, client: str) -> Turn:
        """Answer the next question of a conversation that the assistant carries.

        Args:
            question: what the customer says.
            session_id: of an earlier result; empty starts a new conversation.
            options: how to answer.
            client: whose request it is; the queue is fair between clients, and a session is its beginner's.

        Raises:
            As ``chat``.
        """

    def end_session(self, session_id: str, client: str) -> None:
        """Forget a conversation and the personal data of it. Unknown ids are fine."""

    def load(self) -> EngineLoad:
        """How busy the engine is."""

    def health(self) -> Mapping[str, object]:
        """``model``, ``engine``, ``guard`` (mode ``on`` or ``degraded``), ``degraded`` (reasons), all JSON values."""

    def close(self) -> None:
        """Cancel all turns and free the engine."""
