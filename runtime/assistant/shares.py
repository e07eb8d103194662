"""Shares of conversations by adapter: which splits are valid, and on which side of one a conversation falls."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from runtime.errors import InvalidRequestError

#: How people and files spell the bare model. Inside, it is the empty name.
NONE = "none"

#: Sums of decimal fractions are off by less than this (0.7 + 0.2 + 0.1 is below 1).
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Shares:
    """A split of all conversations.

    Attributes:
        of: adapter -> its share, above 0 and up to 1; what they leave is the bare model's.
    """

    of: Mapping[str, float]

    @classmethod
    def checked(cls, given: Mapping[str, object], names: Iterable[str]) -> Shares:
        """The split that somebody asks for, by name. ``none`` may be among them; then they have to sum up to 1.

        Raises:
            InvalidRequestError: an unknown name, a share that is no number from 0 to 1, or a wrong sum.
        """
        known = {*names, NONE}
        shares: dict[str, float] = {}
        for name, share in given.items():
            if name not in known:
                raise InvalidRequestError("shares", f"names {name!r}; expected some of {', '.join(sorted(known))}")
            if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
                raise InvalidRequestError(f"shares.{name}", f"is {share!r}; expected a number from 0 to 1")
            shares[name] = float(share)
        total = math.fsum(shares.values())
        if total > 1 + _ROUNDING:
            raise InvalidRequestError("shares", f"sum up to {total:g}; expected at most 1")
        if NONE in shares and total < 1 - _ROUNDING:
            raise InvalidRequestError("shares", f"sum up to {total:g}; expected 1, or no share for {NONE!r}")
        return cls({name: share for name, share in shares.items() if share > 0 and name != NONE})

    @property
    def bare(self) -> float:
        """The bare model's share."""
        rest = 1 - math.fsum(self.of.values())
        return rest if rest > _ROUNDING else 0.0

    @property
    def sides(self) -> Mapping[str, float]:
        """Who gets conversations, and what share; the empty name is the bare model."""
        return {**self.of, "": self.bare} if self.bare else self.of

    def side(self, conversation: str) -> str:
        """The adapter of a conversation, empty for the bare model: the same shares always give the same one.

        Each side draws a number for the conversation, by a hash, and weighs it with its share; the best draw wins
        (weighted rendezvous hashing). When shares change, a conversation moves only from a side that shrinks to one
        that grows: those who were in a trial at one in ten are in it at one in five.
        """
        return min(self.sides.items(), key=lambda side: -math.log(_draw(conversation, side[0])) / side[1])[0]

    def to_dict(self, names: Iterable[str]) -> dict[str, float]:
        """The share of each of these adapters, and of ``none``."""
        return {**{name: self.of.get(name, 0.0) for name in names}, NONE: round(self.bare, 9)}


def _draw(conversation: str, side: str) -> float:
    """A number above 0 and up to 1, evenly spread over conversations and sides."""
    digest = hashlib.sha256(f"{side}\n{conversation}".encode("utf-8", "surrogatepass")).digest()
    return (int.from_bytes(digest[:8], "big") + 0.5) / 2**64
