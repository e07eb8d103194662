"""Words of which a text must hold one for a pattern to match: looked for first, since that is a hundred times cheaper.

The idea is that of RE2's prefilter (https://github.com/google/re2, re2/prefilter.h), here on Python's own parse tree.
"""

from __future__ import annotations

from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]

#: Shorter literals stand in too many texts to be worth looking for.
_MIN_CHARS = 3
_MOST_LITERALS = 24

_Literals = frozenset[str]


def required(pattern: str) -> _Literals:
    """Literals of which every match of the pattern holds at least one; empty if none could be told."""
    return _best(_of_sequence(parser.parse(pattern)))


def _of_sequence(items: parser.SubPattern) -> list[_Literals]:
    """What each part of a sequence that cannot be left out requires."""
    found: list[_Literals] = []
    run = ""
    for code, value in items:
        if code is codes.LITERAL:
            run += chr(value)
            continue
        found.append(frozenset({run}))
        run = ""
        if code is codes.SUBPATTERN:
            found.append(_best(_of_sequence(value[-1])))
        elif code is codes.BRANCH:
            found.append(_of_branch(value[1]))
        elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT) and value[0] >= 1:
            found.append(_best(_of_sequence(value[2])))
    return [*found, frozenset({run})]


def _of_branch(branches: list[parser.SubPattern]) -> _Literals:
    """One of the branches' literals; nothing can be told if a branch requires nothing."""
    sets = [_best(_of_sequence(branch)) for branch in branches]
    return frozenset().union(*sets) if all(sets) else frozenset()


def _best(sets: list[_Literals]) -> _Literals:
    """The set that is rarest in ordinary texts, by the length of its shortest literal."""
    able = [one for one in sets if one and len(one) <= _MOST_LITERALS and min(map(len, one)) >= _minimum(one)]
    return max(able, key=lambda one: (min(map(len, one)), -len(one)), default=frozenset())


def _minimum(literals: _Literals) -> int:
    """Two Chinese characters say as much as three letters and more."""
    return 2 if all(not literal.isascii() for literal in literals) else _MIN_CHARS
