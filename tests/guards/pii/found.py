"""What a search found, as a test likes to read it."""

from __future__ import annotations

from guards.pii.find import find_pii


def found(text: str) -> list[tuple[str, str]]:
    """(kind, the characters themselves) in order."""
    return [(finding.kind.value, text[finding.start : finding.end]) for finding in find_pii(text)]
