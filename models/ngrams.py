"""Hashed word and character n-grams of a text: what the injection classifier sees, at training and at run time.

Every gram belongs to the token that it begins in, so what a stretch of tokens holds is a sum over them. All work per
character is done by numpy or by one regular expression.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BUCKET_BITS = 17
BUCKETS = 1 << BUCKET_BITS

#: Letters of a word that are read.
MAX_WORD = 30

#: Tokens of a window and of the step to the next: long ones for the drift of a text, short ones for a sentence in it.
LONG_WINDOW, LONG_STEP = 64, 32
SHORT_WINDOW, SHORT_STEP = 24, 12

#: A Chinese character, a word, a number or another mark.
_TOKEN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff]|[^\\W\\d_\u3400-\u4dbf\u4e00-\u9fff]+|\\d+|[^\\w\\s]")
_HAN_FIRST, _HAN_LAST = 0x3400, 0x9FFF

#: Odd constants of a multiplicative hash (Knuth, The Art of Computer Programming, volume 3, 6.4); wrap at 2**32.
_A, _B, _C = np.uint32(0x9E3779B1), np.uint32(0x85EBCA77), np.uint32(0xC2B2AE3D)

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Grams:
    """The grams of a text of T tokens.

    Attributes:
        starts: (T,) int64, first character of every token.
        ends: (T,) int64, one past its last.
        words: (N,) int64 in 0..BUCKETS: words, pairs, pairs with a word between them, triples.
        word_places: (N,) int64, the token that each begins in.
        chars: (M,) int64 in 0..BUCKETS: 3- to 5-grams of characters.
        char_places: (M,) int64.
    """

    starts: Ids
    ends: Ids
    words: Ids
    word_places: Ids
    chars: Ids
    char_places: Ids


def grams(text: str) -> Grams:
    """The grams of a text. Words are read in lower case, every run of digits as ``0``."""
    found = list(_TOKEN.finditer(text))
    tokens = ["0" if (token := match.group())[0].isdigit() else token[:MAX_WORD].lower() for match in found]
    words, word_places = _word_grams(tokens)
    chars, char_places = _char_grams(tokens)
    starts = np.array([match.start() for match in found], np.int64)
    ends = np.array([match.end() for match in found], np.int64)
    return Grams(starts, ends, words, word_places, chars, char_places)


def windows(tokens: int, window: int, step: int) -> Ids:
    """The overlapping windows over ``tokens`` tokens: (K, 2) int64, first token and one past the last.

    All are full, but a text that is shorter is one window; there is none over no token.
    """
    if tokens == 0:
        return np.zeros((0, 2), np.int64)
    first = np.arange(0, max(1, tokens - window), step)
    if tokens > window:
        first = np.append(first, tokens - window)
    return np.stack([first, np.minimum(first + window, tokens)], axis=1)


def all_windows(tokens: int) -> Ids:
    """Long and short windows, long ones first; a text no longer than a short one is one window: (K, 2) int64."""
    long = windows(tokens, LONG_WINDOW, LONG_STEP)
    if tokens <= SHORT_WINDOW:
        return long
    return np.concatenate([long, windows(tokens, SHORT_WINDOW, SHORT_STEP)])


def _word_grams(tokens: list[str]) -> tuple[Ids, Ids]:
    hashes = np.fromiter((zlib.crc32(token.encode("utf-8", "replace")) for token in tokens), np.uint32, len(tokens))
    one, two, three = hashes * _A, hashes * _B, hashes * _C
    kinds = (one, one[:-1] + two[1:], one[:-2] + two[2:] + np.uint32(1), one[:-2] + two[1:-1] + three[2:])
    places = np.arange(len(tokens))
    return (
        np.concatenate([_bucket(kind, number) for number, kind in enumerate(kinds)]),
        np.concatenate([places[: len(kind)] for kind in kinds]),
    )


def _char_grams(tokens: list[str]) -> tuple[Ids, Ids]:
    """Of the tokens joined by spaces, with spaces around them, but none between Chinese characters."""
    heads = np.fromiter((ord(token[0]) for token in tokens), np.int64, len(tokens))
    han = (heads >= _HAN_FIRST) & (heads <= _HAN_LAST)
    spaced = np.ones(len(tokens), bool)
    spaced[:-1] = ~(han[:-1] & han[1:])
    joined = "".join([token + " " if space else token for token, space in zip(tokens, spaced.tolist(), strict=True)])
    codes = np.frombuffer(f" {joined}".encode("utf-32-le", "replace"), np.uint32)
    lengths = np.fromiter((len(token) for token in tokens), np.int64, len(tokens)) + spaced
    places = np.concatenate([np.zeros(1, np.int64), np.repeat(np.arange(len(tokens)), lengths)])
    rolling, ids = codes, []
    for n in range(2, 6):
        rolling = rolling[:-1] * _A + codes[n - 1 :]
        if n > 2:
            ids.append(_bucket(rolling * _B, n + 2))
    return np.concatenate(ids), np.concatenate([places[: len(kind)] for kind in ids])


def _bucket(hashes: NDArray[np.uint32], kind: int) -> Ids:
    mixed = (hashes ^ (hashes >> np.uint32(15))) * _C + np.uint32(kind * 0x27D4EB2F & 0xFFFFFFFF)
    mixed = (mixed ^ (mixed >> np.uint32(13))) * _A
    return (mixed >> np.uint32(32 - BUCKET_BITS)).astype(np.int64)
