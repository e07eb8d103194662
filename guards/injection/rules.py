"""Prompt injection by rules: the rows of ``table`` applied to the normalised text."""

from __future__ import annotations

import re
from collections.abc import Collection

from guards.detector import Hit, Report
from guards.injection.rule import Rule
from guards.injection.table import HIDDEN_TEXT, RULES
from guards.language import has_han
from guards.views.hidden import hidden_in
from guards.views.normal import View

#: Letters of such a text; fewer may be strays of an editor.
_HIDDEN_LETTERS = 4

_LATIN = re.compile("[a-z]")


class InjectionRules:
    """Hits ``injection.…``: the first place of every rule that matches, in order of position."""

    family = "injection"

    def __init__(self, rules_off: Collection[str] = ()) -> None:
        """Apply all rules but those named."""
        self._rules = tuple(rule for rule in RULES if rule.name not in rules_off)
        self._reads_hidden = HIDDEN_TEXT not in rules_off

    def scan(self, view: View) -> Report:
        """Where each rule first matches."""
        text = lowered(view.text)
        languages = {"any"} | ({"en"} if _LATIN.search(text) else set()) | ({"zh"} if has_han(text) else set())
        found = [self._first(rule, text, view) for rule in self._rules if rule.language in languages]
        if self._reads_hidden:
            found.append(self._hidden(view))
        return Report(tuple(sorted((hit for hit in found if hit), key=lambda hit: hit.start)))

    def _hidden(self, view: View) -> Hit | None:
        """The first text in invisible characters that has letters enough to be one."""
        for hidden in hidden_in(view.source):
            if sum(map(str.isalpha, hidden.text)) >= _HIDDEN_LETTERS:
                return Hit(f"{self.family}.{HIDDEN_TEXT}", view.base + hidden.start, view.base + hidden.end)
        return None

    def _first(self, rule: Rule, text: str, view: View) -> Hit | None:
        match = rule.search(text)
        if match is None or match.start() == match.end():
            return None
        return Hit(f"{self.family}.{rule.name}", *view.span(*match.span()))


def lowered(text: str) -> str:
    """The text in lower case, character by character, so that positions stay what they are."""
    lower = text.lower()
    if len(lower) == len(text):
        return lower
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)
