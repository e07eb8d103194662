"""Keys, tokens and passwords in an answer: by their well-known shapes, or by the word that announces them.

The shapes are those that the issuers document (AWS, Google, GitHub, GitLab, OpenAI, Slack, Stripe, Hugging Face, npm;
RFC 7468 for private keys, RFC 7519 for JSON web tokens). Each is looked for as far as it takes to be sure, so that no
shape is longer than ``MAX_CHARS``.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Collection

from guards.detector import Hit, Report
from guards.views.normal import View

MAX_CHARS = 128

_EDGE = r"(?<![A-Za-z0-9])"
#: (cue, shape): without the cue the shape cannot be there, and the search for it costs nothing.
_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (cue, re.compile(shape))
    for cue, shape in (
        ("PRIVATE KEY", r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY"),
        ("A", rf"{_EDGE}A(?:KI|SI|RO)A[A-Z0-9]{{16}}"),
        ("AIza", rf"{_EDGE}AIza[A-Za-z0-9_-]{{35}}"),
        ("ya29.", rf"{_EDGE}ya29\.[A-Za-z0-9_-]{{20}}"),
        ("gh", rf"{_EDGE}(?:gh[pousr]_[A-Za-z0-9]{{30}}|github_pat_[A-Za-z0-9_]{{22}})"),
        ("glpat-", rf"{_EDGE}glpat-[A-Za-z0-9_-]{{20}}"),
        ("sk-", rf"{_EDGE}sk-(?=[A-Za-z_-]{{0,60}}[0-9])[A-Za-z0-9_-]{{20}}"),
        ("k_", rf"{_EDGE}[srp]k_(?:live|test)_[A-Za-z0-9]{{16}}"),
        ("xox", rf"{_EDGE}xox[abeoprs]-[A-Za-z0-9-]{{10}}"),
        ("hooks.slack", rf"{_EDGE}hooks\.slack\.com/services/T[A-Z0-9]{{6,14}}/B[A-Z0-9]{{6,14}}/[A-Za-z0-9]{{10}}"),
        ("hf_", rf"{_EDGE}hf_[A-Za-z0-9]{{30}}"),
        ("npm_", rf"{_EDGE}npm_[A-Za-z0-9]{{30}}"),
        ("eyJ", rf"{_EDGE}eyJ[A-Za-z0-9_-]{{8,90}}\.eyJ[A-Za-z0-9_-]{{8}}"),
        ("://", r"(?<![a-z])[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{1,40}:[^\s:/@]{1,40}@"),
        ("Key=", r"(?:Account|SharedAccess)Key=[A-Za-z0-9+/]{20}"),
    )
)
_OPEN_HEADER = re.compile(r"-----BEGIN[A-Z ]{0,40}\Z")

#: A word without spaces, brackets and Chinese characters that an announced secret may be; ``{{…}}`` and ``[…]`` are
#: fields and placeholders.
_VALUE = r"(?![\[{<(])[!-~]{4,64}"
_SEPARATOR = r"[\"'`*_ \t]{0,3}(?:[:=]|\b(?:is|was|are)\b(?: now)?|是|为|就是|改成)[:=\"'`*_ \t]{0,4}"
#: The label, its separator and what stands between are within the text that a stream still looks at.
_PASSWORD = re.compile(
    r"(?:\b(?:password|passwd|passphrase|passcode|pwd|pin|door code|alarm code|gate code|safe combination)\b"
    r"(?: (?:for|of|to) [a-z' -]{1,24}?)?|密码|口令|门禁码)" + _SEPARATOR + f"({_VALUE})",
    re.IGNORECASE,
)
_TOKEN = re.compile(
    r"(?:(?<![A-Za-z0-9])(?:key|token|secret|credential)s?(?![A-Za-z0-9])|密钥|令牌|私钥|凭证)"
    r"[^\n]{0,20}?(?<![A-Za-z0-9+/_-])([A-Za-z0-9+/_=-]{20,64})",
    re.IGNORECASE,
)
#: The end of what may be a shape or a value that goes on.
_OPEN_WORD = re.compile(rf"[!-~]{{1,{MAX_CHARS}}}\Z")
_ADDRESS = re.compile(r"\w{2,20}://|www\.|[^@\s]+@[^@\s]+\.\w+|[\w-]+(?:\.[\w-]+)+/|.*[\]}>]\Z")
_NOT_IN_PASSWORDS = re.compile(
    r"\d{1,2}[-–~]\d{1,2}(?!\d)|\d{1,3}(?:days?|hours?|h|min(?:utes?)?|characters?|chars?|digits?)\b", re.IGNORECASE
)
_HEX = re.compile(r"[0-9a-fA-F]+(?:-[0-9a-fA-F]+)*")
_MIN_BITS = 3.5  # per character: 24 random characters have about 4, words of a language put together about 3


class Keys:
    """Hits ``leak.key`` for keys of known shapes, ``leak.password`` and ``leak.token`` for announced secrets.

    An announced hit is the secret alone, without its label. Stateless.
    """

    family = "leak"

    def __init__(self, trusted: Callable[[], Collection[str]] = tuple) -> None:
        """``trusted``: texts whose passwords may be said, such as that of the guests' wireless network in a passage."""
        self._trusted = trusted

    def scan(self, view: View) -> Report:
        """All of them, in order of position."""
        text = view.text
        hits = [
            Hit("leak.key", *view.span(*match.span()))
            for cue, shape in _SHAPES
            if cue in text
            for match in shape.finditer(text)
        ]
        announced = (("leak.password", _PASSWORD, _is_password), ("leak.token", _TOKEN, _is_random))
        for rule, pattern, judge in announced:
            for match in pattern.finditer(text):
                value = match.group(1).rstrip("\"'`*.,;:!?)")
                if judge(value) and not any(value in trusted for trusted in self._trusted()):
                    hits.append(Hit(rule, *view.span(match.start(1), match.start(1) + len(value))))
        return Report(tuple(sorted(hits, key=lambda hit: hit.start)))

    def pending(self, view: View) -> int:
        """Where the word begins that stands open at the end, or the header of a private key."""
        text = view.text
        found = (pattern.search(text, max(0, len(text) - MAX_CHARS)) for pattern in (_OPEN_WORD, _OPEN_HEADER))
        return min((match.start() for match in found if match), default=len(text))


def _is_password(value: str) -> bool:
    """Digits alone, or letters with digits or signs; not an address, a number of characters or a plain word."""
    if _ADDRESS.match(value) or _NOT_IN_PASSWORDS.match(value):
        return False
    digits = sum(char.isdigit() for char in value)
    if value.strip("#*").isdigit():
        return digits >= 4
    letters = sum(char.isalpha() for char in value)
    signs = sum(char in "@#$%^&*!?+=~" for char in value)
    return len(value) >= 6 and letters > 0 and (digits > 0 or signs > 0)


def _is_random(value: str) -> bool:
    """32 hexadecimal digits and more, or letters of both cases and digits without a pattern."""
    digits = sum(char.isdigit() for char in value)
    if _HEX.fullmatch(value):
        return len(value) >= 32 and 0 < digits < len(value)
    if digits < 2 or value.lower() == value or value.upper() == value:
        return False
    counts = Counter(value).values()
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts) >= _MIN_BITS
