"""Turns become token ids: the bundle's chat template, and as much of the conversation as fits the context."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import NoReturn

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runtime.assistant.turn import Message, Role
from runtime.engine.face import Engine
from runtime.errors import InvalidRequestError, PromptTooLongError, StartError

#: What looks like a special token or a role marker of a chat template, also with a slash.
_MARKER = re.compile(r"<(?=[|/]?\w{1,40}[|]?>)|\[(?=/?INST\])")

_ROLE = re.compile(r"<\|\w+\|>")

#: Answers whose tokens are remembered; some 2 KiB each.
REMEMBERED = 2048

#: Never appears in text; keeps a marker in somebody's words from being read as one.
_WORD_JOINER = "\u2060"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt ready for the engine: its token ids, BOS included, and how many old messages were left out."""

    ids: tuple[int, ...]
    dropped: int


class PromptBuilder:
    """Renders conversations with one bundle's template.

    The template is Jinja as Hugging Face spells it (blocks trimmed, ``eos_token`` given); it runs in a sandbox, since
    it comes out of a file.
    """

    def __init__(self, engine: Engine, template: str, system_prompt: str, eos_token: str = "</s>") -> None:
        """Compile the template.

        Raises:
            StartError: it is not valid Jinja.
        """
        self._engine = engine
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, tuple[int, ...]] = OrderedDict()
        self.system_prompt = system_prompt
        #: Role markers of the template: where a model goes on with the next turn itself, its answer ends.
        self.markers = tuple(sorted(set(_ROLE.findall(template))))
        self._eos = eos_token
        try:
            environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
            environment.globals["raise_exception"] = _refuse
            self._template = environment.from_string(template)
        except TemplateError as error:
            raise StartError(
                f"manifest.json: chat.template is not valid Jinja ({error}); rebuild the bundle"
            ) from error

    def build(self, messages: Sequence[Message], answer_tokens: int) -> Prompt:
        """Render and encode; the oldest messages go first where the context has no room for an answer.

        Args:
            messages: the conversation, the user's message last. Without a system message the bundle's own is put first.
            answer_tokens: longest answer; up to a quarter of the context is kept free for it.

        Raises:
            PromptTooLongError: even the last message alone does not fit.
        """
        said = self._with_system(messages)
        system, turns = ([m for m in said if (m.role is Role.SYSTEM) is wanted] for wanted in (True, False))
        context = self._engine.info.context_tokens
        room = context - min(answer_tokens, context // 4)
        for dropped in range(len(turns)):
            if dropped and turns[dropped].role is not Role.USER:
                continue  # what is left begins with a question
            ids = self._encode([*system, *turns[dropped:]])
            if len(ids) <= room:
                return Prompt(ids, dropped)
        raise PromptTooLongError(len(ids), self._engine.info.context_tokens)

    def remember(self, answer: str, ids: tuple[int, ...]) -> None:
        """Note the tokens of an answer: a model may have cut it into others than ``encode`` would.

        In later prompts the answer then stands as it was generated, so that its cells are found again.
        """
        if not (answer and ids):
            return
        with self._lock:
            self._answers[answer] = ids
            self._answers.move_to_end(answer)
            while len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)

    def beginning(self, conversation: Sequence[Message] = ()) -> tuple[int, ...]:
        """What every prompt begins with in which the user now says something.

        Args:
            conversation: what was said until then; without a system message the bundle's own is put first.
        """
        said = self._with_system(conversation)
        one, other = (self._encode([*said, Message(Role.USER, word)]) for word in "aZ")
        return tuple(a for a, b in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))

    def _with_system(self, messages: Sequence[Message]) -> list[Message]:
        own = [] if any(m.role is Role.SYSTEM for m in messages) else [Message(Role.SYSTEM, self.system_prompt)]
        return [*own, *messages]

    def _encode(self, messages: Sequence[Message]) -> tuple[int, ...]:
        text = self._template.render(
            messages=[{"role": m.role.value, "content": neutral(m.content)} for m in messages],
            add_generation_prompt=True,
            eos_token=self._eos,
            bos_token="",
        )
        ids = self._engine.bos
        for answer in (m.content for m in messages if m.role is Role.ASSISTANT):
            with self._lock:
                known = self._answers.get(answer)
            before, found, after = text.partition(neutral(answer))
            # Only before an end token is a text cut in two encoded like one in one piece.
            if known and found and after.startswith(self._eos):
                ids += self._engine.encode(before) + known
                text = after
        return ids + self._engine.encode(text)


def _refuse(message: str) -> NoReturn:
    """What Hugging Face templates call where turns come in an order that the model does not know."""
    raise InvalidRequestError("messages", f"are refused by the model's chat template: {message}")


def neutral(text: str) -> str:
    """Take the meaning from what looks like a special token in a text: ``</s>`` becomes ``<``, a joiner, ``/s>``."""
    return _MARKER.sub(lambda match: match.group() + _WORD_JOINER, text)
