"""All views of a text: as it stands, as its disguised letters read, and as its codes read.

Each derived view is one more text for every detector to scan, so an ordinary text has none.
"""

from __future__ import annotations

from guards.views.confusables import folded
from guards.views.encoded import decoded
from guards.views.hidden import revealed
from guards.views.leet import read
from guards.views.normal import View, normalised
from guards.views.spaced import joined

#: No text has more views.
MAX_VIEWS = 4


def views_of(source: str, base: int = 0) -> tuple[View, ...]:
    """The normalised view, then the derived ones that say something else.

    The derived ones are ``plain`` of the normalised view; the view with invisible text and codes read (``hidden``,
    ``encoded``); and ``plain`` of that. Takes time linear in the text, and up to ``MAX_VIEWS`` times its memory.

    Args:
        source: any text; lone surrogates and NUL are left out of all views.
        base: where it begins in the whole text.
    """
    first = normalised(source, base)
    views = [first]
    opened = decoded(revealed(first))
    for view in (plain(first), *((opened, plain(opened)) if opened is not first else ())):
        if all(view.text != other.text for other in views):
            views.append(view)
    return tuple(views)


def plain(view: View) -> View:
    """The view with lookalikes folded, then spaced letters joined, then leetspeak read; itself if it has none."""
    return read(joined(folded(view)))
