"""Letters without borders cut into common words, by the least total cost."""

from __future__ import annotations

from guards.views.leet import WORDS, shape

_LONGEST = 16
#: Cost of a word by its length. Short words are dear, or every rare word would fall apart into them.
_COST = (0.0, 2.6, 1.9, 1.4, 1.1, *[1.0] * _LONGEST)
_UNKNOWN_BEGINS = 2.6
_UNKNOWN_GOES_ON = 1.3


#: Short words that are in every sentence: now in, not no win.
_USUAL = {shape(word): 1.6 for word in ("in", "to", "of", "is", "it", "me", "my", "as", "at", "on")}


def borders(letters: str) -> list[int]:
    """Where words end in the letters (ASCII, leetspeak allowed), the end of the letters included, in order.

    Letters that make no common word stay together as one. Linear in their number.
    """
    shaped = shape(letters)
    count = len(shaped)
    known = [0.0] + [float("inf")] * count  # best cost of the letters before here, a common word ending here
    loose = [float("inf")] * (count + 1)  # the same, with unknown letters ending here
    begins = [0] * (count + 1)  # where that common word begins
    for end in range(1, count + 1):
        before = min(known[end - 1] + _UNKNOWN_BEGINS, loose[end - 1] + _UNKNOWN_GOES_ON)
        loose[end] = before
        for start in range(max(0, end - _LONGEST), end):
            if shaped[start:end] in WORDS:
                cost = min(known[start], loose[start]) + _USUAL.get(shaped[start:end], _COST[end - start])
                if cost < known[end]:
                    known[end], begins[end] = cost, start
    return _traced(known, loose, begins)


def _traced(known: list[float], loose: list[float], begins: list[int]) -> list[int]:
    """The borders on the cheapest way, walked from the end."""
    at = len(known) - 1
    found: list[int] = []
    while at > 0:
        found.append(at)
        if known[at] <= loose[at]:
            at = begins[at]
            continue
        while at > 0:  # back to where the unknown letters begin
            at -= 1
            if known[at] + _UNKNOWN_BEGINS <= loose[at] + _UNKNOWN_GOES_ON:
                break
    return found[::-1]
