"""The encoding guard: characters that no honest text holds."""

from __future__ import annotations

from guards.detector import Hit, Report
from guards.views.normal import View, damage_in


class EncodingDetector:
    """Hits ``encoding.…`` for lone surrogates, NUL and control characters; if redacted, they are left out."""

    family = "encoding"

    def scan(self, view: View) -> Report:
        """One hit per run of such characters."""
        return Report(tuple(Hit(d.rule, view.base + d.start, view.base + d.end, "") for d in damage_in(view.source)))

    def pending(self, view: View) -> int:
        """None of them needs another to be recognised."""
        return len(view.text)
