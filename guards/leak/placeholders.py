"""Placeholders that this conversation's vault did not give out: invented, or another conversation's."""

from __future__ import annotations

import re
from collections.abc import Callable

from guards.detector import Hit, Report
from guards.pii.find import PiiKind
from guards.views.normal import View

#: Personal data of every kind, and customers' own words that look like a placeholder (``TEXT``).
_KINDS = (*PiiKind, "TEXT")
_MAX_DIGITS = 6
_PLACEHOLDER = re.compile(rf"\[({'|'.join(_KINDS)})_(\d{{1,{_MAX_DIGITS}}})\]", re.IGNORECASE | re.ASCII)
_MAX_CHARS = max(map(len, _KINDS)) + _MAX_DIGITS + 3
_OPEN = re.compile(rf"\[[a-z]{{0,{max(map(len, _KINDS))}}}(?:_\d{{0,{_MAX_DIGITS}}})?\Z", re.IGNORECASE | re.ASCII)


class ForeignPlaceholders:
    """Hits ``placeholder.foreign``; in its place stands the kind alone, ``[PHONE]``. Stateless."""

    family = "placeholder"

    def __init__(self, gave_out: Callable[[str], bool]) -> None:
        """``gave_out``: whether the conversation's vault gave out ``[PHONE_1]``."""
        self._gave_out = gave_out

    def scan(self, view: View) -> Report:
        """Every one, in order of position."""
        return Report(
            tuple(
                Hit("placeholder.foreign", *view.span(*match.span()), f"[{match.group(1).upper()}]")
                for match in _PLACEHOLDER.finditer(view.text)
                if not self._gave_out(match.group().upper())
            )
        )

    def pending(self, view: View) -> int:
        """Where a bracket stands open that may become one."""
        match = _OPEN.search(view.text, max(0, len(view.text) - _MAX_CHARS))
        return match.start() if match else len(view.text)
