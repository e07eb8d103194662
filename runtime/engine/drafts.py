"""Drafts without a draft model: how an answer may go on, read off the answers that were given before.

Prompt lookup decoding (Saxena 2023, github.com/apoorvumang/prompt-lookup-decoding) drafts what once followed the same
few tokens; SuffixDecoding (Oliaro et al. 2024, arXiv 2411.04975) looks in earlier answers, weighs by how often each
continuation was seen, and lets the evidence say how long a draft may be. Here earlier answers stand in a ring of
tokens; places with the same last three tokens are chained as in DEFLATE (RFC 1951, section 4), so memory is fixed.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

#: Last tokens that have to agree before anything is drafted.
MATCH_TOKENS = 3

#: Places that are followed at a time, the most recent ones, and links of a chain that are looked at to find them.
_PLACES, _LINKS = 16, 64

#: A row whose chance is lower never pays: in every step that was measured a further row cost more than half of one.
_LEAST_CHANCE = 0.35

_END = -1
_LONGEST = 28
#: Matched tokens -> class of lengths, 0 to 5.
_LENGTH_CLASS = tuple(sum(length > edge for edge in (4, 7, 11, 17, 27)) for length in range(_LONGEST + 1))
_SPLIT, _SINGLE, _UNANIMOUS = range(3)

#: Three right of four, until there is experience; each further guess makes older ones count this much less.
_PRIOR_RIGHT, _PRIOR_GUESSES, _FADE = 3.0, 4.0, 0.995
_RATE = 0.15

#: Multipliers of the hash of three tokens; odd, without a pattern in their bits.
_H1, _H2, _H3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D


class DraftIndex:
    """Answers, and where in them any three tokens stand. Used by one thread.

    Memory is fixed at the start: 12 bytes a token and 8 for each of at least half as many chains; 3.4 MB for 200,000
    tokens. The oldest tokens are overwritten by new ones.

    Attributes:
        proposed_tokens: drafted so far, as told to ``DraftCursor.result``,
        accepted_tokens: and of those, accepted.
    """

    def __init__(self, capacity_tokens: int = 200_000) -> None:
        """Reserve the memory.

        Raises:
            ValueError: room for fewer than 64 tokens.
        """
        if capacity_tokens < 64:
            raise ValueError(f"capacity of {capacity_tokens} tokens; expected at least 64")
        self.capacity_tokens = capacity_tokens
        self.proposed_tokens = 0
        self.accepted_tokens = 0
        chains = 1 << (max(capacity_tokens // 2, 1) - 1).bit_length()
        self._mask = chains - 1
        self._tokens = array("i", [_END]) * capacity_tokens
        self._previous = array("q", [-1]) * capacity_tokens  # the place before, in the same chain; counted since ever
        self._latest = array("q", [-1]) * chains
        self._written = 0
        classes = (_LENGTH_CLASS[-1] + 1) * 3
        self._right = [_PRIOR_RIGHT] * classes
        self._guesses = [_PRIOR_GUESSES] * classes

    @property
    def tokens(self) -> int:
        """Tokens held, with those that mark the ends of answers."""
        return min(self._written, self.capacity_tokens)

    @property
    def size_bytes(self) -> int:
        """Memory of the arrays."""
        return sum(len(part) * part.itemsize for part in (self._tokens, self._previous, self._latest))

    def add(self, ids: Sequence[int], tail: Sequence[int] = ()) -> None:
        """Remember an answer.

        Args:
            ids: its tokens as they were generated (text encoded anew is often cut otherwise), without an end token.
            tail: the last tokens of its prompt, so that its beginning can be found too; eight are plenty.

        Raises:
            ValueError: a token is negative.
        """
        whole = [*tail, *ids][: self.capacity_tokens - 1]
        if whole and min(whole) < 0:
            raise ValueError(f"token {min(whole)}; expected 0 or more")
        first = max(len(tail), MATCH_TOKENS) - 1  # within the tail itself nothing is to be drafted
        for i, token in enumerate(whole):
            at = self._written % self.capacity_tokens
            self._tokens[at] = token
            if i >= first and i >= MATCH_TOKENS - 1:
                chain = self._chain(whole[i - 2], whole[i - 1], token)
                self._previous[at] = self._latest[chain]
                self._latest[chain] = self._written
            self._written += 1
        self._tokens[self._written % self.capacity_tokens] = _END
        self._written += 1

    def cursor(self, tail: Sequence[int] = ()) -> DraftCursor:
        """A reader for one running answer; ``tail`` is the end of its prompt."""
        return DraftCursor(self, tail)

    @property
    def ring(self) -> list[int]:
        """The tokens held, oldest first, with -1 after each answer; of the oldest answer perhaps only the end."""
        held = self.tokens
        return [self._tokens[at % self.capacity_tokens] for at in range(self._written - held, self._written)]

    @property
    def experience(self) -> tuple[float, ...]:
        """What evidence has been worth: right guesses of each class, then all guesses of each, fading with time."""
        return (*self._right, *self._guesses)

    def restore(self, experience: Sequence[float], ring: Sequence[int]) -> None:
        """Add what ``ring`` of another index held, and take over its ``experience``."""
        classes = len(self._right)
        assert len(experience) == 2 * classes
        self._right, self._guesses = list(experience[:classes]), list(experience[classes:])
        answer: list[int] = []
        for token in ring:
            if token < 0:
                self.add(answer)
                answer = []
            else:
                answer.append(token)

    def _chain(self, a: int, b: int, c: int) -> int:
        mixed = (a * _H1 ^ b * _H2 ^ c * _H3) & 0xFFFFFFFF
        return (mixed ^ mixed >> 15) & self._mask

    def _places(self, a: int, b: int, c: int) -> list[int]:
        """Slots of the ring that follow these three tokens, the latest first."""
        tokens, previous, capacity = self._tokens, self._previous, self.capacity_tokens
        oldest = self._written - capacity + 2
        place = self._latest[self._chain(a, b, c)]
        found: list[int] = []
        for _ in range(_LINKS):
            if place < oldest or place < 2:
                break
            at = place % capacity
            if tokens[at] == c and tokens[at - 1] == b and tokens[at - 2] == a:
                found.append((at + 1) % capacity)
                if len(found) == _PLACES:
                    break
            place = previous[at]
        return found

    def _guess(self, places: list[int], length: int) -> tuple[int, int]:
        """The commonest next token of ``places``, the latest of equals, and the class of this much evidence."""
        tokens = self._tokens
        first = tokens[places[0]]
        kind = _LENGTH_CLASS[min(length, _LONGEST)] * 3
        if len(places) == 1:
            return first, kind + _SINGLE
        nexts = [tokens[at] for at in places]
        if nexts.count(first) == len(nexts):
            return first, kind + _UNANIMOUS
        return max(nexts, key=nexts.count), kind + _SPLIT


class DraftCursor:
    """Follows one answer through the index. Every token of the answer is fed, drafted or not.

    Each token fed also shows whether the guess there would have been right, so that the index learns what evidence is
    worth without a row being spent on it, and untemplated text, whose guesses are wrong, soon has nothing drafted.

    Attributes:
        acceptance: share of guesses that were right lately in this answer; where nothing is known, none is made.
        chances: of the last draft, for each token the probability that it and all before it are right.
    """

    __slots__ = ("_ahead", "_index", "_last", "_length", "_places", "acceptance", "chances")

    def __init__(self, index: DraftIndex, tail: Sequence[int]) -> None:
        self._index = index
        self._last = (_END, _END, _END)
        self._places: list[int] = []
        self._length = MATCH_TOKENS
        self.acceptance = _PRIOR_RIGHT / _PRIOR_GUESSES
        self.chances: tuple[float, ...] = ()
        #: Guess, class of evidence and places after it, worked out by ``draft`` for the tokens to be fed; last first.
        self._ahead: list[tuple[int, int, list[int]]] = []
        for token in tail[-MATCH_TOKENS:]:
            self._last = (*self._last[1:], token)
        self._places = index._places(*self._last)

    def feed(self, token: int) -> None:
        """The answer goes on with ``token``."""
        index, places = self._index, self._places
        self._last = (self._last[1], self._last[2], token)
        if places:
            if self._ahead:
                guess, kind, after = self._ahead.pop()
            else:
                (guess, kind), after = index._guess(places, self._length), None
            right = guess == token
            index._right[kind] = index._right[kind] * _FADE + right
            index._guesses[kind] = index._guesses[kind] * _FADE + 1.0
            self.acceptance += _RATE * (right - self.acceptance)
            if not right:
                self._ahead = []
            self._places = places = after if right and after is not None else self._follow(places, token)
            self._length += 1
        if not places:
            self._places = index._places(*self._last)
            self._length = MATCH_TOKENS
            self._ahead = []

    def _follow(self, places: list[int], token: int) -> list[int]:
        tokens, capacity = self._index._tokens, self._index.capacity_tokens
        return [(at + 1) % capacity for at in places if tokens[at] == token]

    def draft(self, limit: int) -> tuple[int, ...]:
        """Up to ``limit`` tokens that may come next; fewer, or none, where the evidence ends. Sets ``chances``."""
        index, places, length = self._index, self._places, self._length
        ids: list[int] = []
        chances: list[float] = []
        ahead: list[tuple[int, int, list[int]]] = []
        chance = 1.0
        while places and len(ids) < limit:
            guess, kind = index._guess(places, length)
            chance *= index._right[kind] / index._guesses[kind]
            after = self._follow(places, guess)
            ahead.append((guess, kind, after))
            if guess == _END or chance < _LEAST_CHANCE:
                break
            ids.append(guess)
            chances.append(chance)
            places = after
            length += 1
        self._ahead = ahead[::-1]
        self.chances = tuple(chances)
        return tuple(ids)

    def result(self, proposed: int, accepted: int) -> None:
        """Count a draft that was verified. What it teaches comes with the tokens fed."""
        self._index.proposed_tokens += proposed
        self._index.accepted_tokens += accepted
