"""Reception: every message is guarded, then rid of personal data and numbers, before anything else reads it."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import MutableMapping
from dataclasses import dataclass

from guards.guard import Guard
from guards.language import Language, language_of
from guards.pii.vault import Vault
from guards.verdict import Action, Verdict
from models.slots import delexicalise
from runtime.assistant.intents import Intents

#: Verdicts on earlier messages that are kept: callers who carry their own history send it again with every question.
_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class Understood:
    """A message, taken apart.

    Attributes:
        message: as it came.
        language: ``en`` or ``zh``.
        intent: what the customer wants; empty where that was not asked or the message is blocked.
        second: what else the customer wants in the same message, or empty.
        text: for the model: placeholders for personal data, slots for numbers; empty if blocked.
        verdict: on the message.
    """

    message: str
    language: Language
    intent: str
    second: str
    text: str
    verdict: Verdict

    @property
    def blocked(self) -> bool:
        """Whether nothing may go on with this message."""
        return self.verdict.action is Action.BLOCK


class Reception:
    """Takes messages in. Safe from any thread, as long as each conversation's vault is used by one."""

    def __init__(self, intents: Intents) -> None:
        self._intents = intents
        self._verdicts: OrderedDict[bytes, Verdict] = OrderedDict()
        self._lock = threading.Lock()

    def question(self, guard: Guard, message: str, vault: Vault, slots: MutableMapping[str, str]) -> Understood:
        """Take a question in; personal data goes into ``vault``, numbers into ``slots``."""
        verdict = guard.check_input(message)
        if verdict.action is Action.BLOCK:
            return Understood(message, language_of(message), "", "", "", verdict)
        hidden = vault.hide(message)
        intent, second = self._intents.recognise(hidden)
        text, values = delexicalise(hidden, "Invoice Number" if "invoice" in intent else "Order Number")
        slots.update(values)
        return Understood(message, language_of(message), intent, second, text, verdict)

    def earlier(
        self,
        guard: Guard,
        message: str,
        vault: Vault,
        slots: MutableMapping[str, str],
        *,
        instructions: bool = False,
    ) -> Understood:
        """Take in what was said before, by whomever; its verdict is remembered, its intent does not matter.

        Args:
            guard: judges it.
            message: as it came.
            vault: takes its personal data.
            slots: take its numbers.
            instructions: it is the calling program's system message.
        """
        judged = f"{guard.policy.stamp} {instructions} {message}".encode("utf-8", "surrogatepass")
        key = hashlib.blake2b(judged, digest_size=16).digest()
        with self._lock:
            verdict = self._verdicts.pop(key, None)
        if verdict is None:
            verdict = guard.check_input(message, instructions=instructions)
        with self._lock:
            self._verdicts[key] = verdict
            while len(self._verdicts) > _REMEMBERED:
                self._verdicts.popitem(last=False)
        if verdict.action is Action.BLOCK:
            return Understood(message, language_of(message), "", "", "", verdict)
        text, values = delexicalise(vault.hide(message))
        slots.update(values)
        return Understood(message, language_of(message), "", "", text, verdict)
