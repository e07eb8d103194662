r"""Personal data in a normalised text, kind by kind: what one kind has taken, the next no longer sees.

Borders are "no digit beside it" rather than ``\b``, which does not exist between a digit and a Chinese character.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from guards.pii.addresses import addresses
from guards.pii.checked import cards, ids
from guards.pii.iban import ibans
from guards.pii.kinds import DEFAULT, Finding, PiiKind, PiiOptions, Span, blanked, disjoint, without_marks
from guards.pii.mail import emails
from guards.pii.names import names
from guards.pii.phones import phones
from guards.pii.spelled import with_digits

__all__ = ["DEFAULT", "Finding", "PiiKind", "PiiOptions", "search"]

#: Kinds whose digits may be written as numerals.
_SPELLED = (PiiKind.ID, PiiKind.CARD, PiiKind.PHONE)

_SEARCHES: Mapping[PiiKind, Callable[[str, PiiOptions], list[Span]]] = {
    PiiKind.EMAIL: lambda text, _options: emails(text),
    PiiKind.IBAN: lambda text, _options: ibans(text),
    PiiKind.ID: lambda text, _options: ids(text),
    PiiKind.CARD: lambda text, _options: cards(text),
    PiiKind.PHONE: phones,
    PiiKind.ADDRESS: lambda text, _options: addresses(text),
    PiiKind.NAME: lambda text, _options: names(text),
}


def search(text: str, options: PiiOptions) -> list[Finding]:
    """Findings in a normalised text, in order and without overlaps. Time is linear in the text's length."""
    found: list[Finding] = []
    rest = without_marks(text)
    for kind in PiiKind:
        if kind not in options.kinds:
            continue
        spans = _SEARCHES[kind](rest, options)
        if kind in _SPELLED and (read := with_digits(blanked(rest, spans))) is not None:
            spans = disjoint(spans + _SEARCHES[kind](read, options))
        found += [Finding(kind, start, end) for start, end in spans]
        rest = blanked(rest, spans)
    return sorted(found, key=lambda finding: finding.start)
