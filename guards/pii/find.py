"""Personal data in a text: found, redacted, and kept out of answers."""

from __future__ import annotations

from collections.abc import Callable, Collection

from guards.detector import Hit, Report
from guards.pii.pending import pending
from guards.pii.search import DEFAULT, Finding, PiiKind, PiiOptions, search
from guards.pii.spelled import with_digits
from guards.views.normal import View, normalised

__all__ = [
    "DEFAULT",
    "Finding",
    "PiiDetector",
    "PiiKind",
    "PiiOptions",
    "canonical",
    "find_pii",
    "mark",
    "redact",
    "values_in",
]


def find_pii(text: str, options: PiiOptions = DEFAULT) -> tuple[Finding, ...]:
    """Personal data in the text, in order, without overlaps; also in full-width digits and letters."""
    view = normalised(text)
    return tuple(Finding(f.kind, *view.span(f.start, f.end)) for f in search(view.text, options))


def redact(text: str) -> str:
    """The text with ``[PHONE]`` and the like in place of personal data; for logs and stores, not reversible.

    ``redact(redact(text)) == redact(text)``: what a mark in place of data brings to light is redacted as well.
    """
    while (redacted := _redacted_once(text)) != text:
        text = redacted
    return text


def _redacted_once(text: str) -> str:
    pieces, at = [], 0
    for finding in find_pii(text):
        pieces += [text[at : finding.start], mark(finding.kind)]
        at = finding.end
    return "".join([*pieces, text[at:]])


def mark(kind: PiiKind) -> str:
    """What stands in place of redacted data."""
    return f"[{kind.value}]"


def values_in(text: str, options: PiiOptions = DEFAULT) -> frozenset[tuple[PiiKind, str]]:
    """The personal data of the text as (kind, canonical value)."""
    return frozenset((f.kind, canonical(f.kind, text[f.start : f.end])) for f in find_pii(text, options))


def canonical(kind: PiiKind, value: str) -> str:
    """A form in which two spellings of one value agree.

    Numbers are compared by their digits, telephone numbers by the last ten: with and without the country's code.
    E-mail addresses are compared as written, names and postal addresses without spaces and punctuation.
    """
    plain = normalised(value).text.upper()
    if kind is PiiKind.EMAIL:
        return plain
    if kind in (PiiKind.IBAN, PiiKind.ADDRESS, PiiKind.NAME):
        return "".join(char for char in plain if char.isalnum())
    plain = with_digits(plain) or plain
    digits = "".join(char for char in plain if char.isdigit() or (char == "X" and kind is PiiKind.ID))
    return digits[-10:] if kind is PiiKind.PHONE else digits


class PiiDetector:
    """Hits ``pii.…`` for personal data, except what is known to be allowed."""

    family = "pii"

    def __init__(self, options: PiiOptions, known: Callable[[], Collection[tuple[PiiKind, str]]] = frozenset) -> None:
        """Allow the (kind, canonical value) pairs that ``known`` gives; it is asked only if something was found."""
        self._options = options
        self._known = known

    def scan(self, view: View) -> Report:
        """One hit per finding, replaced by its kind in brackets."""
        hits = []
        for found in search(view.text, self._options):
            if (found.kind, canonical(found.kind, view.text[found.start : found.end])) not in self._known():
                span = view.span(found.start, found.end)
                hits.append(Hit(f"pii.{found.kind.value.lower()}", *span, mark(found.kind)))
        return Report(tuple(hits))

    def pending(self, view: View) -> int:
        """Where the piece of personal data begins that stands open at the end of the view."""
        return pending(view.text, self._options)
