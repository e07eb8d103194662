"""Fills the slots of an answer while it streams: ``{{Order Number}}`` becomes the customer's own number."""

from __future__ import annotations

import re
from collections.abc import Mapping

from models.slots import SLOT
from runtime.assistant.profile import UNKNOWN

#: A longer stretch after ``{{`` is no slot and is let go.
_LONGEST_SLOT = 64


class SlotFiller:
    """Takes an answer in pieces, gives it out with values; text that may yet become a slot waits.

    A slot that neither the customer nor the shop has a value for becomes a vague phrase, an unknown one its bare name.
    """

    def __init__(self, values: Mapping[str, str], language: str = "en") -> None:
        self._values = {**UNKNOWN["en"], **UNKNOWN.get(language, {}), **values}
        self._held = ""

    def feed(self, piece: str) -> str:
        """The text that is certain now."""
        text = SLOT.sub(self._value, self._held + piece)
        at = text.rfind("{{")
        if at < 0 and text.endswith("{"):
            at = len(text) - 1
        if at >= 0 and len(text) - at < _LONGEST_SLOT and "}}" not in text[at:]:
            self._held = text[at:]
            return text[:at]
        self._held = ""
        return text

    def finish(self) -> str:
        """The rest, at the end of the answer. A slot that was cut off is left out."""
        rest, self._held = self._held, ""
        return "" if rest.startswith("{{") else rest

    def _value(self, match: re.Match[str]) -> str:
        name = match.group(1).strip()
        return self._values.get(name, name)
