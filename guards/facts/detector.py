"""The fact guard's detector: a sentence that states what no trusted text holds does not go out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cached_property

from guards.detector import Hit, Report
from guards.facts.claim import Claim
from guards.facts.extract import claims_of
from guards.facts.known import KnownFacts
from guards.views.normal import View


class FactDetector:
    """Hits ``facts.…``, one per unsupported claim, each over the whole sentence; it is replaced by a fixed text.

    For one answer: the trusted texts are read once, and only if a sentence claims anything.
    """

    family = "facts"

    def __init__(self, trusted: Callable[[], Iterable[str]], replacement: str) -> None:
        """Take the texts that ``trusted`` gives for true; ``replacement`` is said instead of a sentence."""
        self._trusted = trusted
        self._replacement = replacement

    @cached_property
    def _known(self) -> KnownFacts:
        return KnownFacts(self._trusted())

    def scan(self, view: View) -> Report:
        """The unsupported claims of a sentence, in order."""
        if not view.text:
            return Report()
        span = view.span(0, len(view.text))
        return Report(tuple(Hit(f"facts.{one.kind.value}", *span, self._replacement) for one in self.unsupported(view)))

    def unsupported(self, view: View) -> Iterator[Claim]:
        """Claims of the view that no trusted text supports."""
        for one in claims_of(view):
            if not self._known.supports(one, view.text[one.start : one.end]):
                yield one
