"""The marks that chat templates put between turns: an answer that holds one has lost its way."""

from __future__ import annotations

import re

from guards.detector import Hit, Report
from guards.injection.rules import lowered
from guards.injection.table import ROLE_TOKEN, ROLE_TOKEN_MAX_CHARS
from guards.views.normal import View

_OPEN_MARK = re.compile(rf"[<\[][^\s>\]]{{0,{ROLE_TOKEN_MAX_CHARS - 1}}}\Z")


class RoleTokens:
    """Hits ``leak.role_token`` for chat template marks."""

    family = "leak"

    def scan(self, view: View) -> Report:
        """One hit per mark."""
        found = ROLE_TOKEN.finditer(lowered(view.text))
        return Report(tuple(Hit("leak.role_token", *view.span(*match.span())) for match in found))

    def pending(self, view: View) -> int:
        """Where a bracket stands open that may become a mark."""
        match = _OPEN_MARK.search(view.text, max(0, len(view.text) - ROLE_TOKEN_MAX_CHARS))
        return match.start() if match else len(view.text)
