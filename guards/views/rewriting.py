"""A view made from another by replacing stretches of it, with the way back kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from guards.views.normal import View


class Edit(NamedTuple):
    """What stands in place of ``start:end`` of a view's text. A tuple, as a disguised text needs thousands of them.

    Attributes:
        start: first character replaced.
        end: one past the last; equal to ``start`` where text is put in.
        text: the replacement. If it is as long as what it replaces, character stands for character; else each of its
            characters stands for the whole stretch.
        span: the stretch of the source that the replacement stands for; None for that of ``start:end``.
    """

    start: int
    end: int
    text: str
    span: tuple[int, int] | None = None


def rewritten(view: View, edits: Iterable[Edit]) -> View:
    """The view after the edits, which come in order and do not overlap. The view itself if there are none.

    Offsets stay non-decreasing: an edit whose span begins before that of the character to its left begins with it.
    """
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0

    def keep(start: int, end: int) -> None:
        if start == end:
            return
        pieces.append(view.text[start:end])
        starts.extend(view.starts[start:end])
        ends.extend(view.ends[start:end])

    for edit in edits:
        keep(at, edit.start)
        at = edit.end
        pieces.append(edit.text)
        if edit.span is None and len(edit.text) == edit.end - edit.start:
            starts.extend(view.starts[edit.start : edit.end])
            ends.extend(view.ends[edit.start : edit.end])
        elif edit.text:
            first, last = edit.span or (view.starts[edit.start], view.ends[edit.end - 1])
            starts.extend([max(first, starts[-1] if starts else 0)] * len(edit.text))
            ends.extend([max(last, ends[-1] if ends else 0)] * len(edit.text))
    if not at and not pieces:
        return view
    keep(at, len(view.text))
    return View(view.source, view.base, "".join(pieces), starts, ends)
